// Player: what the server says, out of the loudspeaker, and to the sample how much of it was heard.
// Its context runs at the rate of the wire, so a sample received is a sample played.

import { WIRE_RATE_HZ } from "./pcm.js";

export class Player extends EventTarget {
  #context = null;
  #node = null;
  #at = { id: null, given: 0, seconds: 0, running: false };
  #refused = new Set(); // items that were cleared: what is still on its way is not wanted
  #waiting = []; // messages from before there was a context

  constructor() {
    super();
    this.level = null;
    this.underruns = 0;
  }

  // Must be called from a click or a key: browsers are silent before.
  async start() {
    if (this.#context) return this.#context.resume();
    this.#context = new AudioContext({ sampleRate: WIRE_RATE_HZ, latencyHint: "interactive" });
    await this.#context.audioWorklet.addModule(new URL("./player_worklet.js", import.meta.url));
    this.#node = new AudioWorkletNode(this.#context, "player", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    this.#node.port.onmessage = ({ data }) => this.#told(data);
    this.level = new AnalyserNode(this.#context, { fftSize: 1024 });
    this.#node.connect(this.level).connect(this.#context.destination);
    for (const message of this.#waiting.splice(0)) this.#tell(message);
    return this.#context.resume();
  }

  play(id, samples) {
    if (!this.#refused.has(id)) this.#tell({ type: "play", id, samples });
  }

  // No more of this item follows.
  finish(id) {
    this.#tell({ type: "finish", id });
  }

  // Silence. "cleared" tells of each item that had not ended how much of it was heard.
  clear() {
    this.#tell({ type: "clear" });
  }

  // The item that is heard now and its milliseconds; null in silence.
  get position() {
    const { id, given, seconds, running } = this.#at;
    if (!running || id === null) return null;
    const since = Math.min(0.1, Math.max(0, this.#context.currentTime - seconds));
    return { id, ms: Math.max(0, (given / WIRE_RATE_HZ + since - this.#latency) * 1000) };
  }

  // Whether an item is being played, though it may wait for its next piece.
  get speaking() {
    return this.#at.id !== null;
  }

  // From the worklet to the ear.
  get #latency() {
    return (this.#context.baseLatency || 0) + (this.#context.outputLatency || 0);
  }

  #tell(message) {
    if (this.#node) this.#node.port.postMessage(message);
    else this.#waiting.push(message);
  }

  #told(message) {
    if (message.type === "at") {
      if (message.running && message.id !== this.#at.id) this.#emit("began", { id: message.id });
      this.#at = message;
      this.underruns = message.underruns;
    } else if (message.type === "cleared") {
      this.#at = { ...this.#at, id: null, running: false };
      for (const { id } of message.items) this.#refused.add(id);
      this.#emit("cleared", { items: message.items.map((item) => this.#heard(item)) });
    } else {
      this.#emit("ended", { id: message.id });
    }
  }

  #heard({ id, given }) {
    const heard = given / WIRE_RATE_HZ - (given > 0 ? this.#latency : 0);
    return { id, ms: Math.max(0, Math.floor(heard * 1000)) };
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
