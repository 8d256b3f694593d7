"""Parity with the reference implementation, array by array; sizes come from the set itself."""

import json

import numpy as np
import pytest
import torch

from selftalk.models import checkpoint
from selftalk.models.discriminator import PERIODS_PRO, Discriminators
from selftalk.models.eres2net import ERes2Net
from selftalk.models.losses import (
    discriminator_loss,
    feature_loss,
    generator_loss,
    kl_divergence,
    token_loss,
    token_targets,
    top_accuracy,
)
from selftalk.models.sovits import (
    FRAMES_PER_TOKEN,
    Sovits,
    SpeechBatch,
    TrainableSovits,
    slices,
)
from selftalk.models.spectral import kaldi_fbank, log_mel, mel_spectrogram, spectrogram
from selftalk.models.t2s import (
    Text2Semantic,
    Utterance,
    stack_states,
    utterance_mask,
    with_slots,
)
from selftalk.stream.synthesis.sampling import Sampler, SamplingConfig, probabilities

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
    return golden.arrays("t2s")


def bert_rows(bert):
    return bert.transpose(1, 2)


def test_t2s_config_is_the_checkpoint_s(golden, t2s):
    foreign = golden.config["s1"]["model"]
    assert t2s.config.width == foreign["hidden_dim"]
    assert t2s.config.layers == foreign["n_layer"]
    assert t2s.config.phones == foreign["phoneme_vocab_size"]
    assert t2s.config.tokens == foreign["vocab_size"]
    assert t2s.config.end_token == foreign["EOS"]


def test_t2s_embeddings(inputs, t2s):
    zero = torch.zeros(1, dtype=torch.int64)
    inputs.check("text_embed", t2s.phones(inputs["phones"]))
    text = t2s.embed_text(inputs["phones"], bert_rows(inputs["bert"]), zero)
    inputs.check("x_emb", text)
    inputs.check("y_emb", t2s.embed_audio(inputs["prompt"], zero))


def test_t2s_prefill(inputs, t2s):
    phones, prompt = inputs["phones"], inputs["prompt"]
    logits, state = t2s.prefill(phones, prompt, bert_rows(inputs["bert"]))
    inputs.check("prefill_k_layer0", flat(state.layers[0].keys))
    inputs.check("prefill_v_last_layer", flat(state.layers[-1].values))
    inputs.check("prefill_logits_y", logits, at=np.s_[:, -1])
    inputs.check("forced_step_logits", logits, at=np.s_[:1])


def flat(heads):
    """Heads side by side: (B, H, T, D/H) → (B, T, D)."""
    return heads.transpose(1, 2).flatten(2)


def test_t2s_whole_sequence_equals_prefill(inputs, t2s):
    utterance = whole_utterance(inputs["phones"], inputs["prompt"], bert_rows(inputs["bert"]))
    inputs.check("prefill_hidden", t2s.hidden([utterance]))
    inputs.check("prefill_logits_y", t2s([utterance]))


def whole_utterance(phones, tokens, bert):
    def full(ids):
        return torch.full((len(ids),), ids.shape[1])

    return Utterance(phones, full(phones), tokens, full(tokens), bert)


def test_t2s_mask(inputs, t2s):
    utterance = whole_utterance(inputs["phones"], inputs["prompt"], None)
    assert torch.equal(utterance_mask([utterance])[0, 0], ~inputs["attn_blocked"])


