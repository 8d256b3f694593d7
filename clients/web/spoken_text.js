// SpokenText: a growing text, and when each of its words is heard.
// Words are found in the text in their order, whatever stands between them; what is not found
// is passed over. Knows nothing about the page.

export class SpokenText {
  constructor() {
    this.text = "";
    this.words = []; // {text, start_ms, end_ms, phones}
  }

  append(text) {
    this.text += text;
  }

  addWords(words) {
    this.words.push(...words);
  }

  // Pieces of the text in order: {text, start, end}, those of a word with what follows it up to
  // the next word; times are null before the first word, and where they are not known.
  pieces() {
    const lower = this.text.toLowerCase();
    const found = [];
    let cursor = 0;
    for (const word of this.words) {
      const at = lower.indexOf(word.text.toLowerCase(), cursor);
      if (at < 0 || word.text === "") continue;
      cursor = at + word.text.length;
      found.push({ at, size: word.text.length, start: word.start_ms, end: word.end_ms });
    }
    const pieces = [];
    if (found.length === 0 || found[0].at > 0) {
      const text = this.text.slice(0, found[0]?.at ?? this.text.length);
      if (text) pieces.push({ text, start: null, end: null });
    }
    found.forEach(({ at, start, end }, place) => {
      const next = found[place + 1]?.at ?? this.text.length;
      pieces.push({ text: this.text.slice(at, next), start, end });
    });
    return splitTail(pieces, found.at(-1)?.size);
  }

  // What was heard up to a moment.
  heardUntil(ms) {
    const pieces = this.pieces();
    if (this.words.length === 0) return this.text;
    const last = pieces.findLastIndex((piece) => piece.start !== null && piece.start < ms);
    return last < 0 ? "" : pieces.slice(0, last + 1).map((piece) => piece.text).join("").trim();
  }
}

// Text behind the last known word, and the marks that follow it, belongs to words whose times have
// not come yet.
function splitTail(pieces, size) {
  const last = pieces.at(-1);
  if (!last || last.start === null) return pieces;
  const marks = last.text.slice(size).match(/^[^\p{L}\p{N}]*/u)[0];
  const [word, rest] = [last.text.slice(0, size) + marks, last.text.slice(size + marks.length)];
  if (!rest) return pieces;
  return [...pieces.slice(0, -1), { ...last, text: word }, { text: rest, start: null, end: null }];
}
