"""Doctor: what is there, what is missing, how fast this machine is, and what to do about it.

Each check returns a finding with a fact and, where something is wrong, the way out. Knows nothing
about how findings are shown.
"""

import importlib.util
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from selftalk.stream.errors import SelftalkError
from selftalk.stream.fetching.weights import list_weights
from selftalk.stream.graphs.onnx import available_providers
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.synthesizer import open_synthesizer
from selftalk.stream.synthesis.voices import DEFAULT_VOICE, list_voices

Status = Literal["ok", "missing", "broken"]

EXTRAS = {  # what each optional package is for
    "sounddevice": ("audio", "microphone and loudspeaker"),
    "pywebrtc_audio": ("audio", "echo cancellation, so that loudspeakers can be used"),
    "ctranslate2": ("local", "speech recognition in 99 languages"),
    "xllamacpp": ("local", "the embedded language model"),
    "pyopenjtalk": ("text", "Japanese"),
    "torch": ("train", "training and export"),
}
SPOKEN = "The quick brown fox jumps over the lazy dog."


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    status: Status
    fact: str
    advice: str = ""


def findings() -> Iterator[Finding]:
    """Run all checks, quick ones first; a check that fails is a finding, not an error."""
    for check in CHECKS:
        try:
            yield from check()
        except SelftalkError as error:
            yield Finding(check.__name__.removeprefix("check_"), "broken", str(error))


def check_machine() -> Iterator[Finding]:
    """Processor, memory, Python."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    fact = f"{platform.system()} {platform.machine()}, {cores} cores, Python "
    yield Finding("machine", "ok", fact + platform.python_version())
    yield Finding("onnxruntime", "ok", ", ".join(available_providers()))


def check_packages() -> Iterator[Finding]:
    """Optional packages."""
    for module, (extra, purpose) in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        advice = "" if there else f"pip install 'selftalk[{extra}]' for {purpose}"
        yield Finding(module, "ok" if there else "missing", purpose, advice)


def check_devices() -> Iterator[Finding]:
    """Microphone and loudspeaker."""
    from selftalk.stream.sound.devices import list_devices

    try:
        devices = list_devices()
    except SelftalkError as error:
        advice = "use --mic FILE.wav and --speaker OUT.wav, or plug in a sound card"
        yield Finding("devices", "missing", str(error), advice)
        return
    for device in devices:
        yield Finding("device", "ok", str(device))


def check_weights() -> Iterator[Finding]:
    """Third-party weights of the default set."""
    for status in list_weights():
        if status.artefact.set != "default":
            continue
        there = status.cached
        advice = "" if there else f"selftalk weights fetch {status.name}"
        yield Finding(status.name, "ok" if there else "missing", "weights", advice)


def check_voice_model() -> Iterator[Finding]:
    """The default bundle and its voices."""
    bundle = default_bundle()
    bundle.verify()
    manifest = bundle.manifest
    languages = ", ".join(manifest.languages)
    yield Finding(
        "voice model", "ok", f"{manifest.name} {manifest.version}, {languages}; hashes are right"
    )
    names = sorted(list_voices(bundle.voices_folder))
    known = DEFAULT_VOICE in names
    yield Finding("voices", "ok" if known else "broken", ", ".join(names) or "none")


def check_speech() -> Iterator[Finding]:
    """How fast the default voice speaks here."""
    synthesizer = open_synthesizer(default_bundle())
    voice = synthesizer.voice(DEFAULT_VOICE)
    synthesizer.warm_up()
    started = time.perf_counter()
    first, samples = 0.0, 0
    for chunk in synthesizer.stream(SPOKEN, voice):
        first = first or time.perf_counter() - started
        samples += len(chunk.audio)
    rtf = (time.perf_counter() - started) / (samples / synthesizer.sample_rate_hz)
    advice = "" if rtf < 0.5 else "close other programs: speech is generated barely in time"
    yield Finding(
        "speech", "ok", f"first audio {1000 * first:.0f} ms, real-time factor {rtf:.2f}", advice
    )


def check_recognizer() -> Iterator[Finding]:
    """How fast speech is recognised here."""
    from selftalk.stream.listening.recognizer import RecognizerConfig, load_recognizer

    recognizer = load_recognizer(RecognizerConfig())
    synthesizer = open_synthesizer(default_bundle())
    speech = synthesizer.synthesize(SPOKEN, synthesizer.voice(DEFAULT_VOICE))
    recognizer.transcribe(AudioChunk(np.zeros(16_000, np.float32), 16_000))
    started = time.perf_counter()
    transcript = recognizer.transcribe(speech)
    rtf = (time.perf_counter() - started) / speech.duration_seconds
    fact = f"real-time factor {rtf:.2f}; heard our own voice say “{transcript.text}”"
    yield Finding("recognizer", "ok", fact)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_machine,
    check_packages,
    check_devices,
    check_weights,
    check_voice_model,
    check_speech,
    check_recognizer,
)
