"""Concurrency: how many listeners can be spoken to at once without a gap.

    python benchmarks/concurrency.py [--bundle FOLDER] [--streams 1 2 4 8] [--seconds 30] [--free]

All streams share one synthesizer. Each has a player that starts with its first chunk and then goes
on in real time; generation pauses when it is 3 s ahead, as in a conversation. A gap is a chunk that
comes after the player has run out. With `--free` nobody waits for a player: what is told is
processor time alone, which a busy machine does not spoil.
"""

import argparse
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from harness import Stopwatch, open_voice, parser, publish, summary, texts

from selftalk.stream.synthesis.synthesizer import Synthesizer
from selftalk.stream.synthesis.voices import Voice

LEAD_SECONDS = 3.0


@dataclass
class Listener:
    """One player; counts by how much sound came too late."""

    first_ms: float = 0.0
    audio_seconds: float = 0.0
    gaps_ms: list[float] = field(default_factory=list)
    _begun: float = 0.0

    def hear(self, asked: float, seconds: float) -> None:
        """A chunk of so many seconds has come."""
        now = time.perf_counter()
        if not self._begun:
            self._begun, self.first_ms = now, 1000 * (now - asked)
        late = now - (self._begun + self.audio_seconds)
        if late > 0 and self.audio_seconds:
            self.gaps_ms.append(1000 * late)
            self._begun += late
        self.audio_seconds += seconds

    def wait(self) -> None:
        """Let the player catch up when generation is far ahead."""
        ahead = self._begun + self.audio_seconds - time.perf_counter()
        time.sleep(max(0.0, ahead - LEAD_SECONDS))


def listen(
    synthesizer: Synthesizer, voice: Voice, lines: list[str], options: argparse.Namespace
) -> Listener:
    """Speak until so many seconds were heard, beginning with the first of the lines."""
    listener, asked = Listener(), time.perf_counter()
    for line in itertools.cycle(lines):
        for chunk in synthesizer.stream(line, voice):
            listener.hear(asked, chunk.audio.duration_seconds)
            if listener.audio_seconds > options.seconds:
                return listener
            if not options.free:
                listener.wait()
    raise AssertionError("there are no lines")


def measure(
    synthesizer: Synthesizer,
    voice: Voice,
    lines: list[str],
    streams: int,
    options: argparse.Namespace,
) -> dict[str, object]:
    """Speak to so many listeners at once; each begins with another line."""
    rotated = [lines[i % len(lines) :] + lines[: i % len(lines)] for i in range(streams)]
    watch = Stopwatch()
    with ThreadPoolExecutor(streams) as pool:
        listeners = list(pool.map(lambda own: listen(synthesizer, voice, own, options), rotated))
    wall, cpu = watch.read()
    heard = sum(one.audio_seconds for one in listeners)
    told: dict[str, object] = {
        "heard_s": round(heard, 2),
        "cpu_for_a_second": round(cpu / heard, 4),
    }
    if options.free:
        return told
    gaps = [gap for one in listeners for gap in one.gaps_ms]
    return told | {
        "gaps": len(gaps),
        "longest_gap_ms": round(max(gaps, default=0.0)),
        "first_audio_ms": summary([one.first_ms for one in listeners]),
        "cores_busy": round(cpu / wall, 2),
    }


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("--streams", type=int, nargs="+", default=[1, 2, 4, 8])
    made.add_argument("--seconds", type=float, default=30)
    made.add_argument("--free", action="store_true", help="nobody waits for a player")
    options = made.parse_args()
    synthesizer, voice = open_voice(options)
    lines = texts(synthesizer.bundle, options.sentences)
    values = {
        str(streams): measure(synthesizer, voice, lines, streams, options)
        for streams in options.streams
    }
    kind = "streams as fast as they go" if options.free else "real-time listeners"
    method = f"{kind}, one synthesizer, {options.threads} thread(s) for tokens and for sound each"
    publish(options, "concurrency", method, {"bundle": synthesizer.bundle.manifest.name, **values})


if __name__ == "__main__":
    main()
