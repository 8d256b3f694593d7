"""What a request to GPT-SoVITS' `/tts` asks for, in the words of selftalk.

Programs send these parameters in a query or as JSON, numbers often as text, and nearly always all
of them: one that has GPT-SoVITS' own default is therefore no wish, and the voice model's default
counts. Knows nothing about HTTP or voices.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from selftalk.stream.server.api_errors import ApiError
from selftalk.stream.server.bodies import bad_field
from selftalk.stream.server.encoder import FORMATS, AudioFormat
from selftalk.stream.server.narration import FASTEST, SLOWEST
from selftalk.stream.synthesis.sampling import SamplingConfig
from selftalk.stream.synthesis.synthesizer import AUTO, SynthesisOptions

LONGEST_TEXT = 20_000
LANGUAGES = {
    "auto": AUTO, "auto_yue": AUTO, "zh": "zh", "all_zh": "zh", "en": "en", "ja": "ja",
    "all_ja": "ja", "ko": "ko", "all_ko": "ko", "yue": "yue", "all_yue": "yue",
}  # fmt: skip
SPLIT_METHODS = ("cut0", "cut1", "cut2", "cut3", "cut4", "cut5")
STREAMING_MODES = {"false": 0, "true": 1, "0": 0, "1": 1, "2": 2, "3": 3}
MEDIA_TYPES = {"wav": "wav", "raw": "pcm", "ogg": "ogg", "flac": "flac", "mp3": "mp3"}
NO_AAC = "media_type 'aac' needs an encoder that is not here; use wav, raw, ogg, flac or mp3"
TOP_SEED = 1 << 32

Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Number = Annotated[float, Meta(ge=0, le=1000)]


class Parameters(msgspec.Struct):
    """The parameters of `/tts`, with GPT-SoVITS' own defaults."""

    text: Text = ""
    text_lang: str = ""
    ref_audio_path: str = ""
    aux_ref_audio_paths: list[str] = []
    prompt_text: str = ""
    prompt_lang: str = ""
    top_k: Annotated[int, Meta(ge=1, le=1025)] = 15
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1
    temperature: Annotated[float, Meta(ge=0, le=10)] = 1
    text_split_method: str = "cut5"
    batch_size: Annotated[int, Meta(ge=1, le=1000)] = 1
    batch_threshold: Number = 0.75
    split_bucket: bool = True
    speed_factor: Annotated[float, Meta(ge=SLOWEST, le=FASTEST)] = 1.0
    fragment_interval: Annotated[float, Meta(ge=0, le=10)] = 0.3
    seed: Annotated[int, Meta(ge=-1, lt=1 << 62)] = -1
    media_type: str = "wav"
    streaming_mode: Any = False
    return_fragment: bool = False
    parallel_infer: bool = True
    repetition_penalty: Annotated[float, Meta(gt=0, le=10)] = 1.35
    sample_steps: Annotated[int, Meta(ge=1, le=1000)] = 32
    super_sampling: bool = False
    overlap_length: Annotated[int, Meta(ge=0, le=1000)] = 2
    min_chunk_length: Annotated[int, Meta(ge=1, le=1000)] = 16


WITHOUT_EFFECT = {
    "batch_size", "batch_threshold", "split_bucket", "parallel_infer", "sample_steps",
    "super_sampling", "overlap_length", "min_chunk_length",
}  # fmt: skip
"""How GPT-SoVITS computes, not what is heard; selftalk computes in its own way."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be spoken, and how."""

    text: str
    language: str
    reference: str
    """Whose voice, as the client says it; empty for the one chosen before."""
    audio_format: AudioFormat
    media_type: str
    streams: bool
    pause_seconds: float
    parameters: Parameters
    ignored: list[str]

    def options(self, usual: SynthesisOptions) -> SynthesisOptions:
        """The options of the utterance; the sampling only where it was really chosen."""
        asked, default = self.parameters, Parameters()
        chosen = {
            name: getattr(asked, name)
            for name in ("top_k", "top_p", "temperature", "repetition_penalty")
            if getattr(asked, name) != getattr(default, name)
        }
        sampling = usual.sampling
        if chosen:
            sampling = replace(sampling or SamplingConfig(), **chosen)
        seed = asked.seed if asked.seed >= 0 else random.randrange(TOP_SEED)
        return replace(
            usual, language=self.language, speed=asked.speed_factor, seed=seed, sampling=sampling
        )


def read_order(given: Mapping[str, Any]) -> Order:
    """Check parameters as they came.

    Raises:
        ApiError: one is missing, or has a value that means nothing here.
    """
    present = {name: value for name, value in given.items() if value is not None}
    try:
        asked = msgspec.convert(present, Parameters, strict=False)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise bad_field(error) from error
    unknown = present.keys() - set(Parameters.__struct_fields__)
    default = Parameters()
    idle = {name for name in WITHOUT_EFFECT if getattr(asked, name) != getattr(default, name)}
    _check(asked)
    interval = asked.fragment_interval
    return Order(
        text=asked.text,
        language=LANGUAGES[asked.text_lang.lower()],
        reference=asked.ref_audio_path,
        audio_format=FORMATS[MEDIA_TYPES[asked.media_type]],
        media_type=f"audio/{asked.media_type}",
        streams=_streaming_mode(asked.streaming_mode) > 0 or asked.return_fragment,
        pause_seconds=interval if interval != default.fragment_interval else 0.0,
        parameters=asked,
        ignored=sorted(unknown | idle),
    )


def _check(asked: Parameters) -> None:
    if not asked.text.strip():
        raise ApiError("text is required", param="text")
    for name in ("text_lang", "prompt_lang"):
        language = getattr(asked, name).lower()
        if not language and name == "text_lang":
            raise ApiError("text_lang is required", param=name)
        if language and language not in LANGUAGES:
            raise ApiError(f"{name} is not supported; supported: {_listed(LANGUAGES)}", param=name)
    if asked.media_type == "aac":
        raise ApiError(NO_AAC, param="media_type")
    if asked.media_type not in MEDIA_TYPES:
        raise ApiError(f"media_type is not supported; supported: {_listed(MEDIA_TYPES)}")
    if asked.text_split_method not in SPLIT_METHODS:
        raise ApiError(f"text_split_method is not supported; supported: {_listed(SPLIT_METHODS)}")
    if any(asked.aux_ref_audio_paths):
        raise ApiError("aux_ref_audio_paths is not supported: a voice here has one speaker")


def _streaming_mode(value: Any) -> int:
    mode = STREAMING_MODES.get(str(value).strip().lower())
    if mode is None:
        raise ApiError("streaming_mode must be 0, 1, 2, 3 (int) or true/false (bool)")
    return mode


def _listed(names: Any) -> str:
    return ", ".join(names)
