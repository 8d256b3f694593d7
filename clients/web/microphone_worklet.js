// The microphone's last hop in the audio thread: any rate in, frames of 20 ms of PCM16 out.

import { Resampler } from "./resample.js";

const WIRE_RATE_HZ = 24000;
const FRAME_SAMPLES = WIRE_RATE_HZ / 50;

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, WIRE_RATE_HZ);
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
  }

  process([channels]) {
    if (channels.length === 0) return true;
    for (const sample of this.resampler.push(channels[0])) {
      this.frame[this.filled] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      this.filled += 1;
      if (this.filled === FRAME_SAMPLES) this.send();
    }
    return true;
  }

  send() {
    this.port.postMessage(this.frame, [this.frame.buffer]);
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
  }
}

registerProcessor("microphone", Microphone);
