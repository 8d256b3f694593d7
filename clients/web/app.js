// The page: buttons and keys on one side, the conversation on the other, drawn 60 times a second.

import { Caption } from "./caption.js";
import { Conversation } from "./conversation.js";
import { makeFold } from "./fold.js";
import { makeLanguageLink, say, translate } from "./language.js";
import { Microphone } from "./microphone.js";
import { Player } from "./player.js";
import { Realtime } from "./realtime.js";
import { makeTabs } from "./tabs.js";
import { makeThemeButton } from "./theme.js";
import { Transcript } from "./transcript.js";
import { drawTurns, seconds } from "./waterfall.js";
import { Waves } from "./waves.js";

const STATES = {
  connecting: "Connecting",
  hearing: "Listening",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
};
const TOKEN_KEY = "selftalk-token";
const QUERY_KEYS = ["model", "voice"]; // of the page's address, given on to the server

const at = (id) => document.getElementById(id);
const player = new Player();
const realtime = new Realtime(realtimePath(), { token: stored(TOKEN_KEY) });
const conversation = new Conversation(realtime, player);
const microphone = new Microphone((frame) => conversation.hear(frame), onMicrophoneGone);
const transcript = new Transcript(at("transcript"));
const captions = { you: new Caption(at("you-caption")), self: new Caption(at("self-caption")) };
const waves = new Waves(at("waves"), () => [microphone.muted ? null : microphone.level, player.level]);
let shown = { you: null, self: null }; // items in the captions
let changed = true; // since the last frame: many events are drawn once
let turnsDrawn = "";

function realtimePath() {
  const page = new URLSearchParams(location.search);
  const query = new URLSearchParams(QUERY_KEYS.filter((key) => page.has(key)).map((key) => [key, page.get(key)]));
  query.set("selftalk", "1"); // the events that only this server has
  return `/v1/realtime?${query}`;
}

function stored(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return ""; // a browser that keeps nothing
  }
}

// --- drawing --------------------------------------------------------------------------------------

function draw() {
  requestAnimationFrame(draw);
  waves.draw();
  drawState();
  if (changed) drawItems();
  const position = player.position;
  if (position) {
    showCaption("self", conversation.items.get(position.id));
    if (shown.self?.id === position.id) captions.self.update(position.ms);
  } else if (!player.speaking) {
    captions.self.update(Infinity);
  }
}

function drawState() {
  const state = conversation.state;
  const root = document.documentElement;
  const idle = state === "listening" && (!microphone.on || microphone.muted);
  if (root.dataset.state !== (idle ? "ready" : state)) {
    root.dataset.state = idle ? "ready" : state;
    at("state-text").textContent = say(idle ? "Ready" : STATES[state]);
    at("stop").disabled = state !== "speaking" && state !== "thinking";
  }
}

function showCaption(side, item) {
  if (!item || shown[side] === item) return;
  shown[side] = item;
  captions[side].show(item.spoken);
}

function drawItems() {
  changed = false;
  for (const { id, who, name, spoken, heard } of conversation.items.values()) {
    const text = (heard ?? spoken.text).trim();
    const cut = heard !== null;
    const note = cut ? say("interrupted") : "";
    transcript.set(id, { who, name: say(name), text: cut && !text ? "…" : text, note });
  }
  at("welcome").hidden ||= conversation.items.size > 0 || microphone.on;
  drawYou();
  drawSelf();
  drawTiming();
}

function drawTiming() {
  const { times } = conversation;
  const key = times.turns.map((turn) => `${turn.marks.length} ${turn.totalMs} ${!turn.server}`).join();
  if (key === turnsDrawn) return;
  turnsDrawn = key;
  drawTurns(at("turns"), times);
  const median = times.medianMs();
  at("median").firstElementChild.textContent = median === null ? "–" : seconds(median);
}

function onChange() {
  changed = true;
}

// Yours has no times: it is there as soon as it is understood, and the last answer goes.
function drawYou() {
  const item = [...conversation.items.values()].findLast((one) => one.who === "you");
  captions.you.setText(item?.spoken.text ?? "");
  if (item === shown.you) return;
  shown = { you: item, self: null };
  captions.self.clear();
}

// Of an interrupted answer stays what was heard.
function drawSelf() {
  const item = shown.self;
  if (item?.heard === null || !item) return;
  captions.self.setText(item.heard ? `${item.heard} —` : "");
}

