"""Talk: from settings to a running conversation.

Loads the models a config names, warms them up, and puts source, sink and stages together into a
`Session`. Knows what to load, not how anything works.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np

from selftalk.stream.config import EngineConfig, TalkConfig
from selftalk.stream.dialogue.turns import TurnDetector
from selftalk.stream.fetching.weights import Progress
from selftalk.stream.graphs.graph import RunOptions
from selftalk.stream.graphs.onnx import CPU_PROVIDERS, PROVIDERS, usable_providers
from selftalk.stream.listening.end_of_turn import load_end_of_turn
from selftalk.stream.listening.recognizer import load_recognizer
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.minds.responder import ChosenResponder, load_responder
from selftalk.stream.selves import Self
from selftalk.stream.session import Session
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.io import AudioSink, AudioSource
from selftalk.stream.stages import Stages
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, Synthesizer, open_synthesizer
from selftalk.stream.synthesis.voices import DEFAULT_VOICE, Voice
from selftalk.stream.trust.labels import opening

CUE_RATE_HZ = 24_000
BEFORE_REPLIES = 0
"""The generation of what is played before the first reply, whose number is 1."""

Busy = Callable[[], AbstractContextManager[None]]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part in a conversation, loaded and warm."""

    stages: Stages
    responder: ChosenResponder
    synthesizer: Synthesizer
    voice: Voice


async def load_cast(
    config: TalkConfig,
    self_: Self,
    *,
    progress: Progress | None = None,
    tell: Tell = lambda _line: None,
    busy: Busy = nullcontext,
) -> Cast:
    """Load and warm up the models of a conversation.

    Args:
        config: the settings.
        self_: whom to talk with; its voice is used unless the settings name another.
        progress: told about weights that arrive.
        tell: told in a line what is being loaded.
        busy: see `Stages.busy`.

    Raises:
        SelftalkError: something cannot be loaded; the message says what.
    """
    synthesizer = load_synthesizer(config, tell)
    voice = synthesizer.voice(_voice_name(config, self_))
    tell(f"voice: {voice.name}, by {synthesizer.bundle.manifest.name}")
    recognizer = load_recognizer(config.recognizer, progress)
    tell(f"recogniser: {type(recognizer).__name__.lower()}")
    chosen = load_responder(config.responder, self_, progress)
    tell(f"answers: {chosen.description}")
    end_of_turn = load_end_of_turn() if config.vad.end_of_turn else None
    stages = Stages(
        recognizer=recognizer,
        responder=chosen.responder,
        synthesizer=synthesizer,
        voice=voice,
        end_of_turn=end_of_turn,
        language=config.recognizer.language,
        busy=busy,
    )
    await asyncio.to_thread(_warm_up, stages, synthesizer)
    await chosen.responder.warm_up()
    return Cast(stages, chosen, synthesizer, voice)


def load_synthesizer(config: TalkConfig, tell: Tell = lambda _line: None) -> Synthesizer:
    """The voice model that the settings name.

    Args:
        config: the settings.
        tell: told in a line what is not as they want it.

    Raises:
        BundleError: it is missing or damaged.
    """
    bundle = Bundle.load(config.voice.bundle) if config.voice.bundle else default_bundle()
    options = SynthesisOptions(
        language=config.voice.language,
        speed=config.voice.speed,
        pitch_semitones=config.voice.pitch_semitones,
        seed=config.voice.seed,
        exact=config.voice.exact,
    )
    decoder_run, vocoder_run = run_options(config.engine, bundle, tell)
    return open_synthesizer(
        bundle, options, decoder_run=decoder_run, vocoder_run=vocoder_run, labels=config.labels
    )


def run_options(
    engine: EngineConfig, bundle: Bundle, tell: Tell = lambda _line: None
) -> tuple[RunOptions, RunOptions]:
    """Where and how tokens are drawn, and where and how they become sound.

    Args:
        engine: the settings; a provider that is missing gives way to the processor.
        bundle: the voice model; where a provider is known to spoil it, the processor does the work.
        tell: told so.
    """
    # A small model gains nothing from a graphics card, which costs a copy for every token.
    providers, note = usable_providers("cpu" if engine.provider == "auto" else engine.provider)
    if providers == PROVIDERS["openvino"] and bundle.manifest.kind == "sovits":
        # onnxruntime-openvino 1.24.1 ignores which frames of a window are to be kept.
        providers = CPU_PROVIDERS
        note = "OpenVINO spoils windows of an imported voice, so the processor does the work"
    if note:
        tell(note)
    drawing = token_providers(bundle, providers, tell)
    return RunOptions(engine.decoder_threads, drawing), RunOptions(
        engine.vocoder_threads, providers
    )


def token_providers(bundle: Bundle, providers: Sequence[str], tell: Tell) -> tuple[str, ...]:
    """Who draws the tokens of a voice model that `providers` run."""
    step = bundle.manifest.graphs.get("t2s_step")
    if bundle.manifest.kind != "sovits" or step is None or step.precision == "fp16":
        return tuple(providers)
    if providers[0] != CPU_PROVIDERS[0]:
        # onnxruntime has GroupQueryAttention for CUDA in half precision only: the cache would go
        # to the processor and back in each layer of each token.
        name = bundle.manifest.name
        tell(
            f"'{name}' attends in float32, so the processor draws its tokens and {providers[0]}"
            f" makes the sound; `selftalk export {name} --precision fp16` is for graphics cards"
        )
    return CPU_PROVIDERS


async def play_opening(sink: AudioSink, config: TalkConfig) -> None:
    """Play the cue that is due at the start of a conversation, before any reply."""
    cue = opening(CUE_RATE_HZ, config.labels)
    if cue is not None:
        await sink.play(cue, BEFORE_REPLIES)
        await sink.finish(BEFORE_REPLIES)


def open_session(
    cast: Cast,
    config: TalkConfig,
    source: AudioSource | None,
    sink: AudioSink,
    seconds: Callable[[], float] = time.monotonic,
) -> Session:
    """Put a conversation together; without a source the user only types.

    Args:
        cast: who takes part.
        config: the settings.
        source: where the user is heard.
        sink: where replies are heard.
        seconds: the clock of the metrics; that of the files when they run fast.
    """
    detector = TurnDetector(load_vad(config.vad.engine), config.turns) if source else None
    return Session(cast.stages, sink, source, detector, config=config.agent, seconds=seconds)


def _voice_name(config: TalkConfig, self_: Self) -> str:
    return config.voice.name if config.voice.name != DEFAULT_VOICE else self_.voice


def _warm_up(stages: Stages, synthesizer: Synthesizer) -> None:
    """Let every model run once: the first run allocates, and is several times slower."""
    synthesizer.warm_up()
    noise = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.01
    heard = AudioChunk(noise, 16_000)
    stages.recognizer.transcribe(heard, stages.language)
    if stages.end_of_turn is not None:
        stages.end_of_turn.probability(heard)
