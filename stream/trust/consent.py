"""Consent: the owner of a voice says so, in that voice, in words that are new each time.

    session = consent_session("me", person="Ada Lovelace", purpose="my diary")
    challenge = session.challenge("en")              # show challenge.sentence, record it
    receipt = session.check(recording, challenge, clips)

A recording passes if it comes in time, carries no watermark, says this sentence with its random
words, and is spoken by whoever speaks in every clip. Knows nothing about microphones and files of
voices.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

import numpy as np

from selftalk.stream.errors import ConsentError, VoiceError
from selftalk.stream.listening.recognizer import Recognizer, RecognizerConfig, load_recognizer
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.trust import audit
from selftalk.stream.trust.permission import SAME_SPEAKER
from selftalk.stream.trust.receipts import Receipt, packed, sha256_of_samples, write_receipt
from selftalk.stream.trust.speech_only import without_pauses
from selftalk.stream.trust.statement import Answer, check_transcript, draw_answer, sentence_of
from selftalk.stream.trust.watermark import is_marked

VALID_SECONDS = 120.0
"""From the moment a sentence is shown to the moment its recording is there."""
VALID_DAYS = 365
SCOPE = ("speech", "fine-tuning")
SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 60.0

LEAST_ALIKE = 0.70
"""The sentence to each clip, where there are several; to a single one as much as to a voice."""
MOST_BEHIND = 0.02
"""How much less alike the sentence may be to the clips than they are to each other, on average."""

Clock = Callable[[], float]


class SpeakerModel(Protocol):
    """Tells voices apart."""

    def embed(self, chunk: AudioChunk) -> Float32Array:
        """The (256,) embedding of speech, of length 1."""
        ...


@dataclass(frozen=True, slots=True)
class Challenge:
    """A sentence that is to be read aloud once, soon."""

    sentence: str
    answer: Answer
    """The random words in it."""
    language: str
    issued_at: float
    """On the session's clock."""
    valid_seconds: float = VALID_SECONDS


