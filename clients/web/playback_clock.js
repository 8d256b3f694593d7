// PlaybackClock: where a listener's loudspeaker is, told only what was sent to it and when.
// Knows nothing about sound or sockets; milliseconds are of one clock of the caller's.

export const LEAD_MS = 100; // from the arrival of the first sound to when it is heard

export class PlaybackClock {
  constructor(leadMs = LEAD_MS) {
    this.leadMs = leadMs;
    this.runs = []; // {id, from, at, duration}: pieces that are heard without a gap
    this.id = "";
    this.sent = 0;
    this.freeAt = -Infinity;
    this.dropped = null;
  }

  // The next piece of an item's audio was sent to the listener.
  push(id, durationMs, now) {
    if (id === this.dropped) return;
    if (id !== this.id) Object.assign(this, { id, sent: 0 });
    if (this.freeAt <= now) this.freeAt = now + this.leadMs;
    this.runs.push({ id, from: this.sent, at: this.freeAt, duration: durationMs });
    this.sent += durationMs;
    this.freeAt += durationMs;
  }

  // The listener threw away what was not heard yet, and wants no more of that item.
  cut(now) {
    this.runs = [];
    this.freeAt = now;
    this.dropped = this.id;
  }

  // What is heard now as {id, ms}; null in silence.
  position(now) {
    while (this.runs.length && now >= this.runs[0].at + this.runs[0].duration) this.runs.shift();
    const run = this.runs[0];
    return run && now >= run.at ? { id: run.id, ms: run.from + now - run.at } : null;
  }
}
