"""Kept graphs: what a start would gain from graphs kept as the runtime has optimised them.

    python benchmarks/kept_graphs.py [--bundle FOLDER] [--repetitions 5]

Each graph that speaking needs is opened as it is shipped, and from a copy that onnxruntime wrote
after optimising it, in turns; processor time, the median. Then a process that says one word, whole:
what share of it the graphs are.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import onnxruntime
from harness import open_bundle, parser, publish

from selftalk.stream.graphs.onnx import CPU_PROVIDERS
from selftalk.stream.synthesis.bundle import Bundle

SPOKEN_WITH = {
    "nano": ("t2s_prefill", "t2s_step", "vocoder"),
    "sovits": ("t2s_prefill", "t2s_step", "text_encoder", "decoder"),
}
KEPT_APART = "session.optimized_model_external_initializers_"


def open_seconds(path: Path, *, keep: Path | None = None, optimise: bool = True) -> float:
    """Processor time of opening a graph; `keep` writes it there as it was optimised."""
    made = onnxruntime.SessionOptions()
    made.intra_op_num_threads = 1
    made.log_severity_level = 3
    if keep:
        made.optimized_model_filepath = str(keep)
        # Weights that lie beside a graph are looked for beside its copy too.
        made.add_session_config_entry(f"{KEPT_APART}file_name", f"{keep.name}.weights")
        made.add_session_config_entry(f"{KEPT_APART}min_size_in_bytes", "1024")
    if not optimise:
        made.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    started = time.process_time()
    onnxruntime.InferenceSession(str(path), made, providers=list(CPU_PROVIDERS))
    return time.process_time() - started


def compare(path: Path, folder: Path, repetitions: int) -> dict[str, float]:
    """Open a graph as shipped and from its copy, in turns."""
    copy = folder / path.name
    open_seconds(path, keep=copy)
    times = [(open_seconds(path), open_seconds(copy, optimise=False)) for _ in range(repetitions)]
    shipped, kept = (1000 * statistics.median(column) for column in zip(*times, strict=True))
    size = sum(file.stat().st_size for file in folder.glob(f"{path.name}*"))
    return {"shipped_ms": round(shipped, 1), "kept_ms": round(kept, 1), "kept_mb": size // 10**6}


def process_seconds(*arguments: str) -> float:
    """Processor time of a Python process, from its first instruction to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def say_seconds(bundle: Bundle, voice: str | None, output: Path) -> float:
    """Processor time of `say` with one word."""
    chosen = ["--voice", voice] if voice else []
    said = ["say", "No.", "--bundle", str(bundle.folder), *chosen, "-o", str(output)]
    return process_seconds("-m", "selftalk.stream", *said)


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("--repetitions", type=int, default=5)
    options = made.parse_args()
    bundle = open_bundle(options)
    with tempfile.TemporaryDirectory() as folder:
        graphs: dict[str, Any] = {
            name: compare(bundle.graph_path(name), Path(folder), options.repetitions)
            for name in SPOKEN_WITH[bundle.manifest.kind]
        }
        said = say_seconds(bundle, options.voice, Path(folder) / "no.wav")
    total = {key: sum(row[key] for row in graphs.values()) for key in next(iter(graphs.values()))}
    values = {
        "bundle": bundle.manifest.name,
        "say_one_word_s": round(said, 2),
        "all": {key: round(value, 1) for key, value in total.items()},
        **graphs,
    }
    publish(options, "kept graphs", "processor ms to open a graph; seconds of `say`", values)


if __name__ == "__main__":
    main()
