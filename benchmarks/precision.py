"""Precision: what rounding a voice model to 8 bits changes, by the logits, the sound and the ear.

    python benchmarks/precision.py [--reference FP32_BUNDLE] [--bundle FOLDER] [--sentences 10]
                                   [--spoken 30]

Without a reference the kept weights are exported in fp32, which needs `selftalk[export]`; a bundle
must be made of the same weights to be compared with it. Of the vocoder only 8 bits are kept.

Both models are led through the same tokens, those that the reference draws. Logits: their signal to
noise, and how often the likeliest token is the same. Sound: mean distance of mel spectra in dB, of
the same tokens vocoded by both; and, to know what can be heard at all, the same distance between
two speeches of the reference that differ in nothing but the noise.

With `--spoken` both then speak so many held-out sentences for themselves, and the reference does so
again with another seed: word error rates, how like the voice the speech is, and how far both
move, as against how far they move by chance. Differences are paired by sentence; 95 % intervals.
"""

import argparse
import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from harness import open_bundle, parser, publish, texts

from selftalk.stream.cli.verify import choose_voice
from selftalk.stream.evaluation.held_out import Sentence, held_out
from selftalk.stream.evaluation.measures import Result
from selftalk.stream.evaluation.measures import measure as measure_spoken
from selftalk.stream.evaluation.report import bootstrap
from selftalk.stream.evaluation.systems import BundleSystem
from selftalk.stream.graphs.graph import Graph, zeros
from selftalk.stream.listening.log_mel import mel_filters
from selftalk.stream.listening.recognizer import RecognizerConfig, load_recognizer
from selftalk.stream.nano.alignment import frame_text
from selftalk.stream.nano.semantic import DEFAULT_SAMPLING, Plan, SemanticDecoder
from selftalk.stream.nano.synthesizer import NanoSynthesizer, symbols_of
from selftalk.stream.nano.timbre import SpeakerSpace
from selftalk.stream.nano.vocoder import Speaker, Vocoder
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.sound.resample import resample
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.sampling import Sampler
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.synthesis.verification import decibels
from selftalk.stream.synthesis.voices import Voice, find_voice
from selftalk.stream.text import phonemize

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
        text = frame_text(plan.symbols, plan.alignment)
        return np.concatenate([stream.push(np.array(tokens, np.int64), text), stream.flush()])


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


@contextlib.contextmanager
def fp32_bundle(folder: Path | None, like: Bundle) -> Iterator[Bundle]:
    """The reference: a folder, or the weights that are kept here, rounded as they are, in fp32."""
    if folder is not None:
        yield Bundle.load(folder)
        return
    from selftalk.export.nano import export_nano, load_modules

    weights = Path(str(resources.files("selftalk.models"))) / "pretrained"
    vocoder = like.graph_path("vocoder")  # the weights of what speaks are kept in its graphs only
    with tempfile.TemporaryDirectory() as temporary:
        exact = Path(temporary) / "fp32"
        speaker = {"speaker": like.graph_path("speaker")}
        timbres = weights / "nano-timbre.safetensors"
        export_nano(
            load_modules(vocoder.parent, vocoder, timbres=timbres), exact, precision="fp32",
            extra_graphs=speaker, voices=like.voices_folder, languages=like.manifest.languages,
        )  # fmt: skip
        yield Bundle.load(exact)


def led_alike(bundle: Bundle, exact: Bundle, options: argparse.Namespace) -> dict[str, object]:
    """How logits and sound differ while both say the same tokens."""
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
    return {
        "logits_snr_db": round(decibels(signal, error), 1),
        "same_likeliest_token": round(same / tokens_drawn, 3),
        "mel_distance_db": round(float(np.mean(changed)), 2),
        "mel_distance_of_noise_db": round(float(np.mean(noise_only)), 2),
    }


def spoken_alone(bundle: Bundle, exact: Bundle, options: argparse.Namespace) -> dict[str, object]:
    """How errors and likeness differ when each speaks for itself."""
    sentences = held_out("en", options.spoken)
    voices = [options.voice] if options.voice else None
    listener = Listener(bundle)
    systems = {
        "rounded": BundleSystem(bundle, voices),
        "fp32": BundleSystem(exact, voices),
        "fp32, another seed": BundleSystem(exact, voices, seed=1),
    }
    heard = {name: listener.hear(system, sentences) for name, system in systems.items()}
    exactly = heard.pop("fp32")
    return {
        "words": int(exactly.words.sum()),
        "word_error_rate": {
            name: round(float(one.errors.sum() / one.words.sum()), 4)
            for name, one in {"fp32": exactly, **heard}.items()
        },
        "word_error_rate_less_that_of_fp32": {
            name: rounded_interval(one.errors - exactly.errors, one.words)
            for name, one in heard.items()
        },
        "similarity_to_voice": {
            name: round(float(one.likeness.mean()), 4)
            for name, one in {"fp32": exactly, **heard}.items()
        },
        "similarity_less_that_of_fp32": {
            name: rounded_interval(one.likeness - exactly.likeness, np.ones(len(sentences)))
            for name, one in heard.items()
        },
    }


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of N sentences: (N,) each."""

    errors: np.ndarray
    words: np.ndarray
    likeness: np.ndarray
    """Cosine of the speech and the voice that it is meant to be."""


class Listener:
    """Writes down what is said, and tells who says it."""

    def __init__(self, bundle: Bundle) -> None:
        self._recognizer = load_recognizer(RecognizerConfig(language="en"))
        self._embed = SpeakerEncoder(bundle.graph_path("speaker")).embed
        self._voices = bundle.voices_folder

    def hear(self, system: BundleSystem, sentences: Sequence[Sentence]) -> Heard:
        """Let a model say the sentences."""
        results = list(measure_spoken(system, sentences, self._recognizer))
        return Heard(
            np.array([one.errors.errors for one in results], float),
            np.array([one.errors.reference_words for one in results], float),
            np.array([self._likeness(one) for one in results]),
        )

    def _likeness(self, result: Result) -> float:
        voice: Voice = find_voice(result.voice, self._voices)
        return float(self._embed(result.spoken.audio) @ voice.speaker)


def rounded_interval(differences: np.ndarray, weights: np.ndarray) -> list[float]:
    """A mean of differences (N,) by weights, and its 95 % interval."""
    mean = float(differences.sum() / weights.sum())
    return [round(value, 4) for value in (mean, *bootstrap(differences, weights))]


def main() -> None:
    """Measure and print."""
    made = parser(__doc__, sentences=10)
    made.add_argument("--reference", type=Path, help="the same voice model in fp32")
    made.add_argument("--spoken", type=int, default=0, help="sentences to be heard and judged")
    options = made.parse_args()
    bundle = open_bundle(options)
    with fp32_bundle(options.reference, bundle) as exact:
        values = led_alike(bundle, exact, options)
        if options.spoken:
            values |= spoken_alone(bundle, exact, options)
    values["precisions"] = {name: spec.precision for name, spec in bundle.manifest.graphs.items()}
    publish(options, "precision", "a rounded voice model against the same in fp32", values)


if __name__ == "__main__":
    main()