class ConsentSession:
    """Asks one person for the consent to one voice."""

    def __init__(
        self,
        voice: str,
        person: str,
        purpose: str,
        *,
        recognizer: Callable[[str], Recognizer],
        speaker: SpeakerModel,
        marked: Callable[[AudioChunk], bool | None] = is_marked,
        days: int = VALID_DAYS,
        scope: tuple[str, ...] = SCOPE,
        clock: Clock = time.monotonic,
        draw: Callable[[str], Answer] = draw_answer,
    ) -> None:
        self.voice, self.person, self.purpose = voice, person, purpose
        self._recognizer, self._speaker, self._marked = recognizer, speaker, marked
        self._days, self._scope, self._clock, self._draw = days, scope, clock, draw
        self._open: Challenge | None = None

    def challenge(self, language: str = "en") -> Challenge:
        """Make a new sentence; those before it are void.

        Raises:
            ConsentError: there is no sentence in this language, or name or purpose is missing.
        """
        answer = self._draw(language)
        sentence = sentence_of(self.person, self.purpose, answer, language)
        self._open = Challenge(sentence, answer, language, self._clock())
        return self._open

    def check(
        self, recording: AudioChunk, challenge: Challenge, clips: Sequence[AudioChunk]
    ) -> Receipt:
        """Check the recorded sentence; a challenge can be answered once.

        Args:
            recording: the sentence, spoken.
            challenge: what was to be said.
            clips: every recording that the voice is made from.

        Returns:
            The signed receipt, already kept; put its `id` into the voice's `about["receipt"]`.

        Raises:
            ConsentError: something is missing or wrong; the message says what.
        """
        self._close(challenge)
        if not SHORTEST_SECONDS <= recording.duration_seconds <= LONGEST_SECONDS:
            raise ConsentError(
                f"the recording of the sentence lasts {recording.duration_seconds:.1f} s;"
                f" {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g} s are allowed"
            )
        marked = self._marked(recording)
        if marked is None:
            raise ConsentError(
                "the sentence lacks sound below 1 kHz, so that nobody can tell whether it carries a"
                " watermark; record it without a filter"
            )
        if marked:
            raise ConsentError("the sentence was spoken by a machine: it carries a watermark")
        recognizer = self._recognizer(challenge.language)
        transcript = recognizer.transcribe(recording, challenge.language).text
        check_transcript(transcript, challenge.sentence, challenge.answer, challenge.language)
        speaker, similarity = self._compare(recording, clips)
        receipt = self._receipt(recording, challenge, transcript, clips, speaker, similarity)
        audit.append("consent given", voice=self.voice, receipt=receipt.id)
        write_receipt(receipt)
        return receipt

    def _close(self, challenge: Challenge) -> None:
        waited = self._clock() - challenge.issued_at
        known, self._open = self._open, None
        if known != challenge:
            raise ConsentError("this sentence is not the one that was asked for last")
        if waited > challenge.valid_seconds:
            raise ConsentError(
                f"the sentence came {waited:.0f} s after it was shown;"
                f" {challenge.valid_seconds:.0f} s are allowed"
            )

    def _compare(
        self, recording: AudioChunk, clips: Sequence[AudioChunk]
    ) -> tuple[Float32Array, float]:
        if not clips:
            raise ConsentError("there is no recording of the voice to compare the speaker with")
        speaker = self._embed(recording, "the sentence")
        voice = np.array([self._embed(clip, f"clip {n}") for n, clip in enumerate(clips, start=1)])
        found, needed = likeness(speaker, voice), least_alike(len(clips))
        if found.lowest < needed:
            raise ConsentError(
                f"the sentence was not spoken by the voice of clip {found.clip} of {len(clips)}"
                f" (similarity {found.lowest:.2f}, {needed:.2f} is needed)"
            )
        if found.behind > MOST_BEHIND:
            raise ConsentError(
                f"the sentence is less like the clips than they are like each other"
                f" (by {found.behind:.2f}, {MOST_BEHIND:.2f} is allowed); say it as they were"
                " recorded, at the same microphone"
            )
        return speaker, found.lowest

    def _embed(self, chunk: AudioChunk, what: str) -> Float32Array:
        try:
            return self._speaker.embed(without_pauses(chunk))
        except VoiceError as error:
            raise ConsentError(f"{what} cannot be compared: {error}") from error

    def _receipt(
        self,
        recording: AudioChunk,
        challenge: Challenge,
        transcript: str,
        clips: Sequence[AudioChunk],
        speaker: Float32Array,
        similarity: float,
    ) -> Receipt:
        now = datetime.now(UTC).replace(microsecond=0)
        return Receipt(
            id=secrets.token_hex(16),
            voice=self.voice,
            person=self.person,
            purpose=self.purpose,
            scope=self._scope,
            language=challenge.language,
            issued_at=now,
            expires_at=now + timedelta(days=self._days),
            statement_sha256=sha256_of_samples(recording.samples),
            transcript=transcript.strip(),
            clips_sha256=tuple(sha256_of_samples(clip.samples) for clip in clips),
            similarity=round(similarity, 3),
            speaker=packed(speaker),
        )


class Likeness(NamedTuple):
    """How near a speaker is to a voice."""

    lowest: float
    """The similarity to the clip that is least alike."""
    clip: int
    """Its number, from 1."""
    behind: float
    """The mean similarity among the clips less that to the speaker; 0 of a single clip."""


def likeness(speaker: Float32Array, voice: Float32Array) -> Likeness:
    """Compare (D,) with the clips' (N, D), all of length 1."""
    similarities = voice @ speaker
    lowest, clips = int(similarities.argmin()), len(voice)
    behind = 0.0
    if clips > 1:
        total = float(np.square(voice.sum(axis=0)).sum())  # each pair twice, and each with itself
        behind = (total - clips) / (clips * (clips - 1)) - float(similarities.mean())
    return Likeness(float(similarities[lowest]), lowest + 1, behind)


def least_alike(clips: int) -> float:
    """The lowest similarity that is allowed; a single clip says nothing of how a voice varies."""
    return LEAST_ALIKE if clips > 1 else SAME_SPEAKER


def consent_session(
    name: str,
    person: str,
    purpose: str,
    *,
    days: int = VALID_DAYS,
    scope: tuple[str, ...] = SCOPE,
) -> ConsentSession:
    """Prepare to ask for consent with the models that are at hand.

    Args:
        name: of the voice.
        person: whose voice it is, as they say their name.
        purpose: what the voice is for, as they say it.
        days: how long the consent holds.
        scope: what it allows.

    Raises:
        BundleError: the shipped voice model, which holds the speaker encoder, is damaged.
    """
    speaker = SpeakerEncoder(default_bundle().graph_path("speaker"))
    return ConsentSession(
        name, person, purpose, recognizer=_recognizer, speaker=speaker, days=days, scope=scope
    )


def _recognizer(language: str) -> Recognizer:
    return load_recognizer(RecognizerConfig(language=language))
