"""Does the agent interrupt itself, and does it hear who interrupts it?

Plays an agent's voice into a simulated room and listens with the microphone's whole chain:
echo cancellation, voice activity detection, turn detection. Prints, for each level of the human
voice relative to the echo, how often the agent took its own echo for speech in five minutes of
playback, and in how many of ten cases a real interruption was found within 400 ms.

    python benchmarks/echo.py [--agent VOICE.wav …] [--human RECORDING.wav …]

Without files the recordings of the tests are used, one reader against another speaker.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selftalk.stream.dialogue.events import SpeechStarted
from selftalk.stream.dialogue.turns import TurnConfig, TurnDetector
from selftalk.stream.echo.cancellation import EchoCanceller
from selftalk.stream.echo.room import EchoRoom, Room
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.sound.audio import AudioChunk, Float32Array, read_audio
from selftalk.stream.sound.io import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from selftalk.stream.sound.resample import resample

ROOT = Path(__file__).parents[1]
AGENT = [ROOT / "tests/data" / f"{name}.flac" for name in ("unless_to_be", "amiable_himself")]
HUMAN = [ROOT / "configs/recordings/go_somewhere.flac", ROOT / "tests/data/go_forward.flac"]

HUMAN_LEVEL = 0.02  # -34 dBFS: somebody half a metre away
NOISE_LEVEL = 0.0008  # -62 dBFS: a quiet room and a cheap microphone
PLAYED_LEVEL = 0.08
GAP_SECONDS = 0.25
CASES = 10
HEARD_WITHIN_MS = 400
LEAD_SECONDS = 6.0  # of playback before the interruption; a first reply is as long


@dataclass(frozen=True, slots=True)
class Chain:
    """How the microphone is listened to."""

    cancel: bool
    suppressor: bool
    config: TurnConfig


def main() -> None:
    """Print the report."""
    args = _arguments()
    agent, human = _playlist(args.agent), [_speech(path) for path in args.human]
    chain = Chain(not args.without_cancellation, not args.without_aec3, TurnConfig())
    print(f"agent {len(agent) / SAMPLE_RATE_HZ:.0f} s, human {len(human)} recordings")
    print("human/echo   loudspeaker   self-interruptions   found within 400 ms   median   cost")
    for saturation in args.saturation:
        for level_db in args.levels:
            _report(chain, agent, human, level_db, saturation, args.minutes)


def _report(
    chain: Chain,
    agent: Float32Array,
    human: list[Float32Array],
    level_db: float,
    saturation: float,
    minutes: float,
) -> None:
    echo_level = HUMAN_LEVEL * 10 ** (-level_db / 20)
    room = Room(decay_ms=60, saturation=saturation)
    started = time.process_time()
    played = np.resize(agent, round(minutes * 60 * SAMPLE_RATE_HZ))
    false = list(_speech_starts(chain, played, np.zeros_like(played), room, echo_level))
    cost = (time.process_time() - started) / (len(played) / SAMPLE_RATE_HZ)
    delays = [_delay_ms(chain, agent, human, case, saturation, echo_level) for case in range(CASES)]
    found = sum(delay <= HEARD_WITHIN_MS for delay in delays)
    speaker = f"tanh x{saturation:g}" if saturation else "linear"
    print(
        f"{level_db:+6.0f} dB    {speaker:11}   {len(false):4d} in {minutes:g} min"
        f"       {found:5d} of {CASES}       {np.median(delays):6.0f} ms"
        f"   {100 * cost:.1f} % of a core",
        flush=True,
    )
    if false:
        print("      at", ", ".join(f"{start / SAMPLE_RATE_HZ:.1f} s" for start in false))
    if found < CASES:
        print("      delays", ", ".join(f"{delay:.0f}" for delay in delays), "ms")


def _delay_ms(
    chain: Chain,
    agent: Float32Array,
    human: list[Float32Array],
    case: int,
    saturation: float,
    echo_level: float,
) -> float:
    """Interrupt at a random place of the playback; how long until it is noticed?"""
    generator = np.random.default_rng(case)
    lead = round(LEAD_SECONDS * SAMPLE_RATE_HZ)
    interruption = human[case % len(human)]
    length = lead + len(interruption)
    offset = int(generator.integers(0, len(agent)))
    played = np.resize(np.roll(agent, -offset), length)
    heard = np.concatenate([np.zeros(lead, np.float32), interruption])
    room = Room(decay_ms=60, saturation=saturation, seed=case)
    for start in _speech_starts(chain, played, heard, room, echo_level):
        if start >= lead:
            return 1000 * (start - lead) / SAMPLE_RATE_HZ
    return float("inf")


def _speech_starts(
    chain: Chain, played: Float32Array, human: Float32Array, room: Room, echo_level: float
) -> Iterator[int]:
    """Yield where the detector decided that somebody speaks; each time it starts afresh."""
    canceller = EchoCanceller(suppressor=chain.suppressor)
    detector = TurnDetector(load_vad(), chain.config)
    microphone = _microphone(played, human, room, echo_level)
    for start in range(0, len(played) - CHUNK_SAMPLES + 1, CHUNK_SAMPLES):
        piece = slice(start, start + CHUNK_SAMPLES)
        canceller.push_playback(played[piece])
        clean = canceller.push_capture(microphone[piece]) if chain.cancel else microphone[piece]
        events = detector.push(AudioChunk(clean, SAMPLE_RATE_HZ), agent_speaking=True)
        if any(isinstance(event, SpeechStarted) for event in events):
            yield start + CHUNK_SAMPLES
            detector.reset()


def _microphone(
    played: Float32Array, human: Float32Array, room: Room, echo_level: float
) -> Float32Array:
    """What the microphone hears: echo at a level, the human, and noise."""
    simulated = EchoRoom(room)
    pieces = []
    for start in range(0, len(played), SAMPLE_RATE_HZ):
        piece = played[start : start + SAMPLE_RATE_HZ]
        simulated.push(piece)
        pieces.append(simulated.hear(len(piece)))
    echo = np.concatenate(pieces)
    echo *= echo_level / max(1e-9, float(np.sqrt(np.mean(np.square(echo)))))
    noise = np.random.default_rng(0).standard_normal(len(played)).astype(np.float32)
    heard = echo + human + NOISE_LEVEL * noise
    return np.asarray(np.clip(heard, -1, 1), np.float32)


def _playlist(paths: list[Path]) -> Float32Array:
    """The agent's voice: all files one after another at a common level."""
    gap = np.zeros(round(GAP_SECONDS * SAMPLE_RATE_HZ), np.float32)
    joined = np.concatenate([piece for path in paths for piece in (_load(path), gap)])
    return joined * np.float32(PLAYED_LEVEL / np.sqrt(np.mean(np.square(joined))))


def _speech(path: Path) -> Float32Array:
    """A human recording from its first audible 10 ms on, at the human's level."""
    samples = _load(path)
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    levels = np.sqrt(np.mean(np.square(frames), axis=1))
    active = np.sqrt(np.mean(np.square(levels[levels > np.median(levels)])))
    onset = int(np.argmax(levels > 0.15 * active)) * 160
    return samples[onset:] * np.float32(HUMAN_LEVEL / active)


def _load(path: Path) -> Float32Array:
    chunk = read_audio(path)
    return resample(chunk.samples, chunk.sample_rate_hz, SAMPLE_RATE_HZ)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--agent", type=Path, nargs="+", default=AGENT, metavar="FILE")
    parser.add_argument("--human", type=Path, nargs="+", default=HUMAN, metavar="FILE")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--levels", type=float, nargs="+", default=[-14, -6, 0], metavar="DB")
    parser.add_argument("--saturation", type=float, nargs="+", default=[0, 1.5], metavar="DRIVE")
    parser.add_argument("--without-aec3", action="store_true")
    parser.add_argument("--without-cancellation", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
