"""The runtime says the tokens that the original says, and stops where it stops."""

import itertools

import numpy as np
import pytest
from fakes_sovits import GOLDEN, bundle_of

from selftalk.stream.errors import BundleError, TextError
from selftalk.stream.sovits import semantic, token_cache
from selftalk.stream.sovits.semantic import (
    LONGEST_TOKENS,
    TOKENS_WITHOUT_END,
    SemanticDecoder,
    Utterance,
    longest_speech,
)
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.loops import LOOP_TOKENS
from selftalk.stream.synthesis.sampling import Sampler, SamplingConfig

GREEDY = SamplingConfig(top_k=1, repetition_penalty=1.35)


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "t2s.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def decoder():
    return SemanticDecoder(bundle_of())


def say(decoder, golden, prompt, limit, config=GREEDY):
    utterance = decoder.prefill(golden["phones"][0], prompt, golden["bert"][0].T.copy())
    return list(decoder.tokens(utterance, Sampler(config, 0), limit))


def test_tokens_are_those_of_the_original(decoder, golden):
    prompt = golden["prompt"][0]
    expected = golden["greedy_rep135_y"][0][len(prompt) :]
    assert say(decoder, golden, prompt, 60)[: len(expected)] == expected[:60].tolist()


def test_a_voice_without_a_prompt(decoder, golden):
    expected = golden["greedy_noprompt_y"][0]
    assert say(decoder, golden, golden["prompt"][0, :0], len(expected)) == expected.tolist()


def test_a_growing_cache_changes_nothing(decoder, golden, monkeypatch):
    prompt = golden["prompt"][0]
    usual = say(decoder, golden, prompt, 40)
    monkeypatch.setattr(token_cache, "SPARE_SLOTS", 3)
    assert say(decoder, golden, prompt, 40) == usual


def test_two_sentences_at_once_do_not_meet(decoder, golden):
    alone = say(decoder, golden, golden["prompt"][0], 15)
    bert = golden["bert"][0].T.copy()
    one, other = (
        decoder.prefill(golden["phones"][0], prompt, bert)
        for prompt in (golden["prompt"][0], golden["prompt"][0, :3])
    )
    streams = [decoder.tokens(each, Sampler(GREEDY, 0), 15) for each in (one, other)]
    together = list(zip(*streams, strict=False))
    assert [pair[0] for pair in together] == alone[: len(together)]
    assert [pair[1] for pair in together] != alone[: len(together)]


def test_eight_bits_say_nearly_the_same(golden):
    feed = (golden["phones"][0], golden["prompt"][0], golden["bert"][0].T.copy())
    whole, small = (
        SemanticDecoder(bundle_of(precision=precision)).prefill(*feed)
        for precision in ("fp32", "int8")
    )
    for token in golden["forced_tokens"][:5]:
        whole.say(int(token))
        small.say(int(token))
    error = np.square(whole.logits - small.logits).mean()
    assert 10 * np.log10(np.square(whole.logits).mean() / error) > 20  # dB


def test_a_set_flag_ends_the_tokens(decoder, golden):
    stop = StopFlag()
    utterance = decoder.prefill(golden["phones"][0], golden["prompt"][0])
    tokens = decoder.tokens(utterance, Sampler(GREEDY, 0), 50, stop)
    next(tokens)
    stop.set()
    assert list(tokens) == []


def test_a_bundle_of_an_older_version_says_so(monkeypatch):
    class OlderGraph:
        def get_inputs(self):
            return []

    monkeypatch.setattr(semantic, "open_session", lambda *_: OlderGraph())
    with pytest.raises(BundleError, match=f"selftalk export {bundle_of().manifest.name}"):
        SemanticDecoder(bundle_of())


def test_a_text_without_end_is_refused(decoder):
    with pytest.raises(TextError, match="is too long"):
        decoder.prefill(np.zeros(3000, np.int64), np.zeros(0, np.int64))


class OneTokenCache:
    """Says that the next token is always the end, or nearly."""

    def __init__(self, end_logit):
        self.logits = np.array([1.0, 0.5, 0.0, end_logit], np.float32)

    def step(self, token, position):
        del token, position
        return self.logits


def drawn(end_logit, sampler, limit=40):
    cache = OneTokenCache(end_logit)
    utterance = Utterance(cache, cache.logits, np.zeros(0, np.int64), end_token=3)
    while utterance.said < limit and (token := utterance.draw(sampler)) is not None:
        utterance.say(token)
    return utterance.said


def test_the_end_is_never_among_the_first_tokens():
    assert drawn(99.0, Sampler(GREEDY, 0)) == TOKENS_WITHOUT_END


def test_the_end_comes_when_it_is_likeliest_even_if_another_token_is_drawn():
    class Stubborn(Sampler):
        def sample(self, logits, previous):
            del logits, previous
            return 0

    assert drawn(2.0, Stubborn(GREEDY)) == TOKENS_WITHOUT_END
    assert drawn(-2.0, Stubborn(GREEDY)) == 40


def test_nobody_speaks_for_ever():
    assert longest_speech(1) < 100
    assert longest_speech(10_000) == LONGEST_TOKENS


class StuckCache(OneTokenCache):
    """Says one thing for ever, unless it is kept from it; counts what it is told."""

    def __init__(self):
        super().__init__(end_logit=-99.0)
        self.said = []

    def step(self, token, position):
        self.said.append(token)
        return super().step(token, position)


def test_a_loop_is_left_by_drawing_something_else():
    cache = StuckCache()
    utterance = Utterance(cache, cache.logits, np.zeros(0, np.int64), end_token=3)
    tokens = list(SemanticDecoder.tokens(None, utterance, Sampler(GREEDY, 0), 200))
    assert len(tokens) == 200
    repeated = max(len(list(group)) for _, group in itertools.groupby(tokens))
    assert repeated == LOOP_TOKENS
    assert set(tokens) == {0, 1}


def test_cancelled_at_a_hundred_moments_no_step_follows():
    for at in np.random.default_rng(0).integers(1, 190, 100):
        cache, stop = StuckCache(), StopFlag()
        utterance = Utterance(cache, cache.logits, np.zeros(0, np.int64), end_token=3)
        for index, _ in enumerate(
            SemanticDecoder.tokens(None, utterance, Sampler(GREEDY, 0), 200, stop), start=1
        ):
            if index == at:
                stop.set()
        assert len(cache.said) == at
