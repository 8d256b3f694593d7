// Watching: what an overlay knows of the newest conversation, and where its sound is now.
// Options stand behind ? or # of the page's address; a token belongs behind #, which no server sees.

import { translate } from "/language.js";
import { PlaybackClock } from "/playback_clock.js";
import { Realtime } from "/realtime.js";

translate();
const query = new URLSearchParams(location.search);
for (const [key, value] of new URLSearchParams(location.hash.slice(1))) query.set(key, value);

export function option(name, usual = "") {
  return query.get(name) ?? usual;
}

export class Watching extends EventTarget {
  constructor(now = () => performance.now()) {
    super();
    this.now = now;
    this.clock = new PlaybackClock();
    this.state = "away"; // away, listening, hearing, thinking; speaking while there is a position
    this.interrupts = false;
    const realtime = new Realtime("/v1/realtime/observe", { token: option("token") });
    realtime.addEventListener("event", ({ detail }) => this.#push(detail));
    realtime.addEventListener("lost", () => this.#lost());
    realtime.connect();
  }

  // What is heard now as {id, ms}, `leadMs` ahead; null in silence.
  position(leadMs = 0) {
    return this.clock.position(this.now() + leadMs);
  }

  #push(event) {
    this.#follow(event);
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
  }

  #follow(event) {
    switch (event.type) {
      case "session.created":
      case "session.updated": {
        const detection = event.session.audio?.input?.turn_detection;
        this.interrupts = Boolean(detection) && detection.interrupt_response !== false;
        if (event.type === "session.created") this.#cut("listening");
        break;
      }
      case "input_audio_buffer.speech_started":
        if (this.interrupts) this.#cut("hearing");
        break;
      case "input_audio_buffer.speech_stopped":
      case "response.created":
        this.state = "thinking";
        break;
      case "response.output_audio.delta":
        this.clock.push(event.item_id, event.duration_ms ?? 0, this.now());
        this.state = "listening"; // once it was heard; until then there is a position
        break;
      case "response.done":
        if (event.response.status === "cancelled") this.#cut("listening");
        break;
      case "conversation.item.truncated":
        this.#cut(this.state === "hearing" ? "hearing" : "listening");
        break;
      case "selftalk.speech.ignored":
        this.state = "listening";
        break;
    }
  }

  #cut(state) {
    this.clock.cut(this.now());
    this.state = state;
    this.dispatchEvent(new CustomEvent("cut"));
  }

  #lost() {
    this.#cut("away");
  }
}

// The badge is there unless the address says `badge=off`; `badge=` may hold another text.
export function showBadge(element) {
  const text = option("badge", element.textContent);
  element.textContent = text;
  element.hidden = text === "off";
}
