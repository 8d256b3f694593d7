// Conversation: the events of a session → who said what, who is doing what now, and what to answer.
// Over a WebSocket the client owns playback: on a barge-in it falls silent at once and tells the
// server how much was heard. Knows the protocol and the player, and nothing about the page.

import { samplesOf, toBase64 } from "./pcm.js";
import { SpokenText } from "./spoken_text.js";
import { TurnTimes } from "./turn_times.js";

const FRAME_MS = 20;
const PATIENCE_MS = 15000; // after that, what was said is taken as not answered
const HARMLESS = new Set(["response_cancel_not_active"]);

export class Conversation extends EventTarget {
  constructor(realtime, player, now = () => performance.now()) {
    super();
    this.realtime = realtime;
    this.player = player;
    this.now = now;
    this.times = new TurnTimes();
    this.voice = "";
    this.self = "";
    this.items = new Map(); // id → {id, who, name, spoken, heard}
    this.carried = []; // {who, text}: said in a session before, and told to the next
    this.#forget();
    realtime.addEventListener("event", ({ detail }) => this.#push(detail));
    realtime.addEventListener("lost", ({ detail }) => this.#lost(detail.code));
    player.addEventListener("cleared", ({ detail }) => this.#cleared(detail.items));
    player.addEventListener("began", ({ detail }) => this.#began(detail.id));
  }

  // --- what the page asks -----------------------------------------------------------------------

  get state() {
    if (!this.session) return "connecting";
    if (this.player.speaking) return "speaking";
    if (this.hearing) return "hearing";
    if (this.activeResponse || this.now() < this.waitingUntil) return "thinking";
    return "listening";
  }

  hear(frame) {
    if (!this.session) return;
    this.sentMs += FRAME_MS;
    this.realtime.send({ type: "input_audio_buffer.append", audio: toBase64(frame) });
  }

  write(text) {
    this.stop();
    this.times.begin(this.now());
    this.waitingUntil = this.now() + PATIENCE_MS;
    this.#create({ who: "you", text });
    this.realtime.send({ type: "response.create" });
  }

  // Silence, because the user wants it.
  stop() {
    if (this.activeResponse) this.realtime.send({ type: "response.cancel" });
    this.player.clear();
  }

  choose({ voice = this.voice, self = this.self }) {
    Object.assign(this, { voice, self });
    this.#configure();
  }

  // --- what the server tells ----------------------------------------------------------------------

  #push(event) {
    this.times.push(event, this.now());
    const [kind, ...rest] = event.type.split(".");
    if (kind === "session") this.#session(event);
    else if (kind === "input_audio_buffer") this.#user(rest.join("."), event);
    else if (kind === "conversation") this.#item(rest.slice(1).join("."), event);
    else if (kind === "response") this.#response(rest.join("."), event);
    else if (kind === "selftalk") this.#extra(rest.join("."), event);
    else if (kind === "error") this.#error(event);
    this.#emit("change");
  }

  #session(event) {
    const fresh = event.type === "session.created";
    this.session = event.session;
    if (fresh) {
      const asked = this.realtime.resume !== ""; // then `resumed` tells what the server still has
      this.realtime.resume = event.session.id ?? "";
      this.sentMs = 0;
      this.#carry();
      this.#emit("session");
      this.#configure();
      if (!asked) this.#goOn();
    }
  }

  #configure() {
    if (!this.session) return;
    const audio = { input: { transcription: { model: this.session.model ?? "selftalk" } } };
    if (this.voice) audio.output = { voice: this.voice };
    const session = { type: "realtime", audio };
    if (this.self) session.selftalk = { self: this.self };
    this.realtime.send({ type: "session.update", event_id: "configure", session });
  }

  #create({ who, text }) {
    const [role, type] = who === "you" ? ["user", "input_text"] : ["assistant", "output_text"];
    const item = { type: "message", role, content: [{ type, text }] };
    this.realtime.send({ type: "conversation.item.create", item });
  }

