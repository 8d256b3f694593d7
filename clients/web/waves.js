// Waves: a still horizon; your voice rises above it, the other self's below, as in a mirror.
// The newest sound is in the middle and travels outwards. With reduced motion nothing travels.

const HISTORY = 96; // levels of 1/60 s, from the middle to each edge
const ATTACK = 0.5;
const RELEASE = 0.12;
const FLOOR = 0.012; // of the height: a breath of life in silence
const QUIET = 0.004; // levels below it look like silence, which is drawn less often
const QUIET_FRAMES = 5;
const STEP = 6; // pixels between two points of a curve

export class Waves {
  #canvas;
  #analysers;
  #levels = [new Float32Array(HISTORY), new Float32Array(HISTORY)];
  #buffer = new Float32Array(1024);
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #phase = 0;
  #frames = 0;
  #size = { width: 0, height: 0, scale: 1 };

  // `analysers` gives the AnalyserNodes of you and of the other self, or null.
  constructor(canvas, analysers) {
    this.#canvas = canvas;
    this.#analysers = analysers;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = devicePixelRatio || 1;
    this.#size = { width, height, scale };
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    this.#frames = 0;
  }

  draw() {
    this.#frames += 1;
    this.#phase += 0.02;
    this.#analysers().forEach((analyser, side) => this.#listen(analyser, this.#levels[side]));
    const quiet = this.#levels.every((levels) => Math.max(...levels) < QUIET);
    if (!quiet || this.#frames % QUIET_FRAMES === 1) this.#paint();
  }

  #paint() {
    const { width, height, scale } = this.#size;
    const pen = this.#canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.#canvas);
    this.#levels.forEach((levels, side) => {
      const colour = style.getPropertyValue(side === 0 ? "--you" : "--self");
      this.#ripple(pen, width, height, levels, side === 0 ? -1 : 1, colour);
    });
    this.#horizon(pen, width, height, style.getPropertyValue("--line"));
  }

  #listen(analyser, levels) {
    let level = 0;
    if (analyser) {
      analyser.getFloatTimeDomainData(this.#buffer);
      const energy = this.#buffer.reduce((sum, sample) => sum + sample * sample, 0);
      level = Math.min(1, Math.sqrt(energy / this.#buffer.length) * 4.5) ** 0.75;
    }
    const follow = level > levels[0] ? ATTACK : RELEASE;
    const next = levels[0] + follow * (level - levels[0]);
    if (this.#still.matches) levels.fill(next);
    else levels.copyWithin(1, 0);
    levels[0] = next;
  }

  #ripple(pen, width, height, levels, direction, colour) {
    const middle = height / 2;
    const gradient = pen.createLinearGradient(0, 0, width, 0);
    const clear = `color-mix(in srgb, ${colour} 1%, transparent)`;
    gradient.addColorStop(0, clear);
    gradient.addColorStop(0.5, colour);
    gradient.addColorStop(1, clear);
    pen.fillStyle = gradient;
    for (const [share, alpha] of [[1, 0.16], [0.72, 0.28], [0.44, 0.75]]) {
      pen.globalAlpha = alpha;
      pen.beginPath();
      pen.moveTo(0, middle);
      for (let x = 0; x <= width; x += STEP) {
        const away = Math.abs(x - width / 2) / (width / 2);
        const rise = this.#height(levels, away) * share * (middle - 6);
        pen.lineTo(x, middle + direction * rise);
      }
      pen.lineTo(width, middle);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  #height(levels, away) {
    const place = away * (HISTORY - 1);
    const below = Math.floor(place);
    const above = Math.min(HISTORY - 1, below + 1);
    const level = levels[below] + (place - below) * (levels[above] - levels[below]);
    const breath = this.#still.matches ? FLOOR : FLOOR * (1.2 + Math.sin(this.#phase + 6 * away));
    return Math.min(1, (level + breath) * Math.cos((away * Math.PI) / 2) ** 1.2);
  }

  #horizon(pen, width, height, colour) {
    pen.fillStyle = colour;
    pen.fillRect(0, height / 2 - 0.5, width, 1);
  }
}
