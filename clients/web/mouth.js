// MouthTimeline: phonemes and their times → the mouth at any moment, [a, i, u, e, o].
// An average over a window, in which firm visemes outweigh loose ones: lips must meet in a "p".

const WINDOW_MS = 70;
const REST_FIRMNESS = 0.6;
const VOWELS = { a: "a", e: "e", i: "i", o: "o", u: "u", y: "i" };

export class VisemeTable {
  constructor(table) {
    this.table = table;
  }

  // The shapes of a symbol, one after another: [a, i, u, e, o, firmness].
  visemes(symbol) {
    const names = (this.#names(symbol) ?? "").split(" ").filter(Boolean);
    return names.map((name) => this.table.shapes[name]);
  }

  #names(symbol) {
    const { plain, toned } = this.table;
    if (symbol in plain) return plain[symbol];
    const hasTone = /[0-6]$/u.test(symbol);
    const base = hasTone ? symbol.slice(0, -1) : symbol;
    if (hasTone && base in toned) return toned[base];
    return base.startsWith("Y") ? this.#cantonese(base.slice(1)) : null;
  }

  #cantonese(part) {
    const { initials, vowels, endings } = this.table.cantonese;
    if (part in initials) return initials[part];
    for (const length of [2, 1, 0]) {
      const [vowel, ending] = [part.slice(0, length), part.slice(length)];
      if ((vowel in vowels || !vowel) && ending in endings) {
        return `${vowels[vowel] ?? ""} ${endings[ending]}`;
      }
    }
    return null;
  }
}

export class MouthTimeline {
  constructor(table) {
    this.table = table;
    this.spans = []; // {start, end, shape}
  }

  // Phones that follow those before: [symbol, start_ms, end_ms].
  push(phones) {
    for (const [symbol, start, end] of phones) {
      const shapes = this.table.visemes(symbol);
      const last = this.spans[this.spans.length - 1];
      if (shapes.length === 0 && last && last.end === start) last.end = end;
      const share = (end - start) / Math.max(1, shapes.length);
      shapes.forEach((shape, place) => {
        this.spans.push({ start: start + place * share, end: start + (place + 1) * share, shape });
      });
    }
  }

  at(ms) {
    const [begin, end] = [ms - WINDOW_MS / 2, ms + WINDOW_MS / 2];
    const sums = [0, 0, 0, 0, 0];
    let covered = 0;
    let weights = 0;
    for (const span of this.spans) {
      if (span.end <= begin) continue;
      if (span.start >= end) break;
      const overlap = Math.min(end, span.end) - Math.max(begin, span.start);
      const weight = overlap * span.shape[5];
      covered += overlap;
      weights += weight;
      sums.forEach((sum, place) => { sums[place] = sum + weight * span.shape[place]; });
    }
    weights += Math.max(0, WINDOW_MS - covered) * REST_FIRMNESS;
    return sums.map((sum) => sum / weights);
  }
}

// Phones of a word on the wire, guessed from its letters where they are not told.
export function phonesOf(word) {
  if (word.phones?.length) return word.phones;
  const found = [...word.text.toLowerCase()].filter((letter) => letter in VOWELS);
  const vowels = found.length ? found.map((letter) => VOWELS[letter]) : ["a"];
  const share = (word.end_ms - word.start_ms) / vowels.length;
  return vowels.flatMap((vowel, place) => {
    const begin = word.start_ms + place * share;
    const middle = begin + 0.3 * share;
    return [["t", begin, middle], [vowel, middle, begin + share]];
  });
}

// How far the jaw is open, and how wide the lips are: 0.5 at rest.
export function openness([a, i, u, e, o]) {
  return Math.min(1, a + 0.35 * i + 0.3 * u + 0.55 * e + 0.7 * o);
}

export function width([, i, u, e, o]) {
  return Math.min(1, Math.max(0, 0.5 + 0.5 * (i + 0.6 * e) - 0.5 * (u + 0.7 * o)));
}
