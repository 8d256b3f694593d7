"""StatefulGraph: an ONNX graph whose streaming state goes in and comes out as values.

Ports named `state.X` and `next_state.X` belong together; everything else is an input or an
output. A snapshot is a dictionary of arrays, so a voice, a pause or a rewind is a saved state.
Knows nothing about what a graph computes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from selftalk.stream.errors import BundleError
from selftalk.stream.graphs.onnx import CPU_PROVIDERS, open_session

State = dict[str, npt.NDArray[Any]]

BEFORE, AFTER = "state.", "next_state."


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Where and how a graph is run."""

    threads: int = 1
    providers: tuple[str, ...] = CPU_PROVIDERS


ON_ONE_CORE = RunOptions()


class Graph:
    """An ONNX graph that is safe to share between threads: it holds no state."""

    def __init__(self, path: Path | bytes, run: RunOptions = ON_ONE_CORE) -> None:
        self._session = open_session(path, run.threads, run.providers)
        self.inputs = [port.name for port in self._session.get_inputs()]
        self.outputs = [port.name for port in self._session.get_outputs()]
        self._states = [name[len(BEFORE) :] for name in self.inputs if name.startswith(BEFORE)]
        missing = [name for name in self._states if AFTER + name not in self.outputs]
        if missing:
            named = "a graph" if isinstance(path, bytes) else f"graph '{path.name}'"
            raise BundleError(f"{named} takes the state '{missing[0]}' but returns none")

    def run(self, **inputs: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """Run a graph without state: named arrays in, named arrays out."""
        return self.advance({}, **inputs)[0]

    def advance(
        self, state: Mapping[str, npt.NDArray[Any]], **inputs: npt.NDArray[Any]
    ) -> tuple[dict[str, npt.NDArray[Any]], State]:
        """Run from a state; return the named outputs and the state afterwards."""
        feed = dict(inputs) | {BEFORE + name: value for name, value in state.items()}
        results = dict(zip(self.outputs, self._session.run(None, feed), strict=True))
        after = {name: results.pop(AFTER + name) for name in self._states}
        return results, after


class StatefulGraph:
    """One stream through a shared `Graph`."""

    def __init__(self, graph: Graph, initial: Mapping[str, npt.NDArray[Any]]) -> None:
        self._graph = graph
        self._initial = dict(initial)
        self._state: State = dict(initial)

    def push(self, **inputs: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        """Run the next piece."""
        outputs, self._state = self._graph.advance(self._state, **inputs)
        return outputs

    def reset(self) -> None:
        """Go back to the state before the first piece."""
        self._state = dict(self._initial)

    def snapshot(self) -> State:
        """The state now; later pushes do not change it."""
        return {name: value.copy() for name, value in self._state.items()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from a snapshot."""
        self._state = dict(state)


def zeros(shapes: Mapping[str, tuple[int, ...]]) -> State:
    """An initial state of zeros: {port: shape} → {port: float32 array}."""
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
