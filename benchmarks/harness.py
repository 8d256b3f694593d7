"""What the speed scripts share: arguments, sentences, clocks, and how results are told.

Every result names the figure, how it was measured, and the machine. `--json` prints one object,
`--save FILE` writes it for `plot.py`.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import onnxruntime

from selftalk.stream.cli.verify import choose_voice
from selftalk.stream.graphs.graph import RunOptions
from selftalk.stream.machine import describe
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, Synthesizer, open_synthesizer
from selftalk.stream.synthesis.voices import Voice

HELD_OUT = resources.files("selftalk.configs") / "nano-text"


def parser(description: str, *, sentences: int = 20) -> argparse.ArgumentParser:
    """The arguments that every script understands."""
    made = argparse.ArgumentParser(description=description.split("\n")[0])
    made.add_argument("--bundle", type=Path, help="folder of a voice model; by default the shipped")
    made.add_argument("--voice", help="by default the first of the bundle")
    made.add_argument("--sentences", type=int, default=sentences)
    made.add_argument("--threads", type=int, default=1, help="for tokens, and for sound")
    made.add_argument("--json", action="store_true", help="print one JSON object")
    made.add_argument("--save", type=Path, help="write it to a file too")
    return made


def open_bundle(options: argparse.Namespace) -> Bundle:
    """The bundle that was asked for."""
    return Bundle.load(options.bundle) if options.bundle else default_bundle()


def open_voice(options: argparse.Namespace) -> tuple[Synthesizer, Voice]:
    """A warm synthesizer and a voice for it."""
    bundle, run = open_bundle(options), RunOptions(options.threads)
    language = SynthesisOptions(language=bundle.manifest.languages[0])
    synthesizer = open_synthesizer(bundle, language, decoder_run=run, vocoder_run=run)
    voice = choose_voice(synthesizer, options.voice)
    synthesizer.warm_up()
    return synthesizer, voice


def texts(bundle: Bundle, count: int) -> list[str]:
    """So many held-out sentences in the bundle's first language, again and again if need be."""
    path = HELD_OUT / f"heldout_{bundle.manifest.languages[0]}.txt"
    lines = path.read_text("utf-8").splitlines()
    return [lines[index % len(lines)] for index in range(count)]


class Stopwatch:
    """Seconds of the clock and of the processor since it was made or set back."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin at 0."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Wall and processor seconds."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, and what one in twenty exceeds."""
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"median": round(statistics.median(ordered), 4), "p95": round(high, 4)}


def resident_mb() -> float:
    """Memory that this process holds now."""
    return _status_mb("VmRSS")


def peak_mb() -> float:
    """The most memory that this process ever held."""
    return _status_mb("VmHWM")


def _status_mb(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return float("nan")


def publish(options: argparse.Namespace, figure: str, method: str, values: dict[str, Any]) -> None:
    """Print the result, and save it if asked to."""
    result = {
        "figure": figure,
        "method": method,
        "machine": describe(),
        "onnxruntime": onnxruntime.__version__,
        **values,
    }
    if options.save:
        options.save.write_text(json.dumps(result, indent=1) + "\n")
    if options.json:
        print(json.dumps(result))
        return
    print(f"{figure}: {method}\n{describe()}, onnxruntime {onnxruntime.__version__}")
    for name, value in values.items():
        print(f"  {name:24} {value}")
