"""Concurrency: how many listeners can be spoken to at once without a gap.

    python benchmarks/concurrency.py [--bundle FOLDER] [--streams 1 2 4 8] [--seconds 30]

All streams share one synthesizer. Each has a player that starts with its first chunk and then goes
on in real time; generation pauses when it is 3 s ahead, as in a conversation. A gap is a chunk that
comes after the player has run out.
"""

import threading
import time
from dataclasses import dataclass, field

from harness import Stopwatch, open_voice, parser, publish, summary, texts

from selftalk.stream.synthesizer import Synthesizer
from selftalk.stream.voices import Voice

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
    synthesizer: Synthesizer, voice: Voice, lines: list[str], seconds: float, listener: Listener
) -> None:
    """Speak until so many seconds were heard."""
    asked = time.perf_counter()
    while True:
        for line in lines:
            for chunk in synthesizer.stream(line, voice):
                listener.hear(asked, chunk.audio.duration_seconds)
                listener.wait()
                if listener.audio_seconds > seconds:
                    return


def measure(
    synthesizer: Synthesizer, voice: Voice, lines: list[str], streams: int, seconds: float
) -> dict[str, object]:
    """Speak to so many listeners at once."""
    listeners = [Listener() for _ in range(streams)]
    threads = [
        threading.Thread(target=listen, args=(synthesizer, voice, lines[i:], seconds, one))
        for i, one in enumerate(listeners)
    ]
    watch = Stopwatch()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, cpu = watch.read()
    heard = sum(one.audio_seconds for one in listeners)
    gaps = [gap for one in listeners for gap in one.gaps_ms]
    return {
        "gaps": len(gaps),
        "longest_gap_ms": round(max(gaps, default=0.0)),
        "first_audio_ms": summary([one.first_ms for one in listeners]),
        "cpu_for_a_second": round(cpu / heard, 4),
        "cores_busy": round(cpu / wall, 2),
    }


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("--streams", type=int, nargs="+", default=[1, 2, 4, 8])
    made.add_argument("--seconds", type=float, default=30)
    options = made.parse_args()
    synthesizer, voice = open_voice(options)
    lines = texts(synthesizer.bundle, options.sentences)
    values = {
        str(streams): measure(synthesizer, voice, lines, streams, options.seconds)
        for streams in options.streams
    }
    publish(options, "concurrency", "real-time listeners of one synthesizer", values)


if __name__ == "__main__":
    main()
