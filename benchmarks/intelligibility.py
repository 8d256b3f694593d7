"""How well speech is understood: error rate of the embedded recogniser on what a voice model says.

    python benchmarks/intelligibility.py [--sentences 20] [--voices mila rowan] [--bundle FOLDER]

The sentences are held out: no training ever sees them. Voices take turns. Prints each sentence
that was misheard, the word error rate with its 95 % interval (bootstrap over sentences), first
audio and real-time factor.
"""

import argparse
import json
import time
from importlib import resources
from pathlib import Path

import numpy as np

from selftalk.stream.audio import concat
from selftalk.stream.bundle import Bundle, default_bundle
from selftalk.stream.recognizer import RecognizerConfig, load_recognizer
from selftalk.stream.synthesizer import SynthesisOptions, Synthesizer
from selftalk.stream.voices import list_voices
from selftalk.stream.wer import ErrorRate, error_rate

HELD_OUT = resources.files("selftalk.configs") / "nano-text" / "heldout_en.txt"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=20)
    parser.add_argument("--voices", nargs="+", help="by default all that are shipped")
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle) if options.bundle else default_bundle()
    synthesizer = Synthesizer(bundle, SynthesisOptions(language="en", seed=options.seed))
    recognizer = load_recognizer(RecognizerConfig(language="en"))
    voices = [
        synthesizer.voice(name) for name in options.voices or list_voices(bundle.voices_folder)
    ]
    synthesizer.warm_up()
    lines = HELD_OUT.read_text("utf-8").splitlines()[: options.sentences]
    rates, firsts, busy, spoken = [], [], 0.0, 0.0
    for index, line in enumerate(lines):
        started, pieces = time.perf_counter(), []
        for chunk in synthesizer.stream(line, voices[index % len(voices)]):
            if not pieces:
                firsts.append(1000 * (time.perf_counter() - started))
            pieces.append(chunk.audio)
        busy += time.perf_counter() - started
        spoken += sum(piece.duration_seconds for piece in pieces)
        heard = recognizer.transcribe(concat(pieces, synthesizer.sample_rate_hz), "en").text
        rates.append(error_rate(line, heard, "en"))
        if rates[-1].errors and not options.json:
            print(f"{voices[index % len(voices)].name}: {line}\n    heard: {heard}")
    report(rates, firsts, busy / spoken, options.json)


def report(rates: list[ErrorRate], firsts: list[float], rtf: float, as_json: bool) -> None:
    """Print the figures."""
    errors = np.array([rate.errors for rate in rates])
    words = np.array([rate.reference_words for rate in rates])
    draws = np.random.default_rng(0).integers(0, len(rates), (1000, len(rates)))
    spread = np.percentile(errors[draws].sum(1) / words[draws].sum(1), [2.5, 97.5])
    result = {
        "sentences": len(rates),
        "words": int(words.sum()),
        "word_error_rate": float(errors.sum() / words.sum()),
        "interval": spread.round(4).tolist(),
        "first_audio_ms": float(np.median(firsts)),
        "rtf": rtf,
    }
    if as_json:
        print(json.dumps(result))
    else:
        low, high = (100 * spread).tolist()
        print(
            f"\n{result['words']} words: error rate {100 * errors.sum() / words.sum():.1f} %"
            f" ({low:.1f} to {high:.1f}); first audio {np.median(firsts):.0f} ms; rtf {rtf:.3f}"
        )


if __name__ == "__main__":
    main()
