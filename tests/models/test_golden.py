"""Parity with the reference implementation, array by array; sizes come from the set itself."""

import json

import numpy as np
import pytest
import torch

from selftalk.models import checkpoint
from selftalk.models.t2s import Text2Semantic, Utterance, stack_states, with_slots
from selftalk.stream.sampling import Sampler, SamplingConfig, probabilities

LOOP_STEPS_WITHOUT_END = 11


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


# Stage 1: text to semantic tokens


@pytest.fixture(scope="module")
def t2s(golden):
    if not golden.has("s1.ckpt"):
        pytest.skip("this set has no s1.ckpt")
    saved = golden.checkpoint("s1.ckpt")
    model = Text2Semantic(checkpoint.t2s_config(saved["weight"], saved["config"])).eval()
    checkpoint.load_state(model, checkpoint.t2s_state(saved["weight"]))
    return model


@pytest.fixture(scope="module")
def inputs(golden):
    return golden.tensors("t2s")


def bert_rows(bert):
    return bert.transpose(1, 2)


def test_t2s_config_is_the_checkpoint_s(golden, t2s):
    foreign = golden.config["s1"]["model"]
    assert t2s.config.width == foreign["hidden_dim"]
    assert t2s.config.layers == foreign["n_layer"]
    assert t2s.config.phones == foreign["phoneme_vocab_size"]
    assert t2s.config.tokens == foreign["vocab_size"]
    assert t2s.config.end_token == foreign["EOS"]


def test_t2s_embeddings(inputs, t2s, parity):
    zero = torch.zeros(1, dtype=torch.int64)
    parity("t2s/text_embed", t2s.phones(inputs["phones"]), inputs["text_embed"])
    text = t2s.embed_text(inputs["phones"], bert_rows(inputs["bert"]), zero)
    parity("t2s/x_emb", text, inputs["x_emb"])
    parity("t2s/y_emb", t2s.embed_audio(inputs["prompt"], zero), inputs["y_emb"])


def test_t2s_prefill(inputs, t2s, parity):
    phones, prompt = inputs["phones"], inputs["prompt"]
    logits, state = t2s.prefill(phones, prompt, bert_rows(inputs["bert"]))
    parity("t2s/prefill_k_layer0", flat(state.layers[0].keys), inputs["prefill_k_layer0"])
    parity(
        "t2s/prefill_v_last_layer", flat(state.layers[-1].values), inputs["prefill_v_last_layer"]
    )
    parity("t2s/prefill_logits", logits, inputs["prefill_logits_y"][:, -1])
    parity("t2s/forced_step_logits[0]", logits, inputs["forced_step_logits"][:1])


def flat(heads):
    """Heads side by side: (B, H, T, D/H) → (B, T, D)."""
    return heads.transpose(1, 2).flatten(2)


def test_t2s_whole_sequence_equals_prefill(inputs, t2s, parity):
    utterance = whole_utterance(inputs["phones"], inputs["prompt"], bert_rows(inputs["bert"]))
    parity("t2s/prefill_hidden", t2s.hidden([utterance]), inputs["prefill_hidden"])
    parity("t2s/prefill_logits_y", t2s([utterance]), inputs["prefill_logits_y"])


def whole_utterance(phones, tokens, bert):
    def full(ids):
        return torch.full((len(ids),), ids.shape[1])

    return Utterance(phones, full(phones), tokens, full(tokens), bert)


def test_t2s_mask(inputs, t2s):
    from selftalk.models.t2s import utterance_mask

    utterance = whole_utterance(inputs["phones"], inputs["prompt"], None)
    assert torch.equal(utterance_mask([utterance])[0, 0], ~inputs["attn_blocked"])


def test_t2s_forced_steps(inputs, t2s, parity):
    logits, state = t2s.prefill(inputs["phones"], inputs["prompt"], bert_rows(inputs["bert"]))
    forced = inputs["forced_tokens"]
    state = with_slots(state, int(state.length) + len(forced) + 7)  # spare slots must not be seen
    rows = [logits]
    for token in forced:
        logits, state = t2s.step(token[None], state)
        rows.append(logits)
    parity("t2s/forced_step_logits", torch.cat(rows), inputs["forced_step_logits"])
    filled = flat(state.layers[0].keys)[:, : int(state.length)]
    parity("t2s/final_k_layer0", filled, inputs["final_k_layer0"])


