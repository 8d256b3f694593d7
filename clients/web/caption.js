// Caption: a SpokenText on the page, whose words light up when they are heard.

export class Caption {
  #element;
  #spoken = null;
  #drawn = "";
  #words = []; // {span, start, end}

  constructor(element) {
    this.#element = element;
  }

  show(spoken) {
    this.#spoken = spoken;
    this.update(-1);
  }

  clear() {
    this.#spoken = null;
    this.#drawn = "";
    this.#words = [];
    this.#element.replaceChildren();
  }

  // A text without times: all of it at once.
  setText(text) {
    this.clear();
    this.#element.textContent = text;
  }

  // Light up what is heard by now, in milliseconds of the spoken text.
  update(ms) {
    if (!this.#spoken) return;
    this.#draw();
    for (const { span, start, end } of this.#words) {
      const state = start === null || ms < start ? "coming" : ms < end ? "now" : "heard";
      if (span.className === state) continue;
      span.className = state;
      if (state === "now") this.#keepInSight(span);
    }
  }

  #draw() {
    const pieces = this.#spoken.pieces();
    const key = pieces.map((piece) => `${piece.text}|${piece.start}`).join("|");
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#words = pieces.map(({ text, start, end }) => {
      const span = document.createElement("span");
      span.textContent = text;
      span.className = "coming";
      return { span, start, end };
    });
    this.#element.replaceChildren(...this.#words.map((word) => word.span));
  }

  #keepInSight(span) {
    const box = this.#element.parentElement;
    if (box.scrollHeight <= box.clientHeight) return;
    const middle = span.offsetTop - this.#element.offsetTop - box.clientHeight / 2;
    box.scrollTop = middle + span.offsetHeight;
  }
}
