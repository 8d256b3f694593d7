"""SovitsWorkers: the two kinds of work of a GPT-SoVITS voice, to be timed by calibration."""

import copy

import numpy as np

from selftalk.stream.graphs.graph import ON_ONE_CORE, RunOptions
from selftalk.stream.graphs.onnx import open_session
from selftalk.stream.sovits.semantic import DEFAULT_SAMPLING, Utterance
from selftalk.stream.sovits.token_cache import TokenCache
from selftalk.stream.sovits.vocoder import USEFUL_LOOKAHEAD_TOKENS, SentenceVocoder, SovitsVocoder
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.sampling import Sampler

PROMPT_PHONES, PROMPT_TOKENS, PHONES = 60, 125, 40  # a reference of 5 s, a sentence of 4 s


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
        self._vocoder = SovitsVocoder(bundle, vocoder_run)
        self.lookahead_tokens = self._vocoder.lookahead_tokens
        self.useful_lookahead_tokens = USEFUL_LOOKAHEAD_TOKENS
        self._style = np.zeros(int(numbers["style_width"]), np.float32)
        self._sentences: dict[int, SentenceVocoder] = {}

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

    def vocode(self, tokens: int, before: int) -> None:
        """See `calibration.Workers`."""
        sentence = self._said(before)
        known = before + self.lookahead_tokens if before else 0
        sentence.push(self._some(before + self.lookahead_tokens + tokens - known), before + tokens)

    def _said(self, tokens: int) -> SentenceVocoder:
        """A sentence of which so many tokens were spoken; it is made once."""
        if tokens not in self._sentences:
            phones = np.arange(PHONES, dtype=np.int64)
            made = self._vocoder.stream(phones, self._style)
            made.push(self._some(tokens + self.lookahead_tokens if tokens else 0), tokens)
            self._sentences[tokens] = made
        sentence = copy.copy(self._sentences[tokens])
        sentence._encoder = copy.copy(sentence._encoder)
        return sentence

    def _some(self, tokens: int) -> np.ndarray:
        return np.arange(tokens, dtype=np.int64) % (self._vocabulary - 1)