def generate(t2s, phones, prompt, bert, config, limit):
    """Tokens until the end token or more than `limit`; and raw logits of the first steps."""
    sampler = Sampler(config, seed=0)
    logits, state = t2s.prefill(phones, prompt, bert)
    state = with_slots(state, int(state.length) + limit + 1)
    tokens, first = prompt[0].tolist(), []
    for index in range(limit + 1):
        scores = logits[0].numpy()
        if index < LOOP_STEPS_WITHOUT_END:
            scores = scores[: t2s.config.end_token]
        first.append(scores)
        token = sampler.sample(scores, np.array(tokens, np.int64))
        if token == t2s.config.end_token:
            break
        tokens.append(token)
        if index < limit:
            logits, state = t2s.step(torch.tensor([token]), state)
    return tokens, np.stack(first[:3]), len(first) - 1


@pytest.mark.parametrize(
    ("name", "penalty", "temperature"),
    [("rep1", 1.0, 1.0), ("rep135", 1.35, 1.0), ("rep135_t06", 1.35, 0.6)],
)
def test_t2s_greedy_sequences(inputs, t2s, parity, name, penalty, temperature):
    config = SamplingConfig(top_k=1, temperature=temperature, repetition_penalty=penalty)
    tokens, logits, index = generate(
        t2s, inputs["phones"], inputs["prompt"], bert_rows(inputs["bert"]), config, limit=60
    )
    assert tokens == inputs[f"greedy_{name}_y"][0].tolist()
    assert index == int(inputs[f"greedy_{name}_idx"])
    parity(f"t2s/greedy_{name}_first3_logits", logits, inputs[f"greedy_{name}_first3_logits"])


def test_t2s_without_prompt(inputs, t2s):
    nothing = inputs["prompt"][:, :0]
    config = SamplingConfig(top_k=1)
    bert = bert_rows(inputs["bert"])
    tokens, _, _ = generate(t2s, inputs["phones"], nothing, bert, config, limit=40)
    assert tokens == inputs["greedy_noprompt_y"][0].tolist()


def test_t2s_tokens_in_chunks_are_the_same_tokens(inputs, t2s):
    config = SamplingConfig(top_k=1)
    prompt = inputs["prompt"]
    bert = bert_rows(inputs["bert"])
    tokens, _, _ = generate(t2s, inputs["phones"], prompt, bert, config, limit=40)
    assert tokens[prompt.shape[1] :] == inputs["stream_fixed16_tokens"].tolist()
    assert int(inputs["stream_fixed16_lens"].sum()) == len(tokens) - prompt.shape[1]


def test_t2s_two_clients_step_together(inputs, t2s):
    """Two texts of different lengths in one batch, each as if it were alone."""
    second = int(inputs["batch_second_len"])
    bert = bert_rows(inputs["bert"])
    prefills = [
        t2s.prefill(inputs["phones"][:, :count], inputs["prompt"], bert[:, :count])
        for count in (inputs["phones"].shape[1], second)
    ]
    slots = inputs["phones"].shape[1] + inputs["prompt"].shape[1] + 41
    logits = torch.cat([logits for logits, _ in prefills])
    state = stack_states([with_slots(state, slots) for _, state in prefills])
    said = [inputs["prompt"][0].tolist() for _ in prefills]
    sampler = Sampler(SamplingConfig(top_k=1), seed=0)
    for index in range(41):
        size = t2s.config.end_token + (index >= LOOP_STEPS_WITHOUT_END)
        for row, tokens in zip(logits.numpy(), said, strict=True):
            tokens.append(sampler.sample(row[:size], np.array(tokens)))
        logits, state = t2s.step(torch.tensor([tokens[-1] for tokens in said]), state)
    for item, tokens in enumerate(said):
        expected = inputs[f"batch_y{item}"].tolist()
        assert tokens[: len(expected)] == expected
        assert int(inputs[f"batch_idx{item}"]) == len(expected) - inputs["prompt"].shape[1]


def test_sampling(golden):
    arrays = golden.arrays("t2s")
    for index, entry in enumerate(json.loads(str(arrays["samp_grid_json"]))):
        config = SamplingConfig(**entry)
        for logits, previous, expected in zip(
            arrays["samp_logits"], arrays["samp_prev"], arrays[f"samp_probs_{index}"], strict=True
        ):
            chances = probabilities(logits, previous, config)
            np.testing.assert_allclose(chances, expected, atol=1e-5)


def test_sampling_draw(golden):
    arrays = golden.arrays("t2s")
    config = SamplingConfig(**json.loads(str(arrays["samp_grid_json"]))[0])
    for row, drawn in enumerate(arrays["samp_draw_0"]):
        chances = probabilities(arrays["samp_logits"][row], arrays["samp_prev"][row], config)
        assert np.argmax(chances / arrays["samp_q"][row]) == drawn
