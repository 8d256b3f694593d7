// Latency for OBS: where the time of the last turn went, and the median of all.

import { say } from "/language.js";
import { TurnTimes } from "/turn_times.js";
import { seconds, table } from "/waterfall.js";
import { showBadge, Watching } from "./watching.js";

const at = (id) => document.getElementById(id);
const watching = new Watching();
const times = new TurnTimes();
let heardId = null;

watching.addEventListener("event", ({ detail: event }) => {
  const now = watching.now();
  if (event.type === "input_audio_buffer.speech_stopped") times.begin(now);
  times.push(event, now);
  show();
});

function follow() {
  requestAnimationFrame(follow);
  const position = watching.position();
  if (!position || position.id === heardId) return;
  heardId = position.id;
  if (times.heard(position.id, watching.now())) show();
}

// The server's own measure where it told one: only it knows when your last sound was.
function show() {
  const turn = times.turns.find((one) => one.totalMs !== null);
  if (!turn) return;
  const stages = times.stages(turn);
  at("card").classList.remove("away");
  at("whole").textContent = seconds(stages.reduce((sum, { ms }) => sum + ms, 0));
  const told = times.turns.filter((one) => one.totalMs !== null).length;
  at("median").textContent = told > 1 ? `${say("median")} (${told}): ${seconds(times.medianMs())}` : say("to the first sound");
  at("stages").replaceChildren(table(stages));
}

showBadge(at("badge"));
follow();
