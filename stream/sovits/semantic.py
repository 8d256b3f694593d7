"""SemanticDecoder: phones and a voice's prompt → semantic tokens, one after another.

Sampling and stopping follow GPT-SoVITS: the end may not come among the first eleven tokens, and
comes when it is drawn or is the likeliest. Knows nothing about text or sound.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from selftalk.stream.errors import TextError
from selftalk.stream.graphs.graph import ON_ONE_CORE, RunOptions
from selftalk.stream.graphs.onnx import open_session
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.sovits.token_cache import TokenCache
from selftalk.stream.sovits.vocoder import refuse_older
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.loops import looping_token
from selftalk.stream.synthesis.sampling import Sampler, SamplingConfig, penalize

Int64Array = npt.NDArray[np.int64]

DEFAULT_SAMPLING = SamplingConfig(top_k=15, top_p=1.0, temperature=1.0, repetition_penalty=1.35)
TOKENS_WITHOUT_END = 11
LONGEST_TOKENS = 1500
"""A minute: nothing that was trained on speaks longer at once."""
TOKENS_EACH_PHONE, TOKENS_TO_SPARE = 12, 50
"""Half a second for each phone and two seconds of pauses: who needs more has lost the thread."""


class Utterance:
    """One sentence while it is being said; belongs to one thread."""

    def __init__(
        self, cache: TokenCache, logits: Float32Array, prompt: Int64Array, end_token: int
    ) -> None:
        self.logits = logits
        """(V,) of the next token."""
        self.end_token = end_token
        self._cache = cache
        self._tokens = prompt
        self._prompt_tokens = len(prompt)

    @property
    def said(self) -> int:
        """Number of tokens after the prompt."""
        return len(self._tokens) - self._prompt_tokens

    def draw(self, sampler: Sampler) -> int | None:
        """Choose the next token; None when the sentence is over."""
        scores = self.logits
        looping = looping_token(self._tokens[self._prompt_tokens :])
        if looping is not None:  # say anything else
            scores = scores.copy()
            scores[looping] = -np.inf
        if self.said < TOKENS_WITHOUT_END:
            scores = scores[: self.end_token]
        token = sampler.sample(scores, self._tokens)
        penalty = sampler.config.repetition_penalty
        likeliest = np.argmax(penalize(scores.astype(np.float64), self._tokens, penalty))
        return None if self.end_token in (token, likeliest) else token

    def say(self, token: int) -> None:
        """Go on after a token."""
        self.logits = self._cache.step(token, len(self._tokens))
        self._tokens = np.append(self._tokens, token)


class SemanticDecoder:
    """Safe to share between threads: every sentence has its own state."""

    def __init__(self, bundle: Bundle, run: RunOptions = ON_ONE_CORE) -> None:
        """Open the graphs.

        Raises:
            BundleError: they were made for an older runtime.
        """
        self._prefill = open_session(bundle.graph_path("t2s_prefill"), run.threads, run.providers)
        self._step = open_session(bundle.graph_path("t2s_step"), run.threads, run.providers)
        refuse_older(bundle, all(port.name != "filled" for port in self._step.get_inputs()))
        numbers = bundle.manifest.numbers
        self._vocabulary = int(numbers["t2s_tokens"])
        self._positions = int(numbers["t2s_positions"])
        self._bert_width = int(numbers["bert_width"])

    def prefill(
        self, phones: Int64Array, prompt: Int64Array, bert: Float32Array | None = None
    ) -> Utterance:
        """Read a text and the beginning of its speech.

        Args:
            phones: (N,) of the prompt, then of the new text.
            prompt: (T,) tokens of the prompt; may be none.
            bert: (N, W) features of the text; without them zeros.

        Raises:
            TextError: the text is longer than the model can place.
        """
        longest = self._positions - LONGEST_TOKENS
        if len(phones) > longest:
            raise TextError(
                f"a sentence of {len(phones)} phones is too long; {longest} can be said"
            )
        if bert is None:
            bert = np.zeros((len(phones), self._bert_width), np.float32)
        feed = {"phones": phones[None], "prompt": prompt[None], "bert": bert[None]}
        logits, keys, values = self._prefill.run(["logits", "keys", "values"], feed)
        cache = TokenCache(self._step, keys, values, self._vocabulary)
        return Utterance(cache, logits[0], prompt, self._vocabulary - 1)

    def tokens(
        self, utterance: Utterance, sampler: Sampler, limit: int, stop: StopFlag | None = None
    ) -> Iterator[int]:
        """Yield tokens until the sentence is over, `limit` of them are said, or `stop` is set."""
        while utterance.said < limit and not (stop is not None and stop.is_set):
            token = utterance.draw(sampler)
            if token is None:
                return
            yield token
            utterance.say(token)


def longest_speech(phones: int) -> int:
    """How many tokens so many phones can last at most."""
    return min(LONGEST_TOKENS, TOKENS_TO_SPARE + TOKENS_EACH_PHONE * phones)
