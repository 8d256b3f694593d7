"""Laws of Text2Semantic that hold for every configuration, on a model of 16 dimensions."""

import dataclasses

import pytest
import torch

from selftalk.models.t2s import (
    T2SConfig,
    Text2Semantic,
    Utterance,
    stack_states,
    with_slots,
)

FULL = T2SConfig(
    phones=11, tokens=9, width=16, layers=3, heads=2, feed_forward=32, bert_width=5, positions=64
)
PREFIX = dataclasses.replace(FULL, mask="prefix", norm="pre", bert_width=0)


def make(config):
    torch.manual_seed(0)
    return Text2Semantic(config).eval()


def ids(*shape, high=8, seed=0):
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))


def utterance(phones, tokens, phone_lengths=None, token_lengths=None):
    def lengths(given, padded):
        return torch.tensor(given or [padded.shape[1]] * len(padded))

    return Utterance(phones, lengths(phone_lengths, phones), tokens, lengths(token_lengths, tokens))


def stepped(model, logits, state, tokens):
    """Logits before each token and after the last: (B, T + 1, V)."""
    rows = [logits]
    for index in range(tokens.shape[1]):
        logits, state = model.step(tokens[:, index], state)
        rows.append(logits)
    return torch.stack(rows, dim=1)


@pytest.mark.parametrize("config", [FULL, PREFIX, dataclasses.replace(FULL, norm="pre")])
@torch.inference_mode()
def test_steps_equal_whole(config):
    model = make(config)
    phones, tokens = ids(2, 6), ids(2, 7, seed=1)
    whole = model([utterance(phones, tokens)])
    logits, state = model.prefill(phones, tokens[:, :3])
    rest = stepped(model, logits, with_slots(state, 15), tokens[:, 3:])
    torch.testing.assert_close(rest, whole[:, 3:])


@torch.inference_mode()
def test_a_saved_voice_serves_every_sentence():
    """With mask "prefix" the state after the prompt is that of prompt and sentence together."""
    model = make(PREFIX)
    prompt = utterance(ids(1, 5), ids(1, 4, seed=1))
    _, voice = model.prefill(prompt.phones, prompt.tokens)
    voice = with_slots(voice, 30)
    for seed in (2, 3):
        phones, tokens = ids(1, 6, seed=seed), ids(1, 7, seed=seed + 10)
        whole = model([prompt, utterance(phones, tokens)])
        logits, state = model.prefill(phones, tokens[:, :0], state=voice)
        torch.testing.assert_close(stepped(model, logits, state, tokens), whole)


@torch.inference_mode()
def test_the_official_mask_refuses_what_would_not_be_exact():
    model = make(FULL)
    _, state = model.prefill(ids(1, 5), ids(1, 4))
    with pytest.raises(AssertionError, match="reads all text at once"):
        model.prefill(ids(1, 5), ids(1, 0), state=state)


@pytest.mark.parametrize("config", [FULL, PREFIX])
@torch.inference_mode()
def test_padding_changes_nothing(config):
    model = make(config)
    batch = utterance(ids(2, 6), ids(2, 7, seed=1), [6, 4], [7, 3])
    together = model([batch])
    alone = model([utterance(batch.phones[1:, :4], batch.tokens[1:, :3])])
    torch.testing.assert_close(together[1:, :4], alone)


@torch.inference_mode()
def test_padding_of_the_prompt_changes_nothing():
    model = make(PREFIX)
    prompt = utterance(ids(2, 6), ids(2, 7, seed=1), [6, 4], [7, 3])
    target = utterance(ids(2, 5, seed=2), ids(2, 5, seed=3), [5, 2], [4, 5])
    together = model([prompt, target])
    alone = model(
        [
            utterance(prompt.phones[1:, :4], prompt.tokens[1:, :3]),
            utterance(target.phones[1:, :2], target.tokens[1:]),
        ]
    )
    torch.testing.assert_close(together[1:], alone)


@torch.inference_mode()
def test_states_of_different_lengths_step_together():
    model = make(FULL)
    texts = [ids(1, 6), ids(1, 3, seed=1)]
    prefills = [model.prefill(text, ids(1, 4, seed=2)) for text in texts]
    token = torch.tensor([5, 7])
    states = [with_slots(state, 12) for _, state in prefills]
    together, after = model.step(token, stack_states(states))
    for item, state in enumerate(states):
        alone, _ = model.step(token[item : item + 1], state)
        torch.testing.assert_close(together[item : item + 1], alone)
    assert after.length.tolist() == [11, 8]
    assert after.audio_length.tolist() == [5, 5]


@torch.inference_mode()
def test_text_sees_no_audio_and_audio_not_the_future():
    model = make(FULL)
    phones, tokens = ids(1, 6), ids(1, 7, seed=1)
    changed = tokens.clone()
    changed[0, 4] = (changed[0, 4] + 1) % 8
    before, after = (model.hidden([utterance(phones, each)]) for each in (tokens, changed))
    same = (before == after).all(dim=-1)[0]
    assert same.tolist() == [True] * (6 + 4) + [False] * 3


@torch.inference_mode()
def test_a_model_without_text_features_takes_zeros():
    model = make(FULL)
    phones, tokens = ids(1, 6), ids(1, 2, seed=1)
    silent, _ = model.prefill(phones, tokens)
    zeros, _ = model.prefill(phones, tokens, torch.zeros(1, 6, 5))
    torch.testing.assert_close(silent, zeros)
