"""selftalk: onnxruntime, a bundle made of the same checkpoint.

`python ours.py FOLDER --convert` makes the bundle, which needs torch; speaking needs none.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import workload

from selftalk.stream.graphs.graph import RunOptions
from selftalk.stream.sovits.semantic import DEFAULT_SAMPLING, SemanticDecoder
from selftalk.stream.sovits.synthesizer import FIRST_TOKENS, usual_machine
from selftalk.stream.sovits.vocoder import SovitsVocoder
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.chunks import windows_of
from selftalk.stream.synthesis.sampling import Sampler
from selftalk.stream.synthesis.schedule import Schedule, solve

PRECISION = os.environ.get("SELFTALK_PRECISION", "int8")


def load(folder: Path, threads: int) -> workload.Speak:
    """Both stages, and a style of the reference as a voice file would bring it."""
    bundle, run = Bundle.load(bundle_folder(folder)), RunOptions(threads)
    decoder, vocoder = SemanticDecoder(bundle, run), SovitsVocoder(bundle, run)
    width = int(bundle.manifest.numbers["style_width"])
    style = np.random.default_rng(0).standard_normal(width).astype(np.float32)
    schedule = solve(usual_machine(vocoder), FIRST_TOKENS)
    return lambda: speak(decoder, vocoder, style, schedule)


def speak(
    decoder: SemanticDecoder, vocoder: SovitsVocoder, style: np.ndarray, schedule: Schedule
) -> Iterator[int]:
    """One utterance."""
    text = workload.text_phones[0]
    phones = np.concatenate([workload.reference_phones[0], text])
    utterance = decoder.prefill(phones, workload.reference_tokens[0])
    stream = vocoder.stream(text, style)
    tokens = decoder.tokens(utterance, Sampler(DEFAULT_SAMPLING, 0), workload.TOKENS)
    for window in windows_of(tokens, schedule.begin()):
        more = stream.push if window.left is None else stream.flush
        yield len(more(np.array(window.tokens, np.int64), window.spoken_tokens))


def bundle_folder(folder: Path) -> Path:
    """Where the bundle of the random voice is."""
    return folder / f"selftalk-{PRECISION}"


def convert(folder: Path) -> None:
    """Import the checkpoint as a user would, and export it."""
    from selftalk.export.sovits import export_voice
    from selftalk.export.voice_model import import_voice_model

    s1, s2 = workload.checkpoint_paths(folder)
    imported = import_voice_model(s1, s2, "random", folder / "imported", replace=True)
    export_voice(imported, bundle_folder(folder), precision=PRECISION)


if __name__ == "__main__":
    if "--convert" in sys.argv:
        convert(Path(sys.argv[1]))
    else:
        workload.main(load)
