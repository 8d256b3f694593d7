// Microphone: the user's voice as frames of PCM16 at 24 kHz, and how loud it is.
// Muted, it sends silence: time goes on for whoever listens.

const WANTED = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
};

const REASONS = {
  NotAllowedError: "this browser does not allow it here. Allow it beside the address, or write.",
  NotFoundError: "this machine has none that the browser knows. You can write.",
  NotReadableError: "another program holds it. Close that, or write.",
};

export class Microphone {
  #context = null;
  #stream = null;
  #muted = false;
  #onFrame;
  #onGone;

  // `onGone` is called when it is unplugged, or taken away.
  constructor(onFrame, onGone) {
    this.#onFrame = onFrame;
    this.#onGone = onGone;
    this.level = null; // an AnalyserNode once it is on
  }

  get on() {
    return this.#stream !== null;
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    for (const track of this.#stream?.getTracks() ?? []) track.enabled = !muted;
  }

  // Whether the browser takes the loudspeaker's sound out of the microphone's.
  get cancelsEcho() {
    return this.#stream?.getAudioTracks()[0]?.getSettings().echoCancellation === true;
  }

  // Throws an error whose message is for the user.
  async start() {
    if (!navigator.mediaDevices) throw new Error("it needs https, or the server's own machine. You can write.");
    const stream = await navigator.mediaDevices.getUserMedia(WANTED).catch((error) => {
      throw new Error(REASONS[error.name] ?? error.message);
    });
    stream.getAudioTracks()[0].addEventListener("ended", () => this.#gone());
    const context = new AudioContext({ latencyHint: "interactive" });
    await context.audioWorklet.addModule(new URL("./microphone_worklet.js", import.meta.url));
    const frames = new AudioWorkletNode(context, "microphone", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    frames.port.onmessage = ({ data }) => this.#onFrame(data);
    this.level = new AnalyserNode(context, { fftSize: 1024 });
    context.createMediaStreamSource(stream).connect(this.level).connect(frames);
    await context.resume();
    this.#context = context;
    this.#stream = stream;
    this.#muted = false;
  }

  #gone() {
    this.stop();
    this.#onGone();
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#context?.close();
    this.#context = null;
    this.#stream = null;
    this.level = null;
  }
}
