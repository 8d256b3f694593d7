r"""Features: what other networks hear in the rendered speech, stored beside each shard.

    python -m selftalk.models.training.features --data runs/nano/render \
        --speaker ge2e.onnx --follow

Whisper's encoder gives 512 numbers every 20 ms, from which nano's tokens are taught; the
speaker encoder gives one vector per utterance; a pitch tracker gives the melody as it is heard in a
recording, which is not quite the teacher's own. A shard whose files exist is left alone, so the
command may be stopped and started at any time, and with --follow it waits for the renderers.
Knows nothing about the teacher or about training.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from selftalk.models.training.corpus import (
    SAMPLE_RATE_HZ,
    SHARD_LINES,
    Corpus,
    Utterance,
    read_manifest,
    shard_path,
    write_arrays,
)
from selftalk.models.training.examples import kept_samples
from selftalk.stream.errors import SelftalkError
from selftalk.stream.fetching.weights import resolve
from selftalk.stream.listening.whisper_encoder import SAMPLE_RATE_HZ as WHISPER_RATE_HZ
from selftalk.stream.listening.whisper_encoder import WEIGHTS, WhisperEncoder
from selftalk.stream.nano.speech_prosody import speech_prosody
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.resample import resample
from selftalk.stream.synthesis.speaker import SpeakerEncoder

POLL_SECONDS = 30.0

log = logging.getLogger(__name__)


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


def add_prosody(folder: Path, shard: int, utterances: Sequence[Utterance]) -> None:
    """Write what is heard of the prosody of one shard, as it is heard in a recording."""
    kept = (AudioChunk(u.samples[kept_samples(u)], SAMPLE_RATE_HZ) for u in utterances)
    heard = [speech_prosody(chunk) for chunk in kept]
    write_arrays(
        shard_path(folder, shard, "prosody"),
        frames=np.concatenate([prosody.frames.astype(np.float16) for prosody in heard]),
        lengths=np.array([len(prosody.frames) for prosody in heard], np.int64),
        mean_log_pitch=np.array([prosody.mean_log_pitch for prosody in heard], np.float32),
    )


def add_missing(corpus: Corpus, whisper: Any, speaker: Any) -> int:
    """Compute the features that finished shards still lack; return how many shards lacked any."""
    stages: dict[str, Callable[[Path, int, Sequence[Utterance]], None]] = {
        "whisper": partial(add_whisper, encoder=whisper),
        "speaker": partial(add_speakers, encoder=speaker),
        "prosody": add_prosody,
    }
    changed = 0
    for shard in corpus.shards:
        lacking = [
            add
            for kind, add in stages.items()
            if not shard_path(corpus.folder, shard, kind).is_file()
        ]
        if not lacking:
            continue
        began = time.monotonic()
        utterances = corpus.shard(shard)
        for add in lacking:
            add(corpus.folder, shard, utterances)
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