def test_t2s_forced_steps(inputs, t2s):
    logits, state = t2s.prefill(inputs["phones"], inputs["prompt"], bert_rows(inputs["bert"]))
    forced = inputs["forced_tokens"]
    state = with_slots(state, int(state.length) + len(forced) + 7)  # spare slots must not be seen
    rows = [logits]
    for token in forced:
        logits, state = t2s.step(token[None], state)
        rows.append(logits)
    inputs.check("forced_step_logits", torch.cat(rows))
    filled = flat(state.layers[0].keys)[:, : int(state.length)]
    inputs.check("final_k_layer0", filled)


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
def test_t2s_greedy_sequences(inputs, t2s, name, penalty, temperature):
    config = SamplingConfig(top_k=1, temperature=temperature, repetition_penalty=penalty)
    tokens, logits, index = generate(
        t2s, inputs["phones"], inputs["prompt"], bert_rows(inputs["bert"]), config, limit=60
    )
    assert tokens == inputs[f"greedy_{name}_y"][0].tolist()
    assert index == int(inputs[f"greedy_{name}_idx"])
    inputs.check(f"greedy_{name}_first3_logits", logits)


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
    assert not inputs["stream_fixed16_final"][:-1].any()


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
        count = len(expected) - inputs["prompt"].shape[1]
        assert tokens[: len(expected)] == expected
        assert int(inputs[f"batch_idx{item}"]) == count
        assert count == 40 or tokens[len(expected)] == t2s.config.end_token


def test_sampling(golden):
    arrays = golden.arrays("t2s")
    for index, entry in enumerate(json.loads(str(arrays["samp_grid_json"]))):
        config = SamplingConfig(**entry)
        for logits, previous, expected in zip(
            *(arrays[name].numpy() for name in ("samp_logits", "samp_prev", f"samp_probs_{index}")),
            strict=True,
        ):
            chances = probabilities(logits, previous, config)
            np.testing.assert_allclose(chances, expected, atol=1e-5)


def test_sampling_draw(golden):
    arrays = golden.arrays("t2s")
    for index, entry in enumerate(json.loads(str(arrays["samp_grid_json"]))):
        if f"samp_draw_{index}" not in arrays:
            continue
        names = ("samp_logits", "samp_prev", "samp_q", f"samp_draw_{index}")
        for logits, previous, noise, drawn in zip(
            *(arrays[name].numpy() for name in names), strict=True
        ):
            chances = probabilities(logits, previous, SamplingConfig(**entry))
            assert np.argmax(chances / noise) == drawn


def training_utterance(inputs, text_lengths):
    return Utterance(
        inputs["train_phones"],
        text_lengths,
        inputs["train_y_in"],
        inputs["train_sem_len"],
        bert_rows(inputs["train_bert"]),
    )


def test_t2s_training_targets(golden, inputs, t2s):
    end = t2s.config.end_token
    targets = token_targets(inputs["train_sem"], inputs["train_sem_len"], end)
    assert torch.equal(targets, inputs["train_targets"])
    assert torch.equal(targets[:, :-1], inputs["train_y_in"])


def test_t2s_training_loss_of_equal_texts(inputs, t2s):
    logits = t2s([training_utterance(inputs, inputs["train_equal_xlens"])])
    inputs.check("train_equal_logits", logits)
    targets = inputs["train_targets"]
    # The reference counts the padding too, as more and more end tokens.
    loss = torch.nn.functional.cross_entropy(logits.mT, targets, reduction="sum")
    inputs.check("train_equal_loss_sum", loss)
    accuracy = top_accuracy(logits, targets, ignore=t2s.config.end_token)
    assert float(accuracy) == pytest.approx(float(inputs["train_equal_top3_acc"]), abs=1e-6)


def test_t2s_training_loss_is_that_of_each_item_alone(inputs, t2s, parity):
    """Where texts differ in length the reference masks the wrong end of the shorter one."""
    text_lengths = inputs["train_mixed_xlens"]
    sizes = inputs["train_sem_len"]
    assert len(set(text_lengths.tolist())) > 1, "the set should hold texts of different lengths"
    end = t2s.config.end_token
    batch = training_utterance(inputs, text_lengths)
    together = token_loss(t2s([batch]), batch.tokens, sizes, end)
    alone = 0.0
    for item, (count, size) in enumerate(zip(text_lengths, sizes, strict=True)):
        one = Utterance(
            batch.phones[item : item + 1, :count],
            count[None],
            batch.tokens[item : item + 1, :size],
            size[None],
            batch.bert[item : item + 1, :count],
        )
        alone += token_loss(t2s([one]), one.tokens, one.token_lengths, end)
    parity("t2s/mixed batch equals its items", together, alone)
    logits = t2s([batch])
    as_reference_counts = torch.nn.functional.cross_entropy(
        logits.mT, inputs["train_targets"], reduction="sum"
    )
    assert abs(float(as_reference_counts - inputs["train_mixed_loss_sum"])) > 1e-2


