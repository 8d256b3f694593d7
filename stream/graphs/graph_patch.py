"""GraphPatch: what a personal graph has other than the graph of the bundle, as bytes.

A voice that was learnt changes some weights and nothing else of a graph, so the two files differ in
a few stretches. Only these are kept. The base has to be the very file that the patch was made of,
and the result is checked. Knows nothing about graphs.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from selftalk.stream.errors import VoiceError
from selftalk.stream.sound.audio import write_atomically

FORMAT = 1
SUFFIX = ".patch"
Stretch = npt.NDArray[np.int64]
JOINED_GAP_BYTES = 64  # shorter stretches of equal bytes are kept too: each stretch costs 16 bytes


@dataclass(frozen=True, slots=True)
class GraphPatch:
    """Stretches of bytes that replace those of a base."""

    base_sha256: str
    result_sha256: str
    result_bytes: int
    starts: npt.NDArray[np.int64]
    """(N,) where each stretch begins."""
    lengths: npt.NDArray[np.int64]
    """(N,)."""
    content: npt.NDArray[np.uint8]
    """All stretches, one after another."""

    @classmethod
    def between(cls, base: bytes, result: bytes) -> "GraphPatch":
        """The patch that turns `base` into `result`."""
        old, new = (np.frombuffer(each, np.uint8) for each in (base, result))
        common = min(len(old), len(new))
        differs = np.ones(len(new), bool)
        differs[:common] = old[:common] != new[:common]
        starts, ends = _stretches(differs)
        pieces = [new[start:end] for start, end in zip(starts, ends, strict=True)]
        content = np.concatenate([np.zeros(0, np.uint8), *pieces])
        hashes = (hashlib.sha256(base).hexdigest(), hashlib.sha256(result).hexdigest())
        return cls(*hashes, len(new), starts, ends - starts, content)

    def apply(self, base: bytes, voice: str) -> bytes:
        """The personal graph.

        Args:
            base: the graph of the bundle.
            voice: its name, for the message.

        Raises:
            VoiceError: the patch belongs to another base, or is damaged.
        """
        if hashlib.sha256(base).hexdigest() != self.base_sha256:
            raise VoiceError(
                f"voice '{voice}' was learnt by another version of the voice model;"
                f" learn it again: selftalk clone {voice}"
            )
        result = np.zeros(self.result_bytes, np.uint8)
        kept = np.frombuffer(base, np.uint8)[: self.result_bytes]
        result[: len(kept)] = kept
        place = 0
        for start, length in zip(self.starts.tolist(), self.lengths.tolist(), strict=True):
            stretch = self.content[place : place + length]
            if start < 0 or len(stretch) != len(result[start : start + length]):
                raise VoiceError(f"the learnt part of voice '{voice}' is damaged")
            result[start : start + length] = stretch
            place += length
        patched = result.tobytes()
        if hashlib.sha256(patched).hexdigest() != self.result_sha256:
            raise VoiceError(f"the learnt part of voice '{voice}' is damaged")
        return patched

    def save(self, path: Path) -> None:
        """Write the patch in one step."""
        header = {
            "format": FORMAT,
            "base_sha256": self.base_sha256,
            "result_sha256": self.result_sha256,
            "result_bytes": self.result_bytes,
        }
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "starts": self.starts,
            "lengths": self.lengths,
            "content": self.content,
        }
        metadata = {"patch": json.dumps(header, sort_keys=True)}
        write_atomically(path, safetensors.numpy.save(arrays, metadata=metadata))

    @classmethod
    def load(cls, path: Path) -> "GraphPatch":
        """Read a patch.

        Raises:
            VoiceError: the file is missing or is no patch.
        """
        try:
            with safetensors.safe_open(path, framework="numpy") as file:
                header = json.loads((file.metadata() or {})["patch"])
                arrays = [file.get_tensor(name) for name in ("starts", "lengths", "content")]
            hashes = (header["base_sha256"], header["result_sha256"])
            return cls(*hashes, int(header["result_bytes"]), *arrays)
        except (OSError, safetensors.SafetensorError, KeyError, ValueError, TypeError) as error:
            raise VoiceError(f"'{path}' is not the learnt part of a voice: {error}") from error


def _stretches(differs: npt.NDArray[np.bool_]) -> tuple[Stretch, Stretch]:
    """Begin and end of stretches of bytes that differ, those close together joined."""
    places = np.flatnonzero(differs)
    if not len(places):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    far = np.flatnonzero(np.diff(places) > JOINED_GAP_BYTES)
    starts = places[np.concatenate([[0], far + 1])]
    ends = places[np.concatenate([far, [len(places) - 1]])] + 1
    return starts.astype(np.int64), ends.astype(np.int64)
