"""Batched step: what it costs nano to draw tokens for several sentences in one call.

    python benchmarks/batched_step.py [--batches 1 2 4 8] [--past 60]

The step graph is exported anew for each batch; needs `selftalk[export]`. Processor time of one
call, best of many; the share is what a sentence costs in company, compared to alone.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from harness import parser, publish

from selftalk.export.onnx import GraphSource, export_graph, save_graph
from selftalk.export.quantize import to_int8
from selftalk.models.nano import NanoConfig
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.stream.onnx import open_session

CALLS = 200


def step_source(config: NanoConfig, decoder: torch.nn.Module, batch: int, past: int) -> GraphSource:
    """The step for so many sentences at once."""
    width = config.decoder_width // config.decoder_heads
    state = torch.randn(config.decoder_layers, 2, batch, config.decoder_heads, past, width)
    inputs = (
        torch.zeros(batch, 1, dtype=torch.int64),
        torch.randn(batch, 1, config.text_width),
        torch.randn(batch, 1, 2),
        state,
    )
    names = ["previous", "context", "place", "state.past"]
    return GraphSource(decoder, inputs, names, ["logits", "next_state.past"], {})


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8])
    made.add_argument("--past", type=int, default=60, help="tokens drawn before")
    options = made.parse_args()
    config = NanoConfig()
    decoder = TextToTokens(config).decoder.eval()
    values: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for batch in options.batches:
            path = Path(folder) / f"step{batch}.onnx"
            source = step_source(config, decoder, batch, options.past)
            save_graph(to_int8(export_graph(source)), path)
            names = source.input_names
            feed = dict(zip(names, (x.numpy() for x in source.inputs), strict=True))
            session, times = open_session(path, options.threads), []
            for _ in range(CALLS):
                started = time.thread_time()
                session.run(None, feed)
                times.append(time.thread_time() - started)
            values[str(batch)] = {"call_ms": round(1000 * float(np.percentile(times, 10)), 3)}
    alone = values[str(options.batches[0])]["call_ms"] / options.batches[0]
    for batch in options.batches:
        share = values[str(batch)]["call_ms"] / batch / alone
        values[str(batch)]["share_of_alone"] = round(share, 2)
    publish(options, "batched step", "processor ms of one call of nano's step, int8", values)


if __name__ == "__main__":
    main()