# Stage 2: semantic tokens to waveform


class Stage2:
    def __init__(self, golden, name):
        self.name = name
        self.golden = golden
        saved = golden.checkpoint(f"s2_{name}.pth")
        self.weights = saved["weight"]
        self.config = checkpoint.sovits_config(saved["weight"], saved["config"])
        self.model = Sovits(self.config).eval()
        checkpoint.load_state(self.model, checkpoint.sovits_state(saved["weight"]))

    @property
    def arrays(self):
        return self.golden.arrays(f"sovits_{self.name}")

    def spectrum(self, waves):
        return spectrogram(waves, self.config.window_samples, self.config.hop_samples)

    def style(self, number=""):
        speaker = self.arrays[f"sv_emb{number}"] if self.config.speaker_width else None
        return self.model.style(self.spectrum(self.arrays[f"refer{number}_wave"][None]), speaker)

    @property
    def tokens(self):
        return self.arrays["codes"][0]

    @property
    def silence(self):
        """No noise at all."""
        return torch.zeros(1, self.config.latent, 1)


@pytest.fixture(scope="module")
def stage2(golden):
    loaded = {}

    def load(name):
        if not golden.has(f"s2_{name}.pth"):
            pytest.skip(f"this set has no s2_{name}.pth")
        if name not in loaded:
            loaded[name] = Stage2(golden, name)
        return loaded[name]

    return load


@pytest.fixture
def sovits(stage2, sovits_name):
    return stage2(sovits_name)


def test_sovits_config_is_the_checkpoint_s(golden, sovits):
    entry = golden.config["sovits"].get(sovits.name)
    if entry is None:
        pytest.skip(f"this set has no configuration of {sovits.name}")
    foreign = entry["model"]
    assert sovits.config.latent == foreign["inter_channels"]
    assert sovits.config.width == foreign["hidden_channels"]
    assert sovits.config.cross_width == entry["mrte_hidden"]
    assert sovits.config.codebook == entry["bins"]
    assert sovits.config.ssl_width == entry["ssl_dim"]
    assert sovits.config.style_width == foreign["gin_channels"]
    is_v1 = entry["version"] == "v1"
    assert sovits.config.symbols == (322 if is_v1 else 732)
    assert sovits.config.style_bins == (sovits.config.spectrum_bins if is_v1 else 704)
    assert bool(sovits.config.speaker_width) == entry["version"].startswith("v2Pro")


def test_sovits_tokens(sovits):
    arrays = sovits.arrays
    tokens = sovits.model.semantic_tokens(arrays["ssl"].mT)
    assert torch.equal(tokens, sovits.tokens)
    arrays.check("quantized", sovits.model.codebook.decode(tokens).mT)


def test_sovits_style(sovits):
    arrays = sovits.arrays
    spectrum = sovits.spectrum(arrays["refer_wave"][None])
    style = sovits.model.style_encoder(spectrum)
    arrays.check("ge_ref_enc", style[..., None])
    if sovits.config.speaker_width:
        style = sovits.style()
        arrays.check("ge_after_sv", style[..., None])
        for_text = sovits.model.speaker.for_text(style)
        arrays.check("ge512", for_text[..., None])


