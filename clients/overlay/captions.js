// Captions for OBS: at most a few short lines, each word when it is heard.

import { SpokenText } from "/spoken_text.js";
import { option, showBadge, Watching } from "./watching.js";

const LINE_CHARACTERS = Number(option("width", "42"));
const LINES = Number(option("lines", "2"));
const CLEAR_MS = 1800; // after the last word
const SHOW_YOU = option("you") === "on";
const WORD = /[\u2e80-\u9fff]\P{L}*|[^\s\u2e80-\u9fff]+\s*|\s+/gu;
const WIDE = /[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]/u; // as wide as two letters

const lines = document.getElementById("lines");
const you = document.getElementById("you");
const watching = new Watching();
const items = new Map(); // id → SpokenText
let shown = { key: "", words: [] };
let silentSince = 0;

// The pieces of a text, and the words in them whose times are not known yet: these have their places
// already, so that nothing moves when they come.
export function laidOut(pieces) {
  return pieces.flatMap((piece) =>
    piece.start === null ? (piece.text.match(WORD) ?? []).map((text) => ({ ...piece, text })) : [piece],
  );
}

// Words as pages of lines: [[[piece, …], …], …].
export function paged(pieces, lineCharacters, linesPerPage) {
  const rows = [[]];
  let length = 0;
  for (const piece of pieces) {
    const size = [...piece.text].reduce((sum, letter) => sum + (WIDE.test(letter) ? 2 : 1), 0);
    if (length > 0 && length + size > lineCharacters + 1) {
      rows.push([]);
      length = 0;
    }
    rows[rows.length - 1].push(piece);
    length += size;
  }
  const pages = [];
  for (let row = 0; row < rows.length; row += linesPerPage) pages.push(rows.slice(row, row + linesPerPage));
  return pages;
}

function draw() {
  requestAnimationFrame(draw);
  const position = watching.position();
  if (!position || !items.has(position.id)) {
    if (performance.now() - silentSince > CLEAR_MS) lines.classList.add("away");
    return;
  }
  silentSince = performance.now();
  const pages = paged(laidOut(items.get(position.id).pieces()), LINE_CHARACTERS, LINES);
  const begun = ({ start }) => start !== null && start <= position.ms;
  const page = pages.findLast((rows) => rows.flat().some(begun));
  if (page) show(position.ms, page);
}

function show(ms, rows) {
  const key = rows.flat().map(({ text, start }) => `${text}|${start}`).join("|");
  if (shown.key !== key) {
    const words = [];
    lines.replaceChildren(...rows.map((row) => lineElement(row, words)));
    shown = { key, words };
  }
  lines.classList.remove("away");
  let reached = false; // by a word behind it: then also what has no time was heard
  for (const { span, start, end } of [...shown.words].reverse()) {
    const begun = start !== null && ms >= start;
    reached ||= begun;
    span.className = !reached ? "coming" : begun && ms < end ? "now" : "heard";
  }
}

function lineElement(row, words) {
  const line = document.createElement("span");
  line.classList.add("line");
  for (const { text, start, end } of row) {
    const span = document.createElement("span");
    span.textContent = text;
    words.push({ span, start, end });
    line.append(span);
  }
  return line;
}

function spoken(id) {
  if (!items.has(id)) items.set(id, new SpokenText());
  return items.get(id);
}

watching.addEventListener("event", ({ detail: event }) => {
  if (event.type === "session.created") items.clear();
  else if (event.type === "response.output_audio_transcript.delta") spoken(event.item_id).append(event.delta);
  else if (event.type === "response.output_audio.delta") spoken(event.item_id).addWords(event.words ?? []);
  else if (event.type === "conversation.item.input_audio_transcription.completed" && SHOW_YOU) {
    you.textContent = event.transcript;
    you.hidden = event.transcript === "";
  }
});
document.body.dataset.theme = option("theme", "outline");
document.body.dataset.at = option("at", "bottom");
document.body.style.setProperty("--size", option("size", "1"));
if (option("font")) document.body.style.fontFamily = option("font");
showBadge(document.getElementById("badge"));
draw();
