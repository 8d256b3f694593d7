"""NanoWorkers: nano's two kinds of work, to be timed by calibration."""

from itertools import islice

import numpy as np

from selftalk.stream.graphs.graph import ON_ONE_CORE, RunOptions
from selftalk.stream.nano.alignment import FRAMES_PER_TOKEN, align, unknown_text
from selftalk.stream.nano.semantic import DEFAULT_SAMPLING, Plan, SemanticDecoder
from selftalk.stream.nano.timbre import SpeakerSpace
from selftalk.stream.nano.vocoder import Vocoder
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.sampling import Sampler

SYMBOLS, UNITS_EACH = 60, 8  # 12 s


class NanoWorkers:
    """Draws and vocodes an utterance of nobody; see `calibration.Workers`."""

    def __init__(
        self,
        bundle: Bundle,
        decoder_run: RunOptions = ON_ONE_CORE,
        vocoder_run: RunOptions = ON_ONE_CORE,
    ) -> None:
        speaker = SpeakerSpace(bundle).nobody()
        self._semantic = SemanticDecoder(bundle, decoder_run)
        vocoder = Vocoder(bundle, vocoder_run)
        self.lookahead_tokens = self.useful_lookahead_tokens = vocoder.lookahead_tokens
        self._stream = vocoder.stream(speaker)
        symbols = 1 + np.arange(SYMBOLS, dtype=np.int64)
        context = self._semantic.prefill(symbols, speaker.vector).context
        durations = np.full(SYMBOLS, UNITS_EACH, np.int64)
        self._plan = Plan(symbols, context, align(durations))

    def draw(self, tokens: int) -> None:
        """See `calibration.Workers`."""
        drawn = self._semantic.tokens(self._plan, Sampler(DEFAULT_SAMPLING, 0))
        assert sum(1 for _ in islice(drawn, tokens)) == tokens

    def vocode(self, tokens: int, before: int) -> None:
        """See `calibration.Workers`; what was said before is in the state, and costs nothing."""
        del before
        text = unknown_text(FRAMES_PER_TOKEN * tokens)
        self._stream.push(np.arange(tokens, dtype=np.int64), text)
