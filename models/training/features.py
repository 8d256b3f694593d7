r"""Features: what other networks hear in the rendered speech, stored beside each shard.

    python -m selftalk.models.training.features --data runs/nano/render \
        --speaker ge2e.onnx --follow

Whisper's encoder gives 512 numbers every 20 ms, from which nano's tokens are taught; the
speaker encoder gives one vector per utterance. A shard whose files exist is left alone, so the
command may be stopped and started at any time, and with --follow it waits for the renderers.
Knows nothing about the teacher or about training.
"""

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from selftalk.models.training.corpus import (
    SAMPLE_RATE_HZ,
    SHARD_LINES,
    Corpus,
    Utterance,
    read_manifest,
    shard_path,
    write_arrays,
)
from selftalk.stream.audio import AudioChunk, Float32Array
from selftalk.stream.errors import SelftalkError, WeightsError
from selftalk.stream.log_mel import log_mel
from selftalk.stream.resample import resample
from selftalk.stream.speaker import SpeakerEncoder
from selftalk.stream.weights import resolve

WEIGHTS = "whisper-base"
WHISPER_RATE_HZ = 16_000
FRAME_SAMPLES = 320
WINDOW_FRAMES = 1500
"""The longest sound Whisper can place: 30 s."""
TAIL_FRAMES = 25
"""Silence after each utterance, as Whisper expects it: 0.5 s."""
POLL_SECONDS = 30.0

log = logging.getLogger(__name__)

Frames = npt.NDArray[np.float16]


class WhisperEncoder:
    """The encoder of a Whisper model, on one thread.

    Each utterance is heard alone in a window of its own length: the features of the same sound
    differ much between places in Whisper's 30 s, and alone is how a reference is heard later.
    """

    def __init__(self, folder: Path) -> None:
        """Open a CTranslate2 folder; float32, since these features are targets."""
        import ctranslate2  # only here: an optional package

        if not (folder / "model.bin").is_file():
            raise WeightsError(f"no whisper model ('model.bin') in '{folder}'")
        self._storage: Any = ctranslate2.StorageView
        self._model: Any = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="float32", intra_threads=1
        )

    def encode(self, samples: Float32Array) -> Frames:
        """(T,) 16 kHz samples → (ceil(T / 320), 512) at 50 Hz; what exceeds 30 s is left out."""
        window = listening_window(samples)
        mel = np.ascontiguousarray(log_mel(window)[None])
        encoded = self._model.encode(self._storage.from_array(mel), to_cpu=True)
        heard = -(-len(samples) // FRAME_SAMPLES)
        return np.array(encoded)[0, :heard].astype(np.float16)


def listening_window(samples: Float32Array) -> Float32Array:
    """Pad (T,) samples to whole frames and a tail of silence, or cut them at 30 s."""
    frames = -(-len(samples) // FRAME_SAMPLES) + TAIL_FRAMES
    size = min(frames, WINDOW_FRAMES) * FRAME_SAMPLES
    return np.pad(samples, (0, max(0, size - len(samples))))[:size]


def add_whisper(folder: Path, shard: int, utterances: Sequence[Utterance], encoder: Any) -> None:
    """Write the encoder features of one shard."""
    heard = (resample(u.samples, SAMPLE_RATE_HZ, WHISPER_RATE_HZ) for u in utterances)
    frames = [encoder.encode(samples) for samples in heard]
    write_arrays(
        shard_path(folder, shard, "whisper"),
        frames=np.concatenate(frames),
        lengths=np.array([len(piece) for piece in frames], np.int64),
    )


def add_speakers(folder: Path, shard: int, utterances: Sequence[Utterance], encoder: Any) -> None:
    """Write the speaker embeddings of one shard."""
    chunks = (AudioChunk(u.samples, SAMPLE_RATE_HZ) for u in utterances)
    embeddings = np.stack([encoder.embed(chunk) for chunk in chunks])
    write_arrays(shard_path(folder, shard, "speaker"), embeddings=embeddings)


def add_missing(corpus: Corpus, whisper: Any, speaker: Any) -> int:
    """Compute the features that finished shards still lack; return how many shards lacked any."""
    stages = (("whisper", add_whisper, whisper), ("speaker", add_speakers, speaker))
    changed = 0
    for shard in corpus.shards:
        lacking = [
            (add, encoder)
            for kind, add, encoder in stages
            if not shard_path(corpus.folder, shard, kind).is_file()
        ]
        if not lacking:
            continue
        began = time.monotonic()
        utterances = corpus.shard(shard)
        for add, encoder in lacking:
            add(corpus.folder, shard, utterances, encoder)
        corpus.forget(shard)
        changed += 1
        log.info("shard %d: features in %.1f s", shard, time.monotonic() - began)
    return changed


def follow(corpus: Corpus, whisper: Any, speaker: Any) -> None:
    """Add features until every planned shard is rendered and has them."""
    while True:
        corpus.refresh()
        add_missing(corpus, whisper, speaker)
        if len(corpus.shards) >= len(read_manifest(corpus.folder)) // SHARD_LINES:
            return
        time.sleep(POLL_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="features", description=str(__doc__).splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--whisper", type=Path, help="folder of whisper-base, if not fetched")
    parser.add_argument("--speaker", type=Path, required=True, help="the GE2E graph")
    parser.add_argument("--follow", action="store_true", help="wait for shards being rendered")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        corpus = Corpus(options.data)
        models = (
            WhisperEncoder(options.whisper or resolve(WEIGHTS)),
            SpeakerEncoder(options.speaker),
        )
        if options.follow:
            follow(corpus, *models)
        else:
            add_missing(corpus, *models)
    except SelftalkError as error:
        log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
