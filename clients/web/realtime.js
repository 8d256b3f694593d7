// Realtime: a WebSocket of events that comes back by itself.
// Knows how to be let in and how long to wait, and nothing about what the events mean.

const SHORTEST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const KEY_PROTOCOL = "openai-insecure-api-key.";

export class Realtime extends EventTarget {
  #socket = null;
  #wait = SHORTEST_WAIT_MS;
  #timer = 0;
  #closed = false;

  constructor(path, { token = "" } = {}) {
    super();
    this.path = path;
    this.token = token;
    this.resume = ""; // the id of a session to be taken up again after a loss
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    this.#closed = false;
    clearTimeout(this.#timer);
    const url = new URL(this.path, location.href);
    if (this.resume) url.searchParams.set("resume", this.resume);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const protocols = this.token ? ["realtime", KEY_PROTOCOL + this.token] : ["realtime"];
    const socket = new WebSocket(url, protocols);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => socket === this.#socket && this.#lost(code);
  }

  send(event) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  // Begin a new session.
  reconnect() {
    const old = this.#socket;
    this.#socket = null;
    this.resume = "";
    old?.close();
    this.connect();
  }

  #receive(data) {
    const event = JSON.parse(data);
    if (event.type !== "error") this.#wait = SHORTEST_WAIT_MS;
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
  }

  #lost(code) {
    this.dispatchEvent(new CustomEvent("lost", { detail: { code } }));
    if (this.#closed) return;
    const jitter = 0.75 + Math.random() / 2;
    this.#timer = setTimeout(() => this.connect(), this.#wait * jitter);
    this.#wait = Math.min(LONGEST_WAIT_MS, 2 * this.#wait);
  }
}
