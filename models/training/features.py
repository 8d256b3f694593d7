r"""Features: what other networks hear in the rendered speech, stored beside each shard.

    python -m selftalk.models.training.features --data runs/nano/render \
        --whisper FOLDER --speaker ge2e.onnx --follow

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
from dataclasses import dataclass
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

WHISPER_RATE_HZ = 16_000
FRAME_SAMPLES = 320
WINDOW_FRAMES = 1500
"""Whisper always hears 30 s, so short utterances share a window."""
GAP_FRAMES = 10
"""Silence between them: 0.2 s."""
POLL_SECONDS = 30.0

log = logging.getLogger(__name__)

Frames = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an utterance lies: which window, and its first frame there."""

    window: int
    first_frame: int


def pack(frame_counts: Sequence[int]) -> list[Place]:
    """Lay utterances one after another into windows of 30 s, a little silence between them.

    Args:
        frame_counts: the length of each in frames of 20 ms; one longer than a window gets a
            window of its own and is heard up to the end of that window.
    """
    places = []
    window, filled = 0, 0
    for count in frame_counts:
        if filled and filled + count > WINDOW_FRAMES:
            window, filled = window + 1, 0
        places.append(Place(window, filled))
        filled += count + GAP_FRAMES
    return places


class WhisperEncoder:
    """The encoder of a Whisper model, on one thread."""

    def __init__(self, folder: Path) -> None:
        """Open a CTranslate2 folder; float32, since these features are targets."""
        import ctranslate2  # only here: an optional package

        if not (folder / "model.bin").is_file():
            raise WeightsError(f"no whisper model ('model.bin') in '{folder}'")
        self._model: Any = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="float32", intra_threads=1
        )
        self._as_input = ctranslate2.StorageView.from_array

    def encode(self, samples: Float32Array) -> Float32Array:
        """(T,) 16 kHz samples of at most 30 s → (1500, 512) features at 50 Hz."""
        whole = np.zeros(WINDOW_FRAMES * FRAME_SAMPLES, np.float32)
        whole[: len(samples)] = samples[: len(whole)]
        mel = np.ascontiguousarray(log_mel(whole)[None])  # (1, 80, 3000)
        encoded = np.asarray(self._model.encode(self._as_input(mel)), np.float32)
        return encoded.reshape(WINDOW_FRAMES, -1)


def whisper_frames(encoder: WhisperEncoder, utterances: Sequence[Float32Array]) -> list[Frames]:
    """Encode utterances of 16 kHz samples: (T,) each → (ceil(T / 320), W) each."""
    counts = [min(-(-len(samples) // FRAME_SAMPLES), WINDOW_FRAMES) for samples in utterances]
    places = pack(counts)
    encoded: dict[int, Float32Array] = {}
    frames = []
    for place, count in zip(places, counts, strict=True):
        if place.window not in encoded:
            encoded = {place.window: encoder.encode(_window(place.window, places, utterances))}
        piece = encoded[place.window][place.first_frame : place.first_frame + count]
        frames.append(piece.astype(np.float16))
    return frames


def _window(
    window: int, places: Sequence[Place], utterances: Sequence[Float32Array]
) -> Float32Array:
    samples = np.zeros(WINDOW_FRAMES * FRAME_SAMPLES, np.float32)
    for place, utterance in zip(places, utterances, strict=True):
        if place.window == window:
            first = place.first_frame * FRAME_SAMPLES
            heard = utterance[: len(samples) - first]
            samples[first : first + len(heard)] = heard
    return samples


def add_whisper(folder: Path, shard: int, utterances: Sequence[Utterance], encoder: Any) -> None:
    """Write the encoder features of one shard."""
    heard = [resample(u.samples, SAMPLE_RATE_HZ, WHISPER_RATE_HZ) for u in utterances]
    frames = whisper_frames(encoder, heard)
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
    parser.add_argument("--whisper", type=Path, required=True, help="folder of whisper-base")
    parser.add_argument("--speaker", type=Path, required=True, help="the GE2E graph")
    parser.add_argument("--follow", action="store_true", help="wait for shards being rendered")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        corpus = Corpus(options.data)
        models = WhisperEncoder(options.whisper), SpeakerEncoder(options.speaker)
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
