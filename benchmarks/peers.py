"""The same full-size GPT-SoVITS v2 voice in our engine and in its peers, side by side.

    python benchmarks/peers.py setup FOLDER [--engines ours]
    python benchmarks/peers.py measure FOLDER [--threads 1 2] [--rounds 3] [--save FILE]

`setup` installs each peer from the package index into an environment of its own, without its front
ends, writes a random checkpoint in the official layout, and lets whoever must convert it; what pip
finds in its settings and in PIP_… variables holds, a CPU-only torch for instance. What is there
already is kept, but for our own bundle, which is made anew.

`measure` takes turns, a fresh process each time: A B C D, A B C D, …; the first utterance of a
process is not counted. Every round is saved as it ends, and `--append` adds rounds to those in the
file. Processor time is what to compare on a machine that is not quiet; `others` says how many cores
other programs were using meanwhile. First audio counts from phones to the first samples.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import onnxruntime

from selftalk.stream.machine import describe

RIVALS = Path(__file__).parent / "rivals"
TORCH = "torch==2.13.0"
PEERS = {  # script: package, and what it needs when front ends are left out
    "cpufast": (
        "gpt-sovits-cpufast==0.1.0",
        (TORCH, "numpy<2", "einops", "tqdm", "packaging", "torchmetrics"),
    ),
    "gsv_lite": (
        "gsv-tts-lite==0.4.7",
        (TORCH, "numpy", "einops", "tqdm", "transformers", "safetensors", "soundfile",
         "onnxruntime", "requests", "psutil"),
    ),
    "genie": (
        "genie-tts==2.0.2",
        (TORCH, "onnx", "onnxruntime==1.22.1", "numpy", "soundfile", "soxr", "tokenizers",
         "pydantic", "pyyaml"),
    ),
}  # fmt: skip
OURS = "ours"
INSTALLED = "installed.txt"
"""Written when an environment is complete."""
FIGURES = ("first_cpu_s", "first_wall_s", "first_audio_s", "rtf_cpu", "rtf_wall", "others",
           "peak_mb", "load_cpu_s")  # fmt: skip
Told = dict[str, dict[str, list[dict[str, float]]]]
"""What was measured: {threads: {engine: [{figure: value}]}}."""


def main() -> None:
    """Set up or measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=("setup", "measure"))
    parser.add_argument("folder", type=Path, help="for environments and checkpoints, 6 GB")
    parser.add_argument("--engines", nargs="+", choices=(*PEERS, OURS), default=[*PEERS, OURS])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--append", action="store_true", help="to the rounds in that file")
    options = parser.parse_args()
    if options.append and not options.save:
        parser.error("--append needs --save FILE")
    options.folder = options.folder.absolute()
    if options.action == "setup":
        set_up(options.folder, options.engines)
    else:
        report(options, measure(options))


def set_up(folder: Path, engines: list[str]) -> None:
    """Environments, checkpoint, conversions; what is there already is kept."""
    for name in engines:
        if name in PEERS and not (folder / "environments" / name / INSTALLED).is_file():
            install(folder, name)
    if not (folder / "random-v2.pth").is_file():
        run(folder, "cpufast", "checkpoint.py", str(folder))
    if OURS in engines:
        run(folder, OURS, "ours.py", str(folder), "--convert")
    if "genie" in engines:
        run(folder, "genie", "genie.py", str(folder), "--repetitions", "0")


def install(folder: Path, name: str) -> None:
    """A virtual environment with one peer."""
    package, needed = PEERS[name]
    environment = folder / "environments" / name
    venv.create(environment, clear=True, with_pip=True)
    pip = [str(python_of(folder, name)), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", package], check=True)
    subprocess.run([*pip, *needed], check=True)
    (environment / INSTALLED).write_text(package + "\n")


def python_of(folder: Path, name: str) -> Path:
    """The interpreter of an engine."""
    if name == OURS:
        return Path(sys.executable)
    return folder / "environments" / name / ("Scripts" if os.name == "nt" else "bin") / "python"


def run(folder: Path, name: str, script: str, *arguments: str, threads: int = 1) -> str:
    """Run a script of `rivals` in an engine's environment; return its last line."""
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    done = subprocess.run(
        [str(python_of(folder, name)), str(RIVALS / script), *arguments],
        env=os.environ | limits,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr[-3000:]}")
    return done.stdout.strip().rpartition("\n")[2]


def measure(options: argparse.Namespace) -> Told:
    """Take turns; what each engine told, by number of threads and engine."""
    told: Told = json.loads(options.save.read_text())["runs"] if options.append else {}
    for threads in options.threads:
        rounds = told.setdefault(str(threads), {})
        for _ in range(options.rounds):
            for name in options.engines:
                arguments = (str(options.folder), "--threads", str(threads),
                             "--repetitions", str(options.repetitions))  # fmt: skip
                line = run(options.folder, name, f"{name}.py", *arguments, threads=threads)
                result = json.loads(line)
                memory = {name: result[name] for name in ("peak_mb", "load_cpu_s")}
                rounds.setdefault(name, []).extend(one | memory for one in result["runs"])
                print(f"{threads} threads, {name}: {line}", file=sys.stderr)
            if options.save:
                options.save.write_text(json.dumps(summed_up(told), indent=1) + "\n")
    return told


def summed_up(told: Told) -> dict[str, Any]:
    """The result as it is saved: medians, and every single run."""
    medians = {
        threads: {
            name: {key: round(statistics.median(one[key] for one in runs), 4) for key in FIGURES}
            for name, runs in engines.items()
        }
        for threads, engines in told.items()
    }
    packages = {name: package for name, (package, _) in PEERS.items()}
    return {
        "figure": "peers",
        "machine": describe(),
        "packages": packages | {OURS: f"onnxruntime=={onnxruntime.__version__}"},
        "medians": medians,
        "times_less": {threads: times_less(engines) for threads, engines in medians.items()},
        "runs": told,
    }


def times_less(engines: dict[str, dict[str, float]]) -> dict[str, float]:
    """How many times less our engine takes than the best peer."""
    peers = [values for name, values in engines.items() if name != OURS]
    if OURS not in engines or not peers:
        return {}
    compared = ("first_cpu_s", "rtf_cpu", "peak_mb")
    return {key: round(min(one[key] for one in peers) / engines[OURS][key], 2) for key in compared}


def report(options: argparse.Namespace, told: Told) -> None:
    """Print medians and ratios, or everything as JSON."""
    result = summed_up(told)
    if options.json:
        print(json.dumps(result))
        return
    print(result["machine"])
    for threads, engines in result["medians"].items():
        print(f"\n{threads} threads  " + "".join(f"{key:>14}" for key in FIGURES))
        for name, values in engines.items():
            print(f"{name:10} " + "".join(f"{values[key]:14.3f}" for key in FIGURES))
        for key, ratio in result["times_less"][threads].items():
            print(f"{key}: {ratio:.2f} times less than the best peer")


if __name__ == "__main__":
    main()
