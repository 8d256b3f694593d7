"""Report: many results as a few figures, each error rate with its confidence interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from selftalk.stream.evaluation.measures import Result
from selftalk.stream.listening.wer import total_error_rate

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of one system on one set."""

    system: str
    sentences: int
    words: int
    """Of the sentences; characters in Chinese."""
    error_rate: float
    interval: tuple[float, float]
    """95 %, by drawing sentences again and again with replacement."""
    skipped: float
    """Words that were not heard, for each word that was to be said."""
    repeated: float
    """Words that were heard but not to be said."""
    first_audio_ms: float
    rtf: float
    ratings: dict[str, float]


def summarize(system: str, results: Sequence[Result]) -> Summary:
    """Sum results up."""
    assert results, "there is nothing to sum up"
    total = total_error_rate(result.errors for result in results)
    errors = np.array([result.errors.errors for result in results], float)
    words = np.array([result.errors.reference_words for result in results], float)
    seconds = sum(result.spoken.audio.duration_seconds for result in results)
    return Summary(
        system=system,
        sentences=len(results),
        words=total.reference_words,
        error_rate=total.rate,
        interval=bootstrap(errors, words),
        skipped=total.deletions / total.reference_words,
        repeated=total.insertions / total.reference_words,
        first_audio_ms=1000 * float(np.median([r.spoken.first_audio_seconds for r in results])),
        rtf=sum(result.spoken.busy_seconds for result in results) / seconds,
        ratings={
            name: float(np.mean([result.ratings[name] for result in results]))
            for name in results[0].ratings
        },
    )


def bootstrap(errors: np.ndarray, words: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a ratio of sums over (N,) sentences; its chance is fixed."""
    draws = np.random.default_rng(0).integers(0, len(errors), (RESAMPLES, len(errors)))
    low, high = np.percentile(errors[draws].sum(1) / words[draws].sum(1), [2.5, 97.5])
    return float(low), float(high)


def table(summaries: Sequence[Summary]) -> str:
    """Summaries as a table for people, one line each."""
    names = list(dict.fromkeys(name for summary in summaries for name in summary.ratings))
    header = ["system", "errors", "95 %", "skipped", "extra", *names, "first ms", "rtf"]
    rows = [header] + [
        [
            summary.system,
            f"{100 * summary.error_rate:.1f} %",
            f"{100 * summary.interval[0]:.1f} to {100 * summary.interval[1]:.1f}",
            f"{100 * summary.skipped:.1f} %",
            f"{100 * summary.repeated:.1f} %",
            *(f"{summary.ratings[name]:.2f}" if name in summary.ratings else "-" for name in names),
            f"{summary.first_audio_ms:.0f}",
            f"{summary.rtf:.3f}",
        ]
        for summary in summaries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
