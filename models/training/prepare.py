"""Recordings with their texts → a prepared set for the official stages.

    audio ─▶ level ─▶ 32 kHz wave
                  └─▶ 16 kHz ─▶ HuBERT ─▶ features ─▶ the base model's codebook ─▶ tokens
    text ─▶ front end of its language ─▶ phones ─▶ of Chinese also BERT's features

What cannot be used is left out with a reason, and the rest goes on. Knows nothing about training.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from selftalk.models.sovits import Sovits
from selftalk.models.spectral import kaldi_fbank
from selftalk.models.training.dataset import (
    FORMAT,
    Description,
    Item,
    Line,
    Recorded,
    item_path,
    write_description,
)
from selftalk.stream.errors import SelftalkError, TextError
from selftalk.stream.sound.audio import Float32Array, read_audio, to_int16
from selftalk.stream.sound.resample import resample
from selftalk.stream.text import phonemize
from selftalk.stream.text.phonemes import Phonemes
from selftalk.stream.text.symbols import SYMBOLS_V1, SYMBOLS_V2, symbol_ids

SSL_RATE_HZ = 16_000
LOUDEST_PEAK = 2.2  # of float files; more is no recording but a mistake
TARGET_PEAK = 0.95
SHORTEST_SECONDS, LONGEST_SECONDS = 0.64, 54.0  # a slice for the discriminators is 0.64 s
LEAST_PHONES_PER_SECOND, MOST_PHONES_PER_SECOND = 3.0, 25.0

Encode = Callable[[Tensor], Tensor]
"""A network that is used as it is."""
Read = Callable[[Phonemes], Float32Array | None]
"""Text → features of its phones (N, W), if it has any."""


class LeftOutError(SelftalkError):
    """A recording is of no use, and why."""


@dataclass(frozen=True)
class Preparation:
    """The networks, and what they belong to."""

    version: str
    sovits: Sovits
    hubert: Encode
    """(1, S) at 16 kHz → (1, T, 768) at 50 Hz."""
    speaker: Encode | None = None
    """Kaldi filter banks (1, T, 80) → (1, E), for v2Pro."""
    read: Read | None = None
    """What gives Chinese its features; without it they are zeros in training."""

    def item(self, line: Line, folder: Path) -> Item:
        """Prepare a recording, unless it is there already.

        Raises:
            SelftalkError: it cannot be used.
        """
        audio = read_audio(line.audio)
        phonemes = phonemize(line.text, line.language)
        phones = self._phones(phonemes)
        made_of = [audio.samples.tobytes(), phones.tobytes()]
        featured = self.read is not None and phonemes.characters
        item_id = _hash(self.version, *made_of, *([b"bert"] if featured else []))
        samples = resample(audio.samples, audio.sample_rate_hz, self.sovits.config.sample_rate_hz)
        item = Item(
            item_id, str(line.audio), line.speaker, line.language, line.text,
            len(samples), len(phones),
        )  # fmt: skip
        check_length(item, self.sovits.config.sample_rate_hz)
        path = item_path(folder, item_id)
        if not path.is_file():
            recorded = self._listen(levelled(samples), phones)
            replace(recorded, bert=self._features(phonemes)).save(path)
        return item

    def _phones(self, phonemes: Phonemes) -> np.ndarray:
        table = SYMBOLS_V1 if self.sovits.config.symbols == len(SYMBOLS_V1) else SYMBOLS_V2
        phones = symbol_ids(phonemes.symbols, table)
        if not len(phones):
            raise TextError("its text holds nothing to say")
        return phones

    def _features(self, phonemes: Phonemes) -> npt.NDArray[np.float16] | None:
        rows = self.read(phonemes) if self.read is not None else None
        return None if rows is None else rows.astype(np.float16)

    @torch.no_grad()
    def _listen(self, samples: Float32Array, phones: np.ndarray) -> Recorded:
        # Official preparation feeds HuBERT a thousandfold amplitude but inference does not; the
        # norm after its first layer makes nearly the same of both. We feed what inference feeds.
        heard = resample(samples, self.sovits.config.sample_rate_hz, SSL_RATE_HZ)
        wave = torch.from_numpy(heard)
        ssl = self.hubert(wave[None])
        if not torch.isfinite(ssl).all():
            raise LeftOutError("its speech features are not finite")
        speaker = None
        if self.speaker is not None:
            speaker = self.speaker(kaldi_fbank(wave)[None])[0].numpy()
        return Recorded(
            wave=to_int16(samples),
            ssl=ssl[0].numpy().astype(np.float16),
            tokens=self.sovits.semantic_tokens(ssl)[0].numpy(),
            phones=phones,
            speaker=speaker,
        )


def levelled(samples: Float32Array) -> Float32Array:
    """Half of it raised to the target peak, half as it is: official models learn from this.

    Raises:
        LeftOutError: the recording is silent or far beyond full scale.
    """
    peak = float(np.abs(samples).max())
    if peak == 0:
        raise LeftOutError("it is silent")
    if peak > LOUDEST_PEAK:
        raise LeftOutError(f"its peak is {peak:.1f} times full scale")
    mixed = 0.5 * TARGET_PEAK * samples / peak + 0.5 * samples
    return np.asarray(mixed, np.float32)


def check_length(item: Item, sample_rate_hz: int) -> None:
    """Refuse what is too short, too long, or does not fit its text.

    Raises:
        LeftOutError: it is.
    """
    seconds = item.samples / sample_rate_hz
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise LeftOutError(
            f"it lasts {seconds:.1f} s; {SHORTEST_SECONDS} to {LONGEST_SECONDS} s are used"
        )
    speed = item.phones / seconds
    if not LEAST_PHONES_PER_SECOND <= speed <= MOST_PHONES_PER_SECOND:
        raise LeftOutError(f"{item.phones} phones in {seconds:.1f} s: the text is not what is said")


def prepare(
    lines: Sequence[Line],
    folder: Path,
    preparation: Preparation,
    watch: Callable[[int, int, dict[str, float]], None] | None = None,
) -> Description:
    """Prepare a list of recordings into a folder; run it again to go on."""
    (folder / "items").mkdir(parents=True, exist_ok=True)
    items: dict[str, Item] = {}
    left_out: dict[str, str] = {}
    for index, line in enumerate(lines):
        try:
            item = preparation.item(line, folder)
            items[item.id] = item
        except SelftalkError as error:
            left_out[str(line.audio)] = str(error)
        if watch is not None:
            watch(index + 1, len(lines), {})
    description = Description(
        FORMAT,
        preparation.version,
        preparation.sovits.config.sample_rate_hz,
        tuple(items.values()),
        left_out,
    )
    write_description(folder, description)
    return description


def _hash(version: str, *parts: bytes) -> str:
    digest = hashlib.sha256(version.encode())
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:24]
