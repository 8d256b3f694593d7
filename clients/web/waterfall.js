// Waterfall: the stages of a turn drawn one after another, and said in words for who cannot see them.

import { say } from "./language.js";

export function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function drawTurns(list, times) {
  list.replaceChildren(...times.turns.map((turn, place) => turnElement(turn, times, place === 0)));
}

export function turnElement(turn, times, open) {
  const stages = times.stages(turn);
  const item = document.createElement("li");
  const details = document.createElement("details");
  details.open = open;
  const summary = document.createElement("summary");
  summary.append(textElement("strong", turn.totalMs === null ? "…" : seconds(turn.totalMs)));
  summary.append(bar(stages));
  details.append(summary, table(stages));
  item.append(details);
  return item;
}

export function bar(stages) {
  const element = document.createElement("span");
  element.className = "bar";
  element.setAttribute("aria-hidden", "true");
  for (const { name, colour, ms } of stages) {
    const part = document.createElement("span");
    part.className = `stage-${colour}`;
    part.style.flexGrow = String(Math.max(1, ms));
    part.title = `${say(name)}: ${Math.round(ms)} ms`;
    element.append(part);
  }
  return element;
}

// Each stage on a line of its own, placed where it happened.
export function table(stages) {
  const whole = Math.max(1, stages.reduce((sum, { ms }) => sum + ms, 0));
  const list = document.createElement("dl");
  list.className = "stages";
  for (const { name, colour, startMs, ms } of stages) {
    const track = textElement("dd", "");
    track.className = "track";
    track.setAttribute("aria-hidden", "true");
    const fill = document.createElement("span");
    fill.className = `stage-${colour}`;
    fill.style.marginInlineStart = `${(100 * startMs) / whole}%`;
    fill.style.width = `max(2px, ${(100 * ms) / whole}%)`;
    track.append(fill);
    const stage = document.createElement("div");
    stage.append(textElement("dt", say(name)), track, textElement("dd", `${Math.round(ms)} ms`));
    list.append(stage);
  }
  return list;
}

function textElement(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
