"""Precision: what rounding a voice model to 8 bits changes, by the logits and by the sound.

    python benchmarks/precision.py --reference FP32_BUNDLE [--bundle FOLDER] [--sentences 10]

Both models are led through the same tokens, those that the reference draws. Logits: their signal to
noise, and how often the likeliest token is the same. Sound: mean distance of mel spectra in dB, of
the same tokens vocoded by both; and, to know what can be heard at all, the same distance between
two speeches of the reference that differ in nothing but the noise.
"""

from pathlib import Path

import numpy as np
from harness import open_bundle, parser, publish, texts

from selftalk.stream.audio import Float32Array
from selftalk.stream.bundle import Bundle
from selftalk.stream.cli.verify import choose_voice
from selftalk.stream.graph import Graph, zeros
from selftalk.stream.log_mel import mel_filters
from selftalk.stream.nano_synthesizer import NanoSynthesizer, symbols_of
from selftalk.stream.resample import resample
from selftalk.stream.sampling import Sampler
from selftalk.stream.semantic import DEFAULT_SAMPLING, Plan, SemanticDecoder
from selftalk.stream.text import phonemize
from selftalk.stream.timbre import SpeakerSpace
from selftalk.stream.verification import decibels
from selftalk.stream.vocoder import Speaker, Vocoder

MEL_BANDS, HOP, FFT = 40, 160, 400


class Model:
    """The parts of a nano voice."""

    def __init__(self, bundle: Bundle) -> None:
        self.semantic, self.vocoder = SemanticDecoder(bundle), Vocoder(bundle)
        self._step = Graph(bundle.graph_path("t2s_step"))
        self._initial = zeros(bundle.state_shapes("t2s_step"))
        self._start = int(bundle.manifest.numbers["start_token"])

    def logits(self, plan: Plan, tokens: list[int]) -> Float32Array:
        """Of every token, given those before it: (T, V)."""
        said, state, rows = [self._start, *tokens], dict(self._initial), []
        context = plan.context[plan.alignment.token_symbol]
        for index in range(len(tokens)):
            outputs, state = self._step.advance(
                state,
                previous=np.array([[said[index]]], np.int64),
                context=context[None, index : index + 1],
                place=plan.alignment.token_place[None, index : index + 1],
            )
            rows.append(outputs["logits"][0, -1])
        return np.stack(rows)

    def sound(self, plan: Plan, tokens: list[int], speaker: Speaker, seed: int) -> Float32Array:
        """The tokens as sound."""
        stream = self.vocoder.stream(speaker, seed)
        symbols = plan.symbols[plan.alignment.frame_symbol]
        return np.concatenate([stream.push(np.array(tokens, np.int64), symbols), stream.flush()])


def log_mel(samples: Float32Array, sample_rate_hz: int) -> Float32Array:
    """Mel power in dB, 100 frames a second, not below -80 dB of the loudest."""
    samples = resample(samples, sample_rate_hz, 16_000)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FFT)[::HOP] * np.hanning(FFT)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 @ mel_filters(MEL_BANDS).T
    decibel = 10 * np.log10(power + 1e-10)
    return np.maximum(decibel, decibel.max() - 80)


def distance(one: Float32Array, other: Float32Array, sample_rate_hz: int) -> float:
    """Mean difference of two sounds in dB."""
    a, b = log_mel(one, sample_rate_hz), log_mel(other, sample_rate_hz)
    length = min(len(a), len(b))
    return float(np.abs(a[:length] - b[:length]).mean())


def main() -> None:
    """Measure and print."""
    made = parser(__doc__, sentences=10)
    made.add_argument("--reference", type=Path, required=True, help="the same voice in fp32")
    options = made.parse_args()
    bundle, exact = open_bundle(options), Bundle.load(options.reference)
    rounded, reference, rate_hz = Model(bundle), Model(exact), bundle.manifest.sample_rate_hz
    voice = choose_voice(NanoSynthesizer(bundle), options.voice)
    speaker = SpeakerSpace(bundle).speaker(voice, 0.0)
    signal = error = same = tokens_drawn = 0.0
    changed, noise_only = [], []
    for text in texts(bundle, options.sentences):
        symbols = symbols_of(phonemize(text, bundle.manifest.languages[0]))
        plan = reference.semantic.prefill(symbols, speaker.vector)
        tokens = list(reference.semantic.tokens(plan, Sampler(DEFAULT_SAMPLING, 0)))
        wanted, found = reference.logits(plan, tokens), rounded.logits(plan, tokens)
        signal += float(np.sum(np.square(wanted - wanted.mean(axis=1, keepdims=True))))
        error += float(np.sum(np.square(found - wanted)))
        same += float(np.sum(wanted.argmax(axis=1) == found.argmax(axis=1)))
        tokens_drawn += len(tokens)
        sound = reference.sound(plan, tokens, speaker, seed=0)
        changed.append(distance(sound, rounded.sound(plan, tokens, speaker, seed=0), rate_hz))
        again = reference.sound(plan, tokens, speaker, seed=1)
        noise_only.append(distance(sound, again, rate_hz))
    values = {
        "logits_snr_db": round(decibels(signal, error), 1),
        "same_likeliest_token": round(same / tokens_drawn, 3),
        "mel_distance_db": round(float(np.mean(changed)), 2),
        "mel_distance_of_noise_db": round(float(np.mean(noise_only)), 2),
        "precisions": {name: spec.precision for name, spec in bundle.manifest.graphs.items()},
    }
    publish(options, "precision", "a rounded voice model against the same in fp32", values)


if __name__ == "__main__":
    main()
