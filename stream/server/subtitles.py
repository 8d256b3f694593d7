"""Segments of a transcription as the texts that OpenAI's endpoint offers: srt, vtt and JSON.

Knows nothing about how they were heard.
"""

import math
import zlib
from collections.abc import Sequence
from typing import Any

from selftalk.stream.listening.transcription import Segment

SEEK_PER_SECOND = 100  # frames of 10 ms, the unit of "seek"


def joined(segments: Sequence[Segment]) -> str:
    """All that was said."""
    return " ".join(segment.text for segment in segments)


def as_srt(segments: Sequence[Segment]) -> str:
    """Subtitles in the format of SubRip."""
    return "".join(
        f"{number}\n{_clock(one.start_seconds, ',')} --> {_clock(one.end_seconds, ',')}\n"
        f"{one.text}\n\n"
        for number, one in enumerate(segments, 1)
    )


def as_vtt(segments: Sequence[Segment]) -> str:
    """Subtitles in the format of WebVTT."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(one.start_seconds, '.')} --> {_clock(one.end_seconds, '.')}\n{one.text}\n\n"
        for one in segments
    )


def as_verbose(segments: Sequence[Segment], language: str, seconds: float) -> dict[str, Any]:
    """Everything that is known, in the fields of OpenAI's `verbose_json`."""
    return {
        "task": "transcribe",
        "language": language,
        "duration": round(seconds, 3),
        "text": joined(segments),
        "segments": [_verbose(number, one) for number, one in enumerate(segments)],
        "usage": usage(seconds),
    }


def usage(seconds: float) -> dict[str, Any]:
    """What was used: seconds of sound."""
    return {"type": "duration", "seconds": round(seconds, 3)}


def _verbose(number: int, segment: Segment) -> dict[str, Any]:
    encoded = segment.text.encode()
    return {
        "id": number,
        "seek": round(segment.start_seconds * SEEK_PER_SECOND),
        "start": round(segment.start_seconds, 3),
        "end": round(segment.end_seconds, 3),
        "text": segment.text,
        "tokens": [],  # the recognisers do not tell theirs
        "temperature": 0.0,
        "avg_logprob": round(math.log(max(segment.confidence, 1e-6)), 4),
        "compression_ratio": round(len(encoded) / len(zlib.compress(encoded)), 3),
        "no_speech_prob": 0.0,  # what is no speech has no segment
    }


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"
