"""Telemetry: what the server counts and measures, as Prometheus text.

Knows nothing about who counts; a name is known once it was counted. No label ever holds what a
client sent: neither texts nor tokens can show up here.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

PREFIX = "selftalk"
BUCKETS_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0)
Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_SECONDS) + 1))
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS_SECONDS, seconds)] += 1
        self.total += seconds


class Telemetry:
    """Counters, gauges and histograms; written in the event loop only."""

    def __init__(self) -> None:
        self._counters: defaultdict[str, defaultdict[Labels, float]] = defaultdict(
            lambda: defaultdict(float)
        )
        self._histograms: defaultdict[str, defaultdict[Labels, _Histogram]] = defaultdict(
            lambda: defaultdict(_Histogram)
        )
        self._gauges: dict[str, Callable[[], float]] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; its name should end in `_total`."""
        self._counters[name][_labels(labels)] += amount

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add a duration to a histogram; its name should end in `_seconds`."""
        self._histograms[name][_labels(labels)].observe(seconds)

    def gauge(self, name: str, value: Callable[[], float]) -> None:
        """Ask `value` whenever somebody looks."""
        self._gauges[name] = value

    def counted(self, name: str, **labels: str) -> float:
        """The value of a counter."""
        return self._counters[name][_labels(labels)]

    def text(self) -> str:
        """Everything in the text format of Prometheus."""
        lines: list[str] = []
        for name, value in self._gauges.items():
            lines += [f"# TYPE {PREFIX}_{name} gauge", f"{PREFIX}_{name} {value():g}"]
        for name, by_labels in self._counters.items():
            lines.append(f"# TYPE {PREFIX}_{name} counter")
            lines += [f"{PREFIX}_{name}{_shown(at)} {amount:g}" for at, amount in by_labels.items()]
        for name, by_label in self._histograms.items():
            lines.append(f"# TYPE {PREFIX}_{name} histogram")
            for at, histogram in by_label.items():
                lines += _histogram_lines(f"{PREFIX}_{name}", at, histogram)
        return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def _shown(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""


def _histogram_lines(name: str, labels: Labels, histogram: _Histogram) -> list[str]:
    lines = []
    so_far = 0
    for bound, count in zip([*map(str, BUCKETS_SECONDS), "+Inf"], histogram.counts, strict=True):
        so_far += count
        lines.append(f"{name}_bucket{_shown((*labels, ('le', bound)))} {so_far}")
    lines.append(f"{name}_sum{_shown(labels)} {histogram.total:g}")
    lines.append(f"{name}_count{_shown(labels)} {so_far}")
    return lines
