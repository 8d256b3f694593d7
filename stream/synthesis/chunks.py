"""Chunks on their way from tokens to a listener: grouped, drawn ahead, kept from clipping.

Shared by the synthesizers. Knows nothing about models.
"""

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np

from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.schedule import ChunkPlan
from selftalk.stream.synthesis.speech import WordTime

Chunk = TypeVar("Chunk")
Piece = TypeVar("Piece")


def split_words(
    words: tuple[WordTime, ...], heard_samples: int
) -> tuple[tuple[WordTime, ...], tuple[WordTime, ...]]:
    """Words that begin before a sample, and the others."""
    count = sum(word.start_samples < heard_samples for word in words)
    return words[:count], words[count:]


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens that are new, and how far the utterance is spoken once they are known."""

    tokens: list[int]
    spoken_tokens: int
    """Of the utterance, from its first."""
    left: int | None
    """So many tokens are left then; None as long as its end is not known."""


def pieces_of(
    tokens: Iterator[int], plan: ChunkPlan, quiet: Sequence[bool] = ()
) -> Iterator[list[int]]:
    """Group tokens into chunks.

    Args:
        tokens: one by one.
        plan: how long chunks may be.
        quiet: for each token, as far as known, whether sound would pause at a cut after it: there
            a gap is heard least. No pause is waited for.
    """
    piece: list[int] = []
    for index, token in enumerate(tokens):
        piece.append(token)
        pause = index < len(quiet) and quiet[index]
        if len(piece) >= plan.limit or (pause and plan.may_cut(len(piece))):
            plan.cut(len(piece))
            yield piece
            piece = []
    if piece:
        yield piece


def windows_of(tokens: Iterator[int], plan: ChunkPlan) -> Iterator[Window]:
    """Group tokens into chunks that wait for tokens to come, for vocoders that hear them all.

    Args:
        tokens: one by one.
        plan: how long to wait, and how much to speak.
    """
    known = 0
    piece: list[int] = []
    for token in tokens:
        piece.append(token)
        if len(piece) >= plan.limit:
            plan.cut(len(piece))
            known += len(piece)
            yield Window(piece, plan.spoken_tokens, None)
            piece = []
    known += len(piece)
    for spoken in plan.finish(len(piece)):
        yield Window(piece, spoken, known - spoken)
        piece = []


def held_back(chunks: Iterator[Chunk], count: int) -> Iterator[Chunk]:
    """Pass chunks on once so many are there, or all."""
    yield from list(islice(chunks, count))
    yield from chunks


def limited(samples: np.ndarray) -> np.ndarray:
    """Bend samples beyond 0.8 softly towards 1, the others untouched; needs no look-ahead."""
    knee = 0.8
    over = np.abs(samples) > knee
    if not over.any():
        return samples.astype(np.float32, copy=False)
    room = 1 - knee
    bent = knee + room * np.tanh((np.abs(samples) - knee) / room)
    return np.where(over, np.sign(samples) * bent, samples).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


def ahead(pieces: Iterator[Piece], stop: StopFlag) -> Iterator[Piece]:
    """Draw pieces in a thread of their own, so that the next is under way while one is used.

    Two pieces wait at most: more would only be wasted by a barge-in.
    """
    waiting: queue.Queue[Piece | _End] = queue.Queue(maxsize=2)
    given_up = threading.Event()

    def put(item: Piece | _End) -> bool:
        while not given_up.is_set():
            try:
                waiting.put(item, timeout=0.05)
                return True
            except queue.Full:
                continue
        return False

    def draw() -> None:
        error: BaseException | None = None
        try:
            for piece in pieces:
                if stop.is_set or not put(piece):
                    break
        except BaseException as caught:  # handed to the consumer, who raises it
            error = caught
        put(_End(error))

    thread = threading.Thread(target=draw, name="tokens", daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        given_up.set()
        thread.join()