def test_sovits_encoder(sovits):
    arrays, encoder = sovits.arrays, sovits.model.text_encoder
    content = arrays["quantized"].mT.repeat_interleave(FRAMES_PER_TOKEN, dim=1)
    style = sovits.style()
    x = encoder.encode_content(content)
    arrays.check("encp_ssl_out", x.mT)
    phones = encoder.encode_phones(arrays["text"])
    arrays.check("encp_text_out", phones.mT)
    cross_style = style if sovits.model.speaker is None else sovits.model.speaker.for_text(style)
    x = encoder.mrte(x, phones, cross_style)
    arrays.check("encp_mrte_out", x.mT)
    frames = sovits.model.encode(sovits.tokens, arrays["text"], style)
    arrays.check("encp_y", frames.mT)
    assert arrays["y_mask"].all()
    mean, log_scale = encoder.latent(frames)
    arrays.check("m_p", mean)
    arrays.check("logs_p", log_scale)


def test_sovits_flow(sovits):
    arrays, style = sovits.arrays, sovits.style()
    z = sovits.model.flow.reverse(arrays["m_p"], style)
    arrays.check("flow_reverse_of_m_p", z)
    back = sovits.model.flow(arrays["flow_reverse_of_m_p"], style)
    arrays.check("flow_forward_of_reverse", back)
    if arrays.get("dec_of_z0_equals_wav_noise0", True):
        wave = sovits.model.generator(z, style)
        arrays.check("wav_noise0", wave[:, None])


def test_sovits_waveform(sovits):
    arrays, style = sovits.arrays, sovits.style()
    wave = sovits.model(sovits.tokens, arrays["text"], sovits.silence, style)
    arrays.check("wav_noise0", wave[:, None])
    wave = sovits.model(sovits.tokens, arrays["text"], 0.5 * arrays["noise"], style)
    arrays.check("wav_noise05", wave[:, None])


def test_sovits_speed(sovits):
    arrays, style = sovits.arrays, sovits.style()
    names = [name for name in arrays if name.startswith("wav_noise0_speed")]
    if not names:
        pytest.skip(f"this set has no other speeds of {sovits.name}")
    for name in names:
        speed = float(name.removeprefix("wav_noise0_speed"))
        wave = sovits.model(sovits.tokens, arrays["text"], sovits.silence, style, speed)
        arrays.check(name, wave[:, None])


def test_sovits_two_references(sovits):
    style = (sovits.style() + sovits.style("2")) / 2
    wave = sovits.model(sovits.tokens, sovits.arrays["text"], sovits.silence, style)
    sovits.arrays.check("wav_noise0_two_refs", wave[:, None])


def lengths_mask(lengths):
    return torch.arange(int(lengths.max())) < lengths[:, None]


def test_sovits_encoder_with_padding(sovits):
    arrays, model = sovits.arrays, sovits.model
    frame_mask, phone_mask = lengths_mask(arrays["pad_ylen"]), lengths_mask(arrays["pad_tlen"])
    assert torch.equal(frame_mask[:, None].float(), arrays["pad_mask"])
    tokens, text, style = (
        x.expand(len(frame_mask), -1) for x in (sovits.tokens, arrays["text"], sovits.style())
    )
    frames = model.encode(tokens, text, style, frame_mask, phone_mask)
    mean, log_scale = model.text_encoder.latent(frames, frame_mask)
    arrays.check("pad_m_p", mean)
    arrays.check("pad_logs_p", log_scale)


def test_sovits_style_with_padding_is_that_without(sovits, parity):
    """The reference lets padding into the convolutions; ours is that of each recording alone."""
    arrays, encoder = sovits.arrays, sovits.model.style_encoder
    lengths = arrays["pad_refer_len"]
    mask = lengths_mask(lengths)
    spectrum = sovits.spectrum(arrays["refer_wave"][None])[:, :, : mask.shape[1]]
    spectrum = spectrum * mask[:, None]
    ours = encoder(spectrum, mask)
    for item, length in enumerate(lengths):
        alone = encoder(spectrum[item : item + 1, :, :length])[0]
        parity(f"{sovits.name}/style padded equals alone", ours[item], alone)
    x = encoder.frames(spectrum)
    for conv in encoder.convs:
        x = conv(x)
    as_reference = encoder.pool(x * mask[..., None], mask)
    arrays.check("pad_ge", as_reference[..., None])


