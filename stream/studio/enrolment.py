"""Enrolment: a voice at once from a few seconds of speech, nothing learnt.

The speaker embedding, the mean pitch and, if the model can hear it, the timbre are all that a
zero-shot voice is. Knows nothing about
consent: the voice made here may not speak before its owner agreed.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from selftalk.stream.errors import AudioFileError, VoiceError
from selftalk.stream.nano.timbre import HEARING_RATE_HZ
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.pitch import mean_log_pitch, track_pitch
from selftalk.stream.sound.resample import resample
from selftalk.stream.studio.recording import Recording, Slice
from selftalk.stream.studio.speaker_check import SpeakerModel, Speakers, tell_apart
from selftalk.stream.studio.take import Take
from selftalk.stream.synthesis.styles import NEUTRAL, STYLES, Shade, Style
from selftalk.stream.synthesis.voices import SUFFIX, Voice, voices_folder

LEAST_SECONDS = 3.0
PIECE_SECONDS = 6.0
"""Speech is compared in pieces of about this length."""

Hear = Callable[[AudioChunk], Float32Array | None]
"""As `SpeakerSpace.timbre`."""


def speech_of(takes: Sequence[Take]) -> list[AudioChunk]:
    """The speech of some takes in pieces of a few seconds, without the pauses.

    Raises:
        AudioFileError: it is less than three seconds.
    """
    seconds = sum(take.speech_seconds for take in takes)
    if seconds < LEAST_SECONDS:
        raise AudioFileError(
            f"there are {seconds:.1f} s of speech; a voice needs at least {LEAST_SECONDS:g} s"
        )
    pieces = []
    for take in takes:
        spoken = [take.audio.samples[start:end] for start, end in take.regions]
        if spoken:
            joined, rate = np.concatenate(spoken), take.audio.sample_rate_hz
            count = max(1, round(len(joined) / rate / PIECE_SECONDS))
            pieces += [AudioChunk(part, rate) for part in np.array_split(joined, count)]
    return pieces


def speech_in(recording: Recording, style: Style = "neutral") -> list[AudioChunk]:
    """The slices of a recording that show a style; for the neutral one, all of them.

    Raises:
        VoiceError: the person never spoke in this style.
    """
    if style == "neutral":
        return [piece.audio for piece in recording.slices]
    places = recording.references.get(style)
    if not places:
        known = ", ".join(recording.references) or "none"
        raise VoiceError(f"recording '{recording.name}' has no {style} reference; it has {known}")
    return [recording.slices[place].audio for place in places]


def shades_in(recording: Recording, model: SpeakerModel) -> dict[Style, Shade]:
    """How a person sounds in the styles that their recording shows beside the neutral one."""
    usual = _tempo(recording.slices)
    shades: dict[Style, Shade] = {}
    for style in STYLES:
        if style != NEUTRAL and style in recording.references:
            shown = [recording.slices[place] for place in recording.references[style]]
            centre = np.mean([model.embed(piece.audio) for piece in shown], axis=0)
            pitch = float(np.mean([piece.mean_log_pitch for piece in shown]))
            tempo = _tempo(shown) / usual if usual else 1.0
            shades[style] = Shade(centre / np.linalg.norm(centre), pitch, tempo)
    return shades


def _tempo(slices: Sequence[Slice]) -> float:
    """Median syllables per second; 0 where none were counted."""
    return float(np.median([piece.syllables_per_second for piece in slices] or [0.0]))


def zero_shot_voice(
    name: str,
    pieces: Sequence[AudioChunk],
    model: SpeakerModel,
    about: dict[str, str],
    hear_timbre: Hear = lambda _: None,
) -> tuple[Voice, Speakers, list[AudioChunk]]:
    """Make a voice of pieces of speech; those of a second person are left out.

    Returns:
        The voice, who was heard, and the pieces that were used.

    Raises:
        VoiceError: there is no pitch in them: whispering, or no voice at all.
    """
    speakers = tell_apart(pieces, model)
    own = [piece for piece, main in zip(pieces, speakers.is_main, strict=True) if main]
    pitch = mean_log_pitch(np.concatenate([track_pitch(piece) for piece in own]))
    if not pitch:
        raise VoiceError("no voice with a pitch was heard; speak up instead of whispering")
    facts = about | {
        "origin": "enrolled",
        "seconds": f"{sum(piece.duration_seconds for piece in own):.1f}",
    }
    heard = (resample(piece.samples, piece.sample_rate_hz, HEARING_RATE_HZ) for piece in own)
    timbre = hear_timbre(AudioChunk(np.concatenate(list(heard)), HEARING_RATE_HZ))
    return Voice(name, speakers.centre, pitch, facts, timbre), speakers, own


def keep_voice(voice: Voice) -> Path:
    """Write a voice into the user's folder; one of the same name is replaced.

    Raises:
        VoiceError: it cannot be written.
    """
    path = voices_folder() / f"{voice.name}{SUFFIX}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        voice.save(path)
    except OSError as error:
        raise VoiceError(f"cannot write '{path}': {error.strerror}") from error
    return path


def pitch_hz(voice: Voice) -> float:
    """The mean pitch of a voice."""
    return math.exp(voice.mean_log_pitch)
