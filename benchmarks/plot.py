"""Plots of saved results, for the documents.

    python benchmarks/plot.py OUT.png RESULT.json …

Results are what scripts wrote with `--save`. The stages of a turn and of first audio become
waterfalls; real-time factors, listeners at once and what peers need become bars. Needs matplotlib,
which `selftalk[dev]` brings.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

Panel = Callable[[Axes], None]
OURS, OTHERS = "#1f6feb", "#9aa4b2"
PEER_NAMES = {
    "cpufast": "gpt-sovits-cpufast", "gsv_lite": "gsv-tts-lite", "genie": "genie-tts",
    "ours": "selftalk",
}  # fmt: skip
RIVALS = {name for engine, name in PEER_NAMES.items() if engine != "ours"}
MOST_IN_A_COLUMN = 3


def waterfall(axes: Axes, stages: dict[str, float], title: str, unit: str) -> None:
    """Stages, one after another."""
    start = 0.0
    for name, length in stages.items():
        axes.barh(name, length, left=start, color=OURS)
        axes.text(start + length, name, f" {length:.0f} ms", va="center")
        start += length
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2 * start)
    axes.set_xlabel(unit)
    axes.set_title(f"{title}: {start:.0f} ms")


def bars(axes: Axes, values: dict[str, float], title: str, unit: str) -> None:
    """One bar for each name; less is better."""
    colours = [OTHERS if name in RIVALS else OURS for name in values]
    axes.barh(list(values), list(values.values()), color=colours)
    for name, value in values.items():
        axes.text(value, name, f" {value:.2f}" if value < 100 else f" {value:.0f}", va="center")
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2 * max(values.values()))
    axes.set_xlabel(unit)
    axes.set_title(title)


def panels(result: dict[str, Any]) -> list[Panel]:
    """The panels of a result.

    Raises:
        SystemExit: there is no picture of this figure.
    """
    if result["figure"] not in DRAWN:
        raise SystemExit(f"there is no picture of '{result['figure']}'; of {', '.join(DRAWN)}")
    return list(DRAWN[result["figure"]](result))


def turn_panels(result: dict[str, Any]) -> Iterator[Panel]:
    """From the last sound of the user to the first of the reply, for each responder."""
    for responder, medians in result["medians_ms"].items():
        stages = {name: ms for name, ms in medians.items() if name != "voice_to_voice" and ms >= 1}
        title = f"voice to voice, {responder}"
        yield partial(waterfall, stages=stages, title=title, unit="ms, median")


def first_audio_panels(result: dict[str, Any]) -> Iterator[Panel]:
    """From phonemes to the first sound."""
    title = f"first audio, {result['bundle']}, {threads_of(result['threads'])}"
    stages = result["cpu_ms_of_stages"]
    yield partial(waterfall, stages=stages, title=title, unit="processor time, ms, median")


def rtf_panels(result: dict[str, Any]) -> Iterator[Panel]:
    """Computing for a second of sound."""
    label = f"{result['bundle']}, {threads_of(result['threads'])}"
    values = {label: result["cpu"]["median"]}
    unit = "processor s for 1 s of sound"
    yield partial(bars, values=values, title="real-time factor", unit=unit)


def batch_panels(result: dict[str, Any]) -> Iterator[Panel]:
    """Tokens drawn in company."""
    entries = result.items()
    values = {f"{n} at once": one["share_of_alone"] for n, one in entries if n.isdigit()}
    title = f"a token of {result['bundle']} in company, compared to alone"
    yield partial(bars, values=values, title=title, unit="share of the processor time")


def peer_panels(result: dict[str, Any]) -> Iterator[Panel]:
    """All engines side by side."""
    shown = (
        ("first_cpu_s", "first audio", "processor seconds"),
        ("rtf_cpu", "real-time factor", "processor seconds for 1 s of sound"),
        ("peak_mb", "peak memory", "MB"),
    )
    for key, title, unit in shown:
        for threads, engines in result["medians"].items():
            values = {PEER_NAMES.get(name, name): one[key] for name, one in engines.items()}
            label = f"{title}, {threads_of(threads)}"
            yield partial(bars, values=values, title=label, unit=unit)


def threads_of(count: int | str) -> str:
    """A number of threads in words."""
    return f"{count} thread{'' if int(count) == 1 else 's'}"


DRAWN: dict[str, Callable[[dict[str, Any]], Iterator[Panel]]] = {
    "voice to voice": turn_panels,
    "first audio": first_audio_panels,
    "real-time factor": rtf_panels,
    "batched step": batch_panels,
    "peers": peer_panels,
}


def main() -> None:
    """Draw and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("results", type=Path, nargs="+")
    options = parser.parse_args()
    results = [json.loads(path.read_text()) for path in options.results]
    drawn = [panel for result in results for panel in panels(result)]
    columns = 2 if len(drawn) > MOST_IN_A_COLUMN else 1
    rows = -(-len(drawn) // columns)
    figure, axes = pyplot.subplots(
        rows, columns, figsize=(6.5 * columns, 2.1 * rows), squeeze=False, layout="constrained"
    )
    for place in axes.flat[len(drawn) :]:
        place.set_visible(False)
    for panel, place in zip(drawn, axes.flat, strict=False):
        panel(place)
        place.spines[["top", "right"]].set_visible(False)
    figure.suptitle(results[0]["machine"], fontsize=8)
    figure.savefig(options.output, dpi=110)


if __name__ == "__main__":
    main()
