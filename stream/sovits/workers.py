"""SovitsWorkers: the two kinds of work of a GPT-SoVITS voice, to be timed by calibration."""

import copy

import numpy as np

from selftalk.stream.graphs.graph import ON_ONE_CORE, RunOptions
from selftalk.stream.graphs.onnx import open_session
from selftalk.stream.sovits.semantic import DEFAULT_SAMPLING, Utterance
from selftalk.stream.sovits.token_cache import TokenCache
from selftalk.stream.sovits.vocoder import SovitsVocoder
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.sampling import Sampler

PROMPT_PHONES, PROMPT_TOKENS, PHONES = 60, 125, 40  # a reference of 5 s, a sentence of 4 s
TOKENS_BEFORE = 50
"""Said before each chunk that is timed: the vocoder encodes them again with it."""


class SovitsWorkers:
    """Draws and vocodes a sentence of nobody; see `calibration.Workers`."""

    def __init__(
        self,
        bundle: Bundle,
        decoder_run: RunOptions = ON_ONE_CORE,
        vocoder_run: RunOptions = ON_ONE_CORE,
    ) -> None:
        numbers = bundle.manifest.numbers
        self._vocabulary = int(numbers["t2s_tokens"])
        self._read(bundle, decoder_run)
        path = bundle.graph_path("t2s_step")
        self._step = open_session(path, decoder_run.threads, decoder_run.providers)
        vocoder = SovitsVocoder(bundle, vocoder_run)
        self.lookahead_tokens = vocoder.lookahead_tokens
        style = np.zeros(int(numbers["style_width"]), np.float32)
        self._sentence = vocoder.stream(np.arange(PHONES, dtype=np.int64), style)
        self._sentence.push(np.arange(TOKENS_BEFORE, dtype=np.int64))

    def _read(self, bundle: Bundle, run: RunOptions) -> None:
        """Read a reference and a text once; every timed draw goes on from there."""
        session = open_session(bundle.graph_path("t2s_prefill"), run.threads, run.providers)
        phones = np.arange(PROMPT_PHONES + PHONES, dtype=np.int64)
        self._prompt = np.arange(PROMPT_TOKENS, dtype=np.int64) % (self._vocabulary - 1)
        width = int(bundle.manifest.numbers["bert_width"])
        bert = np.zeros((1, len(phones), width), np.float32)
        feed = {"phones": phones[None], "prompt": self._prompt[None], "bert": bert}
        self._logits, self._keys, self._values = session.run(["logits", "keys", "values"], feed)

    def draw(self, tokens: int) -> None:
        """See `calibration.Workers`."""
        end = self._vocabulary - 1
        cache = TokenCache(self._step, self._keys, self._values, self._vocabulary)
        utterance = Utterance(cache, self._logits[0], self._prompt, end)
        sampler = Sampler(DEFAULT_SAMPLING, 0)
        for _ in range(tokens):
            utterance.say(sampler.sample(utterance.logits[:end], self._prompt))

    def vocode(self, tokens: int) -> None:
        """See `calibration.Workers`."""
        sentence = copy.copy(self._sentence)
        sentence._encoder = copy.copy(sentence._encoder)
        sentence.push(np.arange(tokens, dtype=np.int64))