function notify(text) {
  at("notice").textContent = say(text);
  at("notice").hidden = text === "";
}

// --- asking ---------------------------------------------------------------------------------------

async function toggleMicrophone() {
  if (microphone.on) {
    microphone.muted = !microphone.muted;
  } else {
    try {
      await Promise.all([microphone.start(), player.start()]);
    } catch (error) {
      return notify(`${say("No microphone:")} ${say(error.message)}`);
    }
    notify(microphone.cancelsEcho ? "" : "This browser does not cancel echo: please use headphones.");
  }
  drawMicrophone();
}

function drawMicrophone() {
  const live = microphone.on && !microphone.muted;
  at("microphone").setAttribute("aria-pressed", String(live));
  document.documentElement.dataset.microphone = live ? "live" : microphone.on ? "muted" : "off";
  onChange();
}

function onMicrophoneGone() {
  drawMicrophone();
  notify("The microphone is gone; press its button to look for another.");
}

async function write(event) {
  event.preventDefault();
  const text = at("text").value.trim();
  if (!text) return;
  if (!realtime.open) return notify("Not connected yet; one moment.");
  at("text").value = "";
  await player.start();
  conversation.write(text);
}

function onKey(event) {
  if (event.key === "Escape" && !at("token-dialog").open) return conversation.stop();
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  if (event.target.closest("input, select, dialog")) return undefined;
  if (event.key === " " && !event.target.closest("button, summary, a")) {
    event.preventDefault();
    return toggleMicrophone();
  }
  if (event.key === "/") {
    event.preventDefault();
    at("text").focus();
  }
  return undefined;
}

// --- choices of voice and self --------------------------------------------------------------------

function fill(select, names, chosen) {
  const options = names.map(({ id, name }) => new Option(name, id, false, id === chosen));
  select.replaceChildren(...options);
  select.parentElement.hidden = names.length < 2;
}

function onSession() {
  transcript.clear();
  const offered = conversation.session.selftalk;
  const selves = (offered?.selves ?? []).map((one) => (typeof one === "string" ? { id: one, name: one } : one));
  fill(at("self"), selves, conversation.self || offered?.self);
  const voice = conversation.session.audio?.output?.voice;
  if (!conversation.voice && voice) at("voice").value = voice.id ?? voice;
}

async function loadVoices() {
  const headers = realtime.token ? { Authorization: `Bearer ${realtime.token}` } : {};
  const answer = await fetch("/v1/audio/voices", { headers });
  if (answer.status === 401) return false;
  if (answer.ok) {
    const told = await answer.json();
    const voices = (told.data ?? told.voices ?? []).map((one) =>
      typeof one === "string" ? { id: one, name: one } : { id: one.id ?? one.name, name: one.name ?? one.id },
    );
    const current = conversation.session?.audio?.output?.voice;
    fill(at("voice"), voices, conversation.voice || (current?.id ?? current));
  }
  return true;
}

function askForToken() {
  const dialog = at("token-dialog");
  dialog.showModal();
  dialog.onclose = () => {
    realtime.token = at("token").value;
    try {
      sessionStorage.setItem(TOKEN_KEY, realtime.token);
    } catch {
      // kept for this page alone
    }
    begin();
  };
}

async function begin() {
  try {
    if (!(await loadVoices())) return askForToken();
  } catch {
    notify("The server does not answer; trying again.");
  }
  return realtime.connect();
}

conversation.addEventListener("change", onChange);
conversation.addEventListener("session", () => {
  notify("");
  onSession();
});
conversation.addEventListener("notice", ({ detail }) => notify(detail));
player.addEventListener("ended", onChange);
at("microphone").addEventListener("click", toggleMicrophone);
at("composer").addEventListener("submit", write);
at("stop").addEventListener("click", () => conversation.stop());
at("voice").addEventListener("change", ({ target }) => conversation.choose({ voice: target.value }));
at("self").addEventListener("change", ({ target }) => conversation.choose({ self: target.value }));
document.addEventListener("keydown", onKey);
translate();
makeLanguageLink(at("language"));
makeFold(at("fold"));
makeTabs(document.querySelector('[role="tablist"]'));
makeThemeButton(at("theme"));
draw();
begin();
