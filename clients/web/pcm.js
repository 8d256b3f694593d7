// PCM16 as the wire has it: little-endian, in base64. Knows nothing about audio devices.

export const WIRE_RATE_HZ = 24000;

export function toBase64(int16) {
  const bytes = new Uint8Array(int16.buffer, int16.byteOffset, int16.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

export function samplesOf(base64) {
  const text = atob(base64);
  const view = new DataView(new ArrayBuffer(text.length));
  for (let at = 0; at < text.length; at += 1) view.setUint8(at, text.charCodeAt(at));
  const samples = new Float32Array(text.length >> 1);
  for (let at = 0; at < samples.length; at += 1) samples[at] = view.getInt16(2 * at, true) / 32768;
  return samples;
}