OVERLAP_FRAMES = 4


def test_sovits_chunks_as_the_reference_streams(sovits):
    """Its overlap of windows, out of our parts; our own streaming is `decode_window`."""
    arrays, model, style = sovits.arrays, sovits.model, sovits.style()
    window = torch.sin(torch.arange(2 * OVERLAP_FRAMES) * torch.pi / (2 * OVERLAP_FRAMES))[:, None]
    tail, said = None, 0
    chunks = sum(name.startswith("stream_chunk") for name in arrays)
    if not chunks:
        pytest.skip(f"this set has no chunks of {sovits.name}")
    for index in range(chunks):
        count = arrays[f"stream_chunk{index}"].shape[2] // sovits.config.hop_samples
        said += (count - (0 if tail is None else OVERLAP_FRAMES)) // FRAMES_PER_TOKEN
        frames = model.encode(sovits.tokens[:, :said], arrays["text"], style)[:, -count:]
        if tail is not None:
            head = frames[:, :OVERLAP_FRAMES] * window[:OVERLAP_FRAMES]
            head = head + tail * window[OVERLAP_FRAMES:]
            frames = torch.cat([head, frames[:, OVERLAP_FRAMES:]], dim=1)
        tail = frames[:, -OVERLAP_FRAMES:]
        wave = model.decode_window(frames, sovits.silence, style)
        arrays.check(f"stream_chunk{index}", wave[:, None])
    assert said == sovits.tokens.shape[1]


def test_t2s_weights_go_back_to_their_foreign_names(golden, t2s):
    assert_goes_back(
        checkpoint.t2s_state, checkpoint.t2s_weights, golden.checkpoint("s1.ckpt")["weight"]
    )


def test_sovits_weights_go_back_to_their_foreign_names(sovits):
    assert_goes_back(checkpoint.sovits_state, checkpoint.sovits_weights, sovits.weights)


def assert_goes_back(convert, undo, base):
    state = convert(base)
    again = convert(undo(state, base))
    assert again.keys() == state.keys()
    assert all(torch.equal(again[name], state[name]) for name in state)


# Stage 2: training


def test_sovits_training(golden, sovits):
    arrays, name = sovits.arrays, sovits.name
    waves, ssl = arrays["tr_wave"], arrays["tr_ssl"]
    model = TrainableSovits(sovits.config).eval()
    checkpoint.load_state(model.sovits, checkpoint.sovits_state(sovits.weights))
    posterior = checkpoint.posterior_state(golden.arrays(f"enc_q_{name}"))
    checkpoint.load_state(model.posterior, posterior)

    spectrum = sovits.spectrum(waves)
    batch = SpeechBatch(
        ssl.mT,
        spectrum,
        torch.ones(len(spectrum), spectrum.shape[2], dtype=torch.bool),
        arrays["text"],
        torch.ones_like(arrays["text"], dtype=torch.bool),
        arrays["sv_emb"] if sovits.config.speaker_width else None,
    )
    starts = arrays["tr_ids_slice"]
    hop = sovits.config.hop_samples
    slice_frames = arrays["tr_o"].shape[2] // hop
    result = model(batch, arrays["tr_noise_q"], starts, slice_frames)
    arrays.check("tr_o", result.wave[:, None])
    arrays.check("tr_z", result.z)
    arrays.check("tr_z_p", result.z_p)
    arrays.check("tr_m_p", result.mean)
    arrays.check("tr_logs_p", result.log_scale)
    arrays.check("tr_m_q", result.posterior_mean)
    arrays.check("tr_logs_q", result.posterior_log_scale)
    kl = kl_divergence(
        result.z_p, result.posterior_log_scale, result.mean, result.log_scale, batch.frame_mask
    )
    arrays.check("tr_kl", kl)

    bands, rate = arrays["tr_mel_hat"].shape[1], sovits.config.sample_rate_hz
    target = slices(log_mel(spectrum, bands, rate), starts, slice_frames)
    arrays.check("tr_mel_target", target)
    mel = mel_spectrogram(result.wave, bands, rate, sovits.config.window_samples, hop)
    arrays.check("tr_mel_hat", mel)
    arrays.check("tr_mel_l1", torch.nn.functional.l1_loss(target, mel))


