// Microphone: the user's voice as frames of PCM16 at 24 kHz, and how loud it is.
// Muted, it sends silence: time goes on for whoever listens.

const WANTED = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
};

export class Microphone {
  #context = null;
  #stream = null;
  #muted = false;
  #onFrame;

  constructor(onFrame) {
    this.#onFrame = onFrame;
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

  async start() {
    if (!navigator.mediaDevices) throw new Error("A microphone needs https, or this machine.");
    const stream = await navigator.mediaDevices.getUserMedia(WANTED);
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

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#context?.close();
    this.#context = null;
    this.#stream = null;
    this.level = null;
  }
}
