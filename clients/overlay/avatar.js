// Avatar: a drawn face whose mouth follows the phonemes, a little ahead of the sound.

import { MouthTimeline, openness, phonesOf, VisemeTable, width } from "/mouth.js";
import { option, showBadge, Watching } from "./watching.js";

const LEAD_MS = Number(option("lead", "40"));
const BLINK_MS = 140;
const [BLINK_EVERY_MS, BLINK_SPREAD_MS] = [2600, 3400];
const CLOSED = [0, 0, 0, 0, 0];
const STILL = matchMedia("(prefers-reduced-motion: reduce)").matches;

const at = (id) => document.getElementById(id);
const watching = new Watching();
const table = new VisemeTable(await (await fetch("/visemes.json")).json());
let timeline = { id: null, mouth: new MouthTimeline(table) };
let blinkAt = performance.now() + BLINK_EVERY_MS;
let look = { x: 0, y: 0, brow: 0 }; // where the eyes look and how high the brows are

watching.addEventListener("event", ({ detail: event }) => {
  if (event.type !== "response.output_audio.delta") return;
  if (event.item_id !== timeline.id) timeline = { id: event.item_id, mouth: new MouthTimeline(table) };
  for (const word of event.words ?? []) timeline.mouth.push(phonesOf(word));
});

function draw() {
  requestAnimationFrame(draw);
  const now = performance.now();
  const position = watching.position(LEAD_MS);
  const speaking = position !== null && position.id === timeline.id;
  const mouth = speaking ? timeline.mouth.at(position.ms) : CLOSED;
  drawMouth(openness(mouth), width(mouth));
  drawEyes(now);
  drawHead(now, openness(mouth), speaking);
  document.documentElement.dataset.openness = openness(mouth).toFixed(3);
  document.documentElement.dataset.state = speaking ? "speaking" : watching.state;
}

// Lips as two curves around an opening; at rest a calm smile.
function drawMouth(open, wide) {
  const half = 17 + 17 * wide;
  const gap = 38 * open;
  const [y, corner] = [272, 272 - 5 * (wide - 0.3)];
  const [top, bottom] = [y - 0.35 * gap, y + gap];
  const [left, right] = [200 - half, 200 + half];
  const edge = 0.62 * half;
  const curve = (upper, lower) =>
    `M${left} ${corner}C${200 - edge} ${upper} ${200 - 0.3 * half} ${upper} 200 ${upper + 1.5}` +
    `C${200 + 0.3 * half} ${upper} ${200 + edge} ${upper} ${right} ${corner}` +
    `C${200 + edge} ${lower} ${200 + 0.4 * half} ${lower + 1} 200 ${lower + 1}` +
    `C${200 - 0.4 * half} ${lower + 1} ${200 - edge} ${lower} ${left} ${corner}Z`;
  at("mouth-lips").setAttribute("d", curve(top - 5, bottom + 7));
  at("mouth-hole").setAttribute("d", curve(top + 1, Math.max(top + 2, bottom)));
  at("teeth").setAttribute("y", String(top - 9));
  at("tongue").setAttribute("cy", String(bottom + 4));
}

function drawEyes(now) {
  if (now > blinkAt + BLINK_MS) blinkAt = now + BLINK_EVERY_MS + Math.random() * BLINK_SPREAD_MS;
  const blink = now > blinkAt ? Math.sin((Math.PI * (now - blinkAt)) / BLINK_MS) : 0;
  const wanted = {
    thinking: { x: 4, y: -6, brow: -4 },
    hearing: { x: 0, y: 1, brow: -6 },
    speaking: { x: 0, y: 0, brow: -1 },
  }[document.documentElement.dataset.state] ?? { x: 0, y: 1, brow: 0 };
  for (const key of Object.keys(look)) look[key] += 0.12 * (wanted[key] - look[key]);
  for (const eye of document.querySelectorAll(".eye")) {
    eye.setAttribute("transform", `translate(0 ${206 * blink * 0.92}) scale(1 ${1 - 0.92 * blink})`);
    eye.querySelector(".iris").setAttribute("transform", `translate(${look.x} ${look.y})`);
  }
  at("lids").setAttribute("transform", `translate(0 ${14 * blink})`);
  at("brows").setAttribute("transform", `translate(0 ${look.brow + 3 * blink})`);
}

function drawHead(now, open, speaking) {
  if (STILL) return;
  const seconds = now / 1000;
  const lively = speaking ? 1 : 0.4;
  const turn = lively * (1.6 * Math.sin(0.9 * seconds) + 0.8 * Math.sin(2.3 * seconds));
  const nod = 2 * Math.sin(1.1 * seconds) - 2.5 * open;
  at("head").setAttribute("transform", `translate(0 ${nod}) rotate(${turn} 200 320)`);
  at("body").setAttribute("transform", `translate(0 ${1.5 * Math.sin(1.1 * seconds - 0.6)})`);
}

showBadge(at("badge"));
draw();
