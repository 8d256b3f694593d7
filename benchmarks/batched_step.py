"""Batched step: what it costs to draw tokens for several sentences in one call.

    python benchmarks/batched_step.py [--batches 1 2 4 8] [--bundle FOLDER] [--past 60]

The step of an imported voice (`--bundle`) takes any number of sentences; that of nano is exported
anew for each, in random weights, which needs `selftalk[export]`. Batches take turns. Processor time
of one call, the tenth of ten that is best; the share is what a sentence costs in company, compared
to alone, and `gain` how many times more sentences the same processor could draw tokens for.
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from harness import parser, publish

from selftalk.stream.graphs.graph import AFTER, BEFORE
from selftalk.stream.graphs.onnx import Session, open_session
from selftalk.stream.synthesis.bundle import Bundle

Feed = dict[str, npt.NDArray[Any]]
Step = Callable[[], Any]
CALLS = 60
ROUNDS = 4


def nano_steps(options: argparse.Namespace) -> Iterator[Step]:
    """Nano's step for each batch, and something to be said."""
    logging.basicConfig(level=logging.ERROR)  # the quantizer would log everybody's lines
    import torch

    from selftalk.export.onnx import GraphSource, export_graph, save_graph
    from selftalk.export.quantize import to_int8
    from selftalk.models.nano import NanoConfig
    from selftalk.models.training.t2s_task import TextToTokens

    config = NanoConfig()
    decoder = TextToTokens(config).decoder.eval()
    width = config.decoder_width // config.decoder_heads
    names = ["previous", "context", "place", "state.past"]
    for B in options.batches:
        inputs = (
            torch.zeros(B, 1, dtype=torch.int64),
            torch.randn(B, 1, config.text_width),
            torch.randn(B, 1, 2),
            torch.randn(config.decoder_layers, 2, B, config.decoder_heads, options.past, width),
        )
        source = GraphSource(decoder, inputs, names, ["logits", "next_state.past"], {})
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "step.onnx"
            save_graph(to_int8(export_graph(source)), path)
            feed = {name: x.numpy() for name, x in zip(names, inputs, strict=True)}
            yield partial(open_session(path, options.threads).run, None, feed)


def sovits_steps(options: argparse.Namespace) -> Iterator[Step]:
    """The step of an imported voice for each batch; the session is the same."""
    bundle = Bundle.load(options.bundle)
    session = open_session(bundle.graph_path("t2s_step"), options.threads)
    random = np.random.default_rng(0)
    for B in options.batches:
        # Ports with one free axis hold something for each sentence, those with two for each slot.
        feed: Feed = {}
        for port in session.get_inputs():
            free = [index for index, size in enumerate(port.shape) if not isinstance(size, int)]
            sizes = dict(zip(free, (B, options.past), strict=False))
            shape = [sizes.get(index, size) for index, size in enumerate(port.shape)]
            feed[port.name] = (
                random.standard_normal(shape, np.float32)
                if port.type == "tensor(float)"
                else np.full(shape, options.past - 1, np.int32)
                if port.name == "filled"
                else np.full(shape, 60, np.int64)
            )
        yield in_place(session, feed)


def in_place(session: Session, feed: Feed) -> Step:
    """A step that writes the cache where it lies, as the runtime does."""
    binding = session.io_binding()
    for name, array in feed.items():
        binding.bind_cpu_input(name, array)
    for port in session.get_outputs():
        before = feed.get(BEFORE + port.name.removeprefix(AFTER))
        if before is None:
            binding.bind_output(port.name)
        else:
            where = ("cpu", 0, np.float32, before.shape, before.ctypes.data)
            binding.bind_output(port.name, *where)

    def step() -> Feed:
        session.run_with_iobinding(binding)
        return feed  # which has to live as long as the binding

    return step


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8])
    made.add_argument("--past", type=int, default=60, help="tokens drawn before, or slots filled")
    options = made.parse_args()
    steps = list((sovits_steps if options.bundle else nano_steps)(options))
    times: dict[int, list[float]] = {batch: [] for batch in options.batches}
    for _ in range(ROUNDS):
        for batch, step in zip(options.batches, steps, strict=True):
            times[batch] += [call_seconds(step) for _ in range(CALLS // batch)]
    calls = {batch: 1000 * float(np.percentile(found, 10)) for batch, found in times.items()}
    first = options.batches[0]
    values = {
        str(batch): {
            "call_ms": round(calls[batch], 3),
            "share_of_alone": round(calls[batch] / batch / (calls[first] / first), 2),
            "gain": round((calls[first] / first) / (calls[batch] / batch), 2),
        }
        for batch in options.batches
    }
    name = Bundle.load(options.bundle).manifest.name if options.bundle else "nano"
    publish(
        options,
        "batched step",
        f"processor ms of one call of the step of {name}, int8, {options.past} slots filled",
        {"bundle": name, **values},
    )


def call_seconds(step: Step) -> float:
    """Processor time of one call, its pool of threads included."""
    started = time.process_time()
    step()
    return time.process_time() - started


if __name__ == "__main__":
    main()
