// The last hop before the loudspeaker: plays items in order, and counts each sample it gives away.
// Knows items by their ids, and nothing about who sent them.

const START_SAMPLES = 1200; // 50 ms wait before a beginning, so that the next piece is there in time
const FADE_SAMPLES = 480; // 20 ms: at once, and without a click
const REPORT_SAMPLES = 512;

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.items = []; // {id, pieces: [Float32Array], at, given, queued, finished}
    this.running = false;
    this.fade = 0; // samples left of a fade
    this.underruns = 0;
    this.sinceReport = 0;
    this.port.onmessage = ({ data }) => this[data.type](data);
  }

  play({ id, samples }) {
    const item = this.item(id);
    item.pieces.push(samples);
    item.queued += samples.length;
  }

  finish({ id }) {
    const item = this.items.find((one) => one.id === id);
    if (item) item.finished = true;
  }

  clear() {
    if (this.running) this.fade = FADE_SAMPLES;
    else this.drop();
  }

  item(id) {
    let item = this.items.find((one) => one.id === id);
    if (!item) {
      item = { id, pieces: [], at: 0, given: 0, queued: 0, finished: false };
      this.items.push(item);
    }
    return item;
  }

  drop() {
    const cleared = this.items.map(({ id, given }) => ({ id, given }));
    this.items = [];
    this.running = false;
    this.fade = 0;
    this.port.postMessage({ type: "cleared", items: cleared });
  }

  process(_inputs, [[out]]) {
    for (let place = 0; place < out.length; place += 1) out[place] = this.next();
    this.sinceReport += out.length;
    if (this.sinceReport >= REPORT_SAMPLES) this.report();
    return true;
  }

  next() {
    if (!this.ready()) return 0;
    const item = this.items[0];
    let sample = item.pieces[0][item.at];
    item.at += 1;
    item.given += 1;
    item.queued -= 1;
    if (item.at === item.pieces[0].length) {
      item.pieces.shift();
      item.at = 0;
    }
    if (this.fade > 0) {
      sample *= this.fade / FADE_SAMPLES;
      this.fade -= 1;
      if (this.fade === 0) this.drop();
    }
    return sample;
  }

  ready() {
    while (this.items.length > 0 && this.items[0].queued === 0 && this.items[0].finished) {
      const { id, given } = this.items.shift();
      this.port.postMessage({ type: "ended", id, given });
    }
    const item = this.items[0];
    const enough = item && (this.running ? item.queued > 0 : this.isWorthStarting(item));
    if (this.running && !enough) {
      if (this.fade > 0) this.drop();
      else if (item) this.underruns += 1;
    }
    this.running = Boolean(enough);
    return this.running;
  }

  isWorthStarting(item) {
    return item.queued >= START_SAMPLES || (item.finished && item.queued > 0);
  }

  report() {
    this.sinceReport = 0;
    const item = this.items[0];
    this.port.postMessage({
      type: "at",
      id: item && (this.running || item.given > 0) ? item.id : null,
      given: item ? item.given : 0,
      seconds: currentTime,
      running: this.running,
      underruns: this.underruns,
    });
  }
}

registerProcessor("player", Player);