def test_discriminators(golden, sovits_name):
    arrays = golden.arrays(f"sovits_{sovits_name}")
    shapes = json.loads(str(arrays["disc_param_names_json"]))
    weights = golden.formula_weights(shapes)
    sums = [weights[name].sum(dtype=np.float64) for name, _ in shapes]
    np.testing.assert_allclose(sums, arrays["disc_weight_check"], rtol=1e-9)

    count = len({name.split(".")[1] for name, _ in shapes})
    with torch.device("meta"):  # the weights come next
        model = Discriminators(PERIODS_PRO[: count - 1]).eval()
    checkpoint.load_state(model, checkpoint.discriminator_state(weights))
    real, generated = (model(arrays[f"disc_{kind}_in"][:, 0]) for kind in ("real", "fake"))
    shapes = json.loads(str(arrays["disc_fmap_shapes_json"]))
    for index, (judged, expected_shapes) in enumerate(zip(real, shapes, strict=True)):
        arrays.check(f"disc_r{index}", judged.score)
        arrays.check(f"disc_g{index}", generated[index].score)
        assert [list(each.shape) for each in judged.features] == expected_shapes
        means = [float(each.abs().double().mean()) for each in judged.features]
        arrays.check(f"disc_fmap_r{index}_absmean", means)
    scores_real, scores_generated = ([each.score for each in said] for said in (real, generated))
    arrays.check("loss_disc", discriminator_loss(scores_real, scores_generated))
    arrays.check("loss_gen", generator_loss(scores_generated))
    loss = feature_loss([each.features for each in real], [each.features for each in generated])
    arrays.check("loss_fm", loss)


# Waveforms to spectra, spectra to speakers


@pytest.fixture(scope="module")
def dsp(golden):
    return golden.arrays("dsp")


def test_spectrogram(dsp):
    spectrum = spectrogram(dsp["wave"][None], 2048, 640)
    dsp.check("spec_2048_640", spectrum)
    dsp.check("mel_from_spec_128", log_mel(spectrum, 128, 32000))


@pytest.mark.parametrize(
    ("name", "bands", "sample_rate_hz", "window_samples", "hop_samples"),
    [
        ("mel_direct_128", 128, 32000, 2048, 640),
        ("mel_v3_24k_100", 100, 24000, 1024, 256),
        ("mel_v4_32k_100", 100, 32000, 1280, 320),
    ],
)
def test_mel(dsp, name, bands, sample_rate_hz, window_samples, hop_samples):
    wave = dsp["wave"][None]
    mel = mel_spectrogram(wave, bands, sample_rate_hz, window_samples, hop_samples)
    dsp.check(name, mel)


def test_kaldi_fbank(dsp):
    dsp.check("kaldi_fbank80", kaldi_fbank(dsp["wave16k"]))


def test_speaker_model(golden, dsp):
    weights = golden.formula_weights(json.loads(str(dsp["sv_param_names_json"])))
    count = sum(
        array.size
        for name, array in weights.items()
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    )
    assert count == int(dsp["sv_params_total"])
    with torch.device("meta"):  # the weights come next
        model = ERes2Net(checkpoint.speaker_config(weights)).eval()
    checkpoint.load_state(model, checkpoint.speaker_state(weights))
    embedding = model(kaldi_fbank(dsp["wave16k"])[None])
    assert embedding.shape == (1, model.config.embedding)
    dsp.check("sv_embedding_formula_weights", embedding)
