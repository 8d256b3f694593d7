// Resampler: a stream of samples at one rate → the same at another, by a windowed sinc.
// Fed in chunks, it gives exactly what it gives for the whole. Knows nothing about devices.

const ZERO_CROSSINGS = 12; // on each side of the kernel
const TABLE_STEPS = 256; // between two zero crossings
const PASS_BAND = 0.94; // of the lower of both Nyquist frequencies

export class Resampler {
  constructor(fromHz, toHz) {
    this.step = fromHz / toHz;
    this.cutoff = Math.min(1, toHz / fromHz) * PASS_BAND;
    this.half = Math.ceil(ZERO_CROSSINGS / this.cutoff);
    this.table = kernelTable();
    this.input = new Float32Array(this.half); // silence before the beginning
    this.first = -this.half; // where in the stream `input` begins
    this.made = 0; // outputs so far
  }

  push(chunk) {
    const joined = new Float32Array(this.input.length + chunk.length);
    joined.set(this.input);
    joined.set(chunk, this.input.length);
    const end = this.first + joined.length;
    const out = [];
    let centre = this.made * this.step;
    for (; centre + this.half < end; centre = this.made * this.step) {
      out.push(this.at(joined, centre));
      this.made += 1;
    }
    const keep = Math.max(0, Math.floor(centre) - this.half - this.first);
    this.input = joined.slice(keep);
    this.first += keep;
    return Float32Array.from(out);
  }

  at(samples, centre) {
    let sum = 0;
    const from = Math.ceil(centre - this.half);
    const to = Math.floor(centre + this.half);
    for (let place = from; place <= to; place += 1) {
      const index = place - this.first;
      if (index < 0 || index >= samples.length) continue;
      sum += samples[index] * this.kernel(Math.abs(place - centre) * this.cutoff);
    }
    return sum * this.cutoff;
  }

  kernel(distance) {
    const place = distance * TABLE_STEPS;
    const below = Math.floor(place);
    if (below + 1 >= this.table.length) return 0;
    return this.table[below] + (place - below) * (this.table[below + 1] - this.table[below]);
  }
}

function kernelTable() {
  const table = new Float64Array(ZERO_CROSSINGS * TABLE_STEPS + 1);
  for (let place = 0; place < table.length; place += 1) {
    const x = place / TABLE_STEPS;
    const window = Math.cos((Math.PI * x) / (2 * ZERO_CROSSINGS)) ** 2;
    table[place] = window * (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  }
  return table;
}
