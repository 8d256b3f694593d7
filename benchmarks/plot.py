"""Plots of saved results, for the documents.

    python benchmarks/plot.py OUT.png RESULT.json …

Each result gets a panel: the stages of first audio as a waterfall, real-time factors and first
audio of peers as bars. Needs matplotlib, which `selftalk[dev]` brings.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

OURS, OTHERS = "#1f6feb", "#9aa4b2"


def waterfall(axes: Axes, result: dict[str, Any]) -> None:
    """Stages of first audio, one after another."""
    start = 0.0
    stages = result["cpu_ms_of_stages"]
    for name, length in stages.items():
        axes.barh(name, length, left=start, color=OURS)
        axes.text(start + length, name, f" {length:.1f} ms", va="center")
        start += length
    axes.invert_yaxis()
    axes.set_xlim(0, 1.25 * start)
    axes.set_xlabel("processor time, ms")
    axes.set_title(f"first audio, {result['bundle']}, {result['threads']} thread(s)")


def bars(axes: Axes, values: dict[str, float], title: str, unit: str) -> None:
    """One bar for each name; less is better."""
    axes.barh(list(values), list(values.values()), color=[
        OURS if name.startswith(("ours", "nano")) else OTHERS for name in values
    ])  # fmt: skip
    for name, value in values.items():
        axes.text(value, name, f" {value:.2f}", va="center")
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2 * max(values.values()))
    axes.set_xlabel(unit)
    axes.set_title(title)


def panels(result: dict[str, Any]) -> list[Callable[[Axes], None]]:
    """The panels of a result."""
    if result["figure"] == "first audio":
        return [lambda axes: waterfall(axes, result)]
    if result["figure"] == "real-time factor":
        values = {f"{result['bundle']}, {result['threads']} thread(s)": result["cpu"]["median"]}
        return [lambda axes: bars(axes, values, "real-time factor", "processor s for 1 s of sound")]
    if result["figure"] == "batched step":
        entries = result.items()
        values = {f"{n} at once": one["share_of_alone"] for n, one in entries if n.isdigit()}
        title = "a token in company, compared to alone"
        return [lambda axes: bars(axes, values, title, "share of the processor time")]
    if result["figure"] == "peers":
        found = []
        for threads, engines in result["medians"].items():
            for key, title in (("first_cpu_s", "first audio"), ("rtf_cpu", "real-time factor")):
                values = {name: one[key] for name, one in engines.items()}
                label = f"{title}, {threads} thread(s)"
                found.append(
                    lambda axes, values=values, label=label: bars(
                        axes, values, label, "processor seconds"
                    )
                )
        return found
    return []


def main() -> None:
    """Draw and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("results", type=Path, nargs="+")
    options = parser.parse_args()
    results = [json.loads(path.read_text()) for path in options.results]
    drawn = [panel for result in results for panel in panels(result)]
    figure, axes = pyplot.subplots(
        len(drawn), 1, figsize=(7.5, 2.1 * len(drawn)), squeeze=False, layout="constrained"
    )
    for panel, place in zip(drawn, axes[:, 0], strict=True):
        panel(place)
        place.spines[["top", "right"]].set_visible(False)
    figure.suptitle(results[0]["machine"], fontsize=8)
    figure.savefig(options.output, dpi=110)


if __name__ == "__main__":
    main()
