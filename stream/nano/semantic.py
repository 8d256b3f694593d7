"""SemanticDecoder: symbols → durations at once, then semantic tokens one by one.

Prefill reads the whole sentence and says how long every symbol lasts; each step then adds one
token to an explicit state. Knows nothing about text or sound.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from selftalk.stream.graphs.graph import ON_ONE_CORE, Graph, RunOptions, zeros
from selftalk.stream.nano.alignment import Alignment, align
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.sampling import Sampler, SamplingConfig

Int64Array = npt.NDArray[np.int64]

LONGEST_UNITS = 60  # 1.5 s: no symbol is held longer, whatever the network says


# Lengths are planned, so nothing has to be done against loops: a penalty would only hurt.
DEFAULT_SAMPLING = SamplingConfig(top_k=20, temperature=0.35, repetition_penalty=1.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be said and when, before the first token; N symbols, T tokens."""

    symbols: Int64Array  # (N,)
    context: Float32Array  # (N, C)
    alignment: Alignment


class SemanticDecoder:
    """Safe to share between threads: every sentence has its own state."""

    def __init__(
        self,
        bundle: Bundle,
        run: RunOptions = ON_ONE_CORE,
        graphs: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        """Open the graphs of a bundle, or personal `graphs` in place of those that are given."""
        prefill, step = (
            graphs.get(name) or bundle.graph_path(name) for name in ("t2s_prefill", "t2s_step")
        )
        self._prefill, self._step = Graph(prefill, run), Graph(step, run)
        self._initial = zeros(bundle.state_shapes("t2s_step"))
        self._start = int(bundle.manifest.numbers["start_token"])

    def prefill(self, symbols: Int64Array, speaker: Float32Array, speed: float = 1.0) -> Plan:
        """Plan a sentence.

        Args:
            symbols: (N,) ids, silence first and last.
            speaker: (S,) speaker vector.
            speed: 1 is the voice's own; 2 is twice as fast.
        """
        outputs = self._prefill.run(symbols=symbols[None], speaker=speaker[None])
        durations = planned_units(outputs["log_durations"][0], speed)
        return Plan(symbols, outputs["context"][0], align(durations))

    def tokens(self, plan: Plan, sampler: Sampler, stop: StopFlag | None = None) -> Iterator[int]:
        """Yield the tokens of a plan one by one; ends early when `stop` is set."""
        state = dict(self._initial)
        said = np.full(plan.alignment.tokens + 1, self._start, np.int64)
        context = plan.context[plan.alignment.token_symbol]
        for index in range(plan.alignment.tokens):
            if stop is not None and stop.is_set:
                return
            outputs, state = self._step.advance(
                state,
                previous=said[None, index : index + 1],
                context=context[None, index : index + 1],
                place=plan.alignment.token_place[None, index : index + 1],
            )
            said[index + 1] = sampler.sample(outputs["logits"][0, -1], said[1 : index + 1])
            yield int(said[index + 1])


def planned_units(log_durations: Float32Array, speed: float = 1.0) -> Float32Array:
    """How long each symbol is to last: (N,) → (N,) in units of 25 ms, not rounded.

    The teacher speaks in whole units, but nano need not: rounded, short consonants come out a
    third too long or too short, or not at all, and more words are lost.
    """
    return np.minimum(np.exp(log_durations) / speed, LONGEST_UNITS)
