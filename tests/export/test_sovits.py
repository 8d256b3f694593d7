"""The graphs of an imported voice say what its modules say; its bundle is the same every time."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from fakes_sovits import ALL_STAGES, SECOND_STAGES, bundle_of, imported
from torch import nn

from selftalk.export.onnx import OPSET
from selftalk.export.quantize import NBITS_BIAS, to_nbits8
from selftalk.export.shared_weights import SharedWeights
from selftalk.export.sovits import BundleWriter, export_voice, sovits_of, t2s_of
from selftalk.export.sovits_graphs import (
    listener_sources,
    reference_sources,
    sentence_sources,
    t2s_sources,
)
from selftalk.export.traced import trace_graph
from selftalk.export.voice_model import load_voice_model
from selftalk.models.eres2net import ERes2Net, ERes2NetConfig
from selftalk.models.hubert import Hubert, HubertConfig
from selftalk.models.t2s import Utterance, with_slots
from selftalk.stream.errors import BundleError, CheckpointError
from selftalk.stream.synthesis.bundle import Bundle

TOLERANCE = 1e-4


@pytest.fixture(autouse=True)
def repeatable():
    torch.manual_seed(0)
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module", params=ALL_STAGES)
def voice(request):
    """A small voice of every version: its bundle, and its modules."""
    model = load_voice_model(imported(request.param))
    return bundle_of(request.param), t2s_of(model).eval(), sovits_of(model).eval()


def run_graph(bundle, name, *inputs):
    session = onnxruntime.InferenceSession(bundle.graph_path(name))
    names = [port.name for port in session.get_inputs()]
    return session.run(
        None, {name: array.numpy() for name, array in zip(names, inputs, strict=True)}
    )


def assert_parity(made, expected):
    for ours, theirs in zip(made, expected, strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs.numpy()).max() <= TOLERANCE * theirs.abs().max()


@pytest.mark.parametrize(("phones", "prompt"), [(12, 7), (30, 20), (5, 0)])
def test_prefill(voice, phones, prompt):
    bundle, t2s, _ = voice
    inputs = (
        torch.randint(0, t2s.config.phones, (1, phones)),
        torch.randint(0, t2s.config.tokens - 1, (1, prompt)),
        torch.randn(1, phones, t2s.config.bert_width),
    )
    logits, state = t2s.prefill(*inputs)
    keys = torch.stack([layer.keys for layer in state.layers])
    values = torch.stack([layer.values for layer in state.layers])
    assert_parity(run_graph(bundle, "t2s_prefill", *inputs), (logits, keys, values))


def cache_arrays(state):
    return [layer.keys for layer in state.layers] + [layer.values for layer in state.layers]


@pytest.mark.parametrize("batch", [1, 3])
def test_step(voice, batch):
    bundle, t2s, _ = voice
    phones = torch.randint(0, t2s.config.phones, (batch, 9))
    prompt = torch.randint(0, t2s.config.tokens - 1, (batch, 6))
    state = with_slots(t2s.prefill(phones, prompt)[1], 20)
    token = torch.randint(0, t2s.config.tokens - 1, (batch,))
    logits, after = t2s.step(token, state)
    made = run_graph(
        bundle, "t2s_step", token, state.audio_length, state.length.int(), *cache_arrays(state)
    )
    assert_parity(made[:1], [logits])
    for found, expected in zip(made[1:], cache_arrays(after), strict=True):
        assert_parity([found[:, :, :16]], [expected[:, :, :16]])


def test_sentences_of_one_step_may_be_of_different_lengths(voice):
    bundle, t2s, _ = voice
    states = [
        with_slots(t2s.prefill(torch.full((1, size), size), torch.full((1, 3), 2))[1], 20)
        for size in (5, 11)
    ]
    token = torch.tensor([7, 8])
    alone = [t2s.step(token[index : index + 1], state) for index, state in enumerate(states)]
    both = [torch.cat(pair) for pair in zip(*map(cache_arrays, states), strict=True)]
    filled = torch.cat([state.length for state in states]).int()
    made = run_graph(bundle, "t2s_step", token, torch.tensor([3, 3]), filled, *both)
    assert_parity(made[:1], [torch.cat([logits for logits, _ in alone])])


def test_token_by_token_is_the_whole(voice):
    bundle, t2s, _ = voice
    size, prompt, count, slots = 11, 4, 9, 32
    phones = torch.randint(0, t2s.config.phones, (1, size))
    tokens = torch.randint(0, t2s.config.tokens - 1, (1, prompt + count))
    utterance = Utterance(phones, torch.tensor([size]), tokens, torch.tensor([prompt + count]))
    whole = t2s([utterance])[0, prompt:]  # what follows the prompt, and each token after it

    bert = torch.zeros(1, size, t2s.config.bert_width)
    logits, keys, values = map(
        torch.tensor, run_graph(bundle, "t2s_prefill", phones, tokens[:, :prompt], bert)
    )
    filled = torch.tensor([size + prompt], dtype=torch.int32)
    room = (0, 0, 0, slots - size - prompt)
    cache = [torch.nn.functional.pad(layer, room) for layer in (*keys, *values)]
    said = [logits]
    for position in range(prompt, prompt + count):
        step = (tokens[:, position], torch.tensor([position]), filled, *cache)
        logits, *cache = map(torch.tensor, run_graph(bundle, "t2s_step", *step))
        filled = filled + 1
        said.append(logits)
    assert_parity([torch.cat(said).numpy()], [whole])


def test_window_by_window_is_the_whole(voice):
    bundle, _, sovits = voice
    count, size, margin = 110, 30, sovits.margin_frames
    frames = torch.randn(1, count, sovits.config.width)
    noise = 0.5 * torch.randn(1, sovits.config.latent, count)
    style = torch.randn(1, sovits.config.style_width)
    said = []
    for start in range(0, count, size):
        left, end = max(0, start - margin), min(count, start + size)
        right = min(count, end + margin)
        window = (frames[:, left:right], noise[:, :, left:right], style)
        said += run_graph(bundle, "decoder", *window, torch.tensor([start - left, end - left]))
    assert_parity([np.concatenate(said, axis=1)], [sovits.decode_window(frames, noise, style)])


@pytest.mark.parametrize(("tokens", "phones"), [(11, 7), (40, 25), (1, 3)])
def test_encoders(voice, tokens, phones):
    bundle, _, sovits = voice
    ids = torch.randint(0, sovits.config.symbols, (1, phones))
    codes = torch.randint(0, sovits.config.codebook, (1, tokens))
    style = torch.randn(1, sovits.config.style_width)
    text = run_graph(bundle, "text_encoder", ids)
    frames, alignment = run_graph(bundle, "content_encoder", codes, *map(torch.tensor, text), style)
    assert_parity([frames], [sovits.encode(codes, ids, style)])
    assert alignment.shape == (1, 2 * tokens, phones)
    np.testing.assert_allclose(alignment.sum(axis=2), 1, atol=1e-5)


@pytest.mark.parametrize(("frames", "kept"), [(3, (0, 3)), (50, (0, 50)), (50, (20, 31))])
def test_decoder(voice, frames, kept):
    bundle, _, sovits = voice
    inputs = (
        torch.randn(1, frames, sovits.config.width),
        torch.randn(1, sovits.config.latent, frames),
        torch.randn(1, sovits.config.style_width),
        torch.tensor(kept),
    )
    assert_parity(run_graph(bundle, "decoder", *inputs), [sovits.decode_window(*inputs)])


def test_style_and_quantizer(voice):
    bundle, _, sovits = voice
    inputs = [torch.rand(1, sovits.config.spectrum_bins, 33)]
    if sovits.config.speaker_width:
        inputs.append(torch.randn(1, sovits.config.speaker_width))
    assert_parity(run_graph(bundle, "style", *inputs), [sovits.style(*inputs)])
    features = torch.randn(1, 41, sovits.config.ssl_width)
    assert_parity(run_graph(bundle, "quantizer", features), [sovits.semantic_tokens(features)])


def test_listeners():
    hubert = Hubert(
        HubertConfig(
            width=16, layers=2, heads=2, feed_forward=24, conv_channels=6, position_kernel=8,
            position_groups=4,
        )
    ).eval()  # fmt: skip
    speaker = ERes2Net(ERes2NetConfig(channels=16, blocks=(1, 1, 2, 1))).eval()
    sources = listener_sources(hubert, speaker)
    examples = {"hubert": torch.randn(1, 20_011), "eres2net": torch.randn(1, 157, 80)}
    for name, example in examples.items():
        session = onnxruntime.InferenceSession(trace_graph(sources[name]).SerializeToString())
        made = session.run(None, {sources[name].input_names[0]: example.numpy()})
        assert_parity(made, [sources[name].module(example)])


def all_bytes(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("stage", ALL_STAGES)
def test_a_bundle_is_the_same_every_time(stage, tmp_path):
    export_voice(imported(stage), tmp_path / "again", precision="fp32")
    assert all_bytes(tmp_path / "again") == all_bytes(bundle_of(stage).folder)


@pytest.mark.parametrize("precision", ["fp32", "int8", "fp16"])
def test_the_same_voice_gives_the_same_bytes(tmp_path, precision):
    model = load_voice_model(imported(SECOND_STAGES[0]))
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        writer = BundleWriter(folder, precision, lambda _line: None)
        t2s, sovits = t2s_of(model), sovits_of(model)
        with SharedWeights(folder / "t2s.weights") as shared:
            for name, source in t2s_sources(t2s).items():
                writer.write(name, source, shared)
        source = (sentence_sources(sovits) | reference_sources(sovits))["quantizer"]
        writer.write("quantizer", source)
    assert all_bytes(tmp_path / "first") == all_bytes(tmp_path / "second")


def test_equal_layers_become_8_bits_like_others():
    model = t2s_of(load_voice_model(imported(SECOND_STAGES[0])))
    for layer in model.layers[1:]:
        layer.load_state_dict(model.layers[0].state_dict())
    graph = to_nbits8(trace_graph(t2s_sources(model)["t2s_step"])).graph
    products = [node for node in graph.node if node.op_type == "MatMulNBits"]
    linear = sum(isinstance(part, nn.Linear) for part in model.layers.modules())
    assert len(products) == linear + 1  # and the one that gives the logits
    assert sum(len(node.input) > NBITS_BIAS for node in products) == linear


def test_prefill_and_step_share_their_tensors(voice):
    bundle = voice[0]
    size = bundle.manifest.weights["t2s.weights"].bytes
    stored = 0
    for name in ("t2s_prefill", "t2s_step"):
        graph = onnx.load(bundle.graph_path(name), load_external_data=False).graph
        for tensor in graph.initializer:
            stored += sum(int(e.value) for e in tensor.external_data if e.key == "length")
    assert size < 0.6 * stored


def test_a_bundle_names_its_source_and_its_tools(voice):
    bundle = voice[0]
    bundle.verify()
    manifest = bundle.manifest
    assert manifest.kind == "sovits"
    assert manifest.sample_rate_hz == 32_000
    assert manifest.token_rate_hz == 25
    assert set(manifest.source) == {"s1", "s2"}
    assert manifest.made_with["opset"] == str(OPSET)
    assert manifest.made_with["onnxruntime"] == onnxruntime.__version__
    assert set(manifest.made_with) == {"opset", "torch", "onnx", "onnxruntime"}
    v1 = manifest.version == "v1"
    assert manifest.symbols == ("v1" if v1 else "v2")
    assert ("yue" in manifest.languages) is not v1


def test_damaged_tensors_are_found(voice, tmp_path):
    for path in voice[0].folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "t2s.weights").open("r+b") as file:
        file.write(b"\xff" * 16)
    with pytest.raises(BundleError, match=r"t2s\.weights' is damaged"):
        Bundle.load(tmp_path).verify()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda model: model.s2.tensors.pop("dec.conv_pre.weight"), "lacks 'dec.conv_pre.weight'"),
        (lambda model: model.s2.tensors.pop("dec.conv_pre.bias"), "lacks 'generator.enter.bias'"),
        (lambda model: model.s2.config["model"].update(upsample_rates=5), "does not fit: "),
        (lambda model: model.s1.config["model"].update(head=0), "cannot be shared by 0 heads"),
    ],
)
def test_a_model_that_makes_no_sense_is_one_sentence(spoil, sentence):
    model = load_voice_model(imported(SECOND_STAGES[0]))
    spoil(model)
    with pytest.raises(CheckpointError, match=sentence) as refusal:
        t2s_of(model), sovits_of(model)
    assert "\n" not in str(refusal.value)