  get #interrupts() {
    const detection = this.session?.audio?.input?.turn_detection;
    return Boolean(detection) && detection.interrupt_response !== false;
  }

  #user(what, event) {
    if (what === "speech_started") {
      this.hearing = true;
      this.waitingUntil = 0;
      if (this.#interrupts) this.player.clear();
    } else if (what === "speech_stopped") {
      this.hearing = false;
      const waited = Math.min(5000, Math.max(1, this.sentMs - event.audio_end_ms));
      this.times.begin(this.now(), waited);
      this.waitingUntil = this.now() + PATIENCE_MS;
    }
  }

  #item(what, event) {
    if (what === "added" || what === "created") this.#added(event.item);
    else if (what === "deleted") this.items.delete(event.item_id);
    else if (what === "truncated") this.#truncated(event);
    else if (what === "input_audio_transcription.delta") {
      this.#itemNamed(event.item_id, "you").spoken.append(event.delta ?? "");
    } else if (what === "input_audio_transcription.completed") {
      this.#itemNamed(event.item_id, "you").spoken.text = event.transcript;
      if (!event.transcript) this.waitingUntil = 0;
    }
  }

  #added(item) {
    if (item.type !== "message") return;
    const known = this.#itemNamed(item.id, item.role === "user" ? "you" : "self");
    const text = (item.content ?? []).map((part) => part.text ?? part.transcript ?? "").join(" ");
    if (text) known.spoken.text = text;
  }

  #truncated(event) {
    const item = this.#itemNamed(event.item_id, "self");
    item.heard = event.transcript ?? item.spoken.heardUntil(event.audio_end_ms);
  }

  // What only selftalk's own server tells.
  #extra(what, event) {
    if (what === "transcript.partial" && event.item_id) {
      this.#itemNamed(event.item_id, "you").spoken.text = event.transcript;
    } else if (what === "speech.ignored") {
      this.waitingUntil = 0;
    } else if (what === "resumed") {
      if (event.items.length) this.carried = [];
      for (const item of event.items) this.#added(item);
      this.#goOn();
    }
  }

  #response(what, event) {
    if (what === "created") {
      this.activeResponse = event.response.id;
      this.waitingUntil = 0;
    } else if (what === "done") {
      this.#responseDone(event.response);
    } else if (what === "output_audio.delta") {
      const { spoken } = this.#itemNamed(event.item_id, "self");
      spoken.addWords(event.words ?? []);
      this.player.play(event.item_id, samplesOf(event.delta));
    } else if (what === "output_audio.done") {
      this.player.finish(event.item_id);
    } else if (what === "output_audio_transcript.delta" || what === "output_text.delta") {
      this.#itemNamed(event.item_id, "self").spoken.append(event.delta);
    }
  }

  #responseDone(response) {
    if (response.id === this.activeResponse) this.activeResponse = null;
    if (response.status === "cancelled") this.player.clear();
    if (response.status !== "failed") return;
    this.#emit("notice", response.status_details?.error?.message ?? "The answer failed.");
  }

  #error({ error }) {
    if (error.event_id === "configure" && error.code === "cannot_update_voice") {
      this.player.clear(); // a voice is chosen before the first sound
      this.#forget();
      this.realtime.reconnect();
    } else if (!HARMLESS.has(error.code)) {
      this.#emit("notice", error.message);
    }
  }

  // A new session goes on where the one before stopped.
  #carry() {
    const all = [...this.items.values()].map(({ who, spoken, heard }) => ({ who, text: heard ?? spoken.text }));
    this.carried.push(...all.filter(({ text }) => text));
    this.items.clear();
  }

  #goOn() {
    for (const item of this.carried.splice(0)) this.#create(item);
  }

  #lost(code) {
    const reasons = { 1013: "The server is full; trying again.", 1012: "The server restarts." };
    this.player.clear();
    this.#forget();
    this.#emit("notice", reasons[code] ?? "The connection is lost; trying again.");
    this.#emit("change");
  }

  // --- what the loudspeaker tells -------------------------------------------------------------------

  #began(id) {
    if (this.times.heard(id, this.now())) this.#emit("change");
  }

  #cleared(items) {
    for (const { id, ms } of items) {
      const item = this.items.get(id);
      if (item) item.heard = item.spoken.heardUntil(ms);
      this.realtime.send({
        type: "conversation.item.truncate",
        item_id: id,
        content_index: 0,
        audio_end_ms: ms,
      });
    }
    this.#emit("change");
  }

  // --- bookkeeping ----------------------------------------------------------------------------------

  #forget() {
    this.session = null;
    this.activeResponse = null;
    this.hearing = false;
    this.waitingUntil = 0;
    this.sentMs = 0;
  }

  #itemNamed(id, who) {
    const name = who === "you" ? "You" : this.self || this.session?.selftalk?.self || "Self";
    if (!this.items.has(id)) this.items.set(id, { id, who, name, spoken: new SpokenText(), heard: null });
    return this.items.get(id);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
