// Captions for OBS: at most a few short lines, each word when it is heard.

import { SpokenText } from "/spoken_text.js";
import { option, showBadge, Watching } from "./watching.js";

const LINE_CHARACTERS = Number(option("width", "42"));
const LINES = Number(option("lines", "2"));
const CLEAR_MS = 1800; // after the last word
const SHOW_YOU = option("you") === "on";
const WIDE = /[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]/u; // as wide as two letters

const lines = document.getElementById("lines");
const you = document.getElementById("you");
const watching = new Watching();
const items = new Map(); // id → SpokenText
let shown = { id: null, page: -1, count: -1, words: [] };
let silentSince = 0;

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
  const timed = items.get(position.id).pieces().filter((piece) => piece.start !== null);
  const pages = paged(timed, LINE_CHARACTERS, LINES);
  const page = pages.findLastIndex((rows) => rows[0][0]?.start <= position.ms);
  if (page >= 0) show(position, page, pages[page], timed.length);
}

function show({ id, ms }, page, rows, count) {
  if (shown.id !== id || shown.page !== page || shown.count !== count) {
    const words = [];
    lines.replaceChildren(...rows.map((row) => lineElement(row, words)));
    shown = { id, page, count, words };
  }
  lines.classList.remove("away");
  for (const { span, start, end } of shown.words) {
    span.className = ms < start ? "coming" : ms < end ? "now" : "heard";
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
