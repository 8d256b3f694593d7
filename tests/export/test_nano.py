"""nano's graphs say what its modules say, whole and in pieces."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch.utils import _pytree as pytree

from selftalk.export.nano import (
    PRECISION,
    NanoModules,
    export_nano,
    finished_graph,
    graph_sources,
    load_modules,
    read_weights,
)
from selftalk.export.onnx import export_graph, save_graph, state_names
from selftalk.models.nano import NanoConfig, NanoVocoder
from selftalk.models.tokenizer import Tokenizer
from selftalk.models.training.speakers import TimbreMap
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.stream.errors import BundleError
from selftalk.stream.nano.content import Content
from selftalk.stream.nano.conversion import convert
from selftalk.stream.nano.speech_prosody import Prosody
from selftalk.stream.sound.audio import concat
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.synthesizer import open_synthesizer
from selftalk.stream.synthesis.voices import Voice

TINY = NanoConfig(
    condition=8, text_width=16, text_blocks=1, text_layers=1, decoder_width=16, decoder_layers=2,
    vocoder_width=16, token_blocks=1, prosody_blocks=1, filter_blocks=3, ahead_blocks=2, kernel=3,
)  # fmt: skip
TOLERANCE = {"atol": 1e-4, "rtol": 1e-4}


def tiny_timbres():
    random = np.random.default_rng(0)
    weight = random.standard_normal((128, 256)).astype(np.float32)
    return TimbreMap(weight, random.standard_normal(128).astype(np.float32))


@pytest.fixture(scope="module")
def modules():
    torch.manual_seed(0)
    made = NanoModules(
        TINY, TextToTokens(TINY), NanoVocoder(TINY), Tokenizer(TINY, width=16), tiny_timbres()
    )
    for module in (made.text_to_tokens, made.vocoder, made.tokenizer):
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        module.eval()
    return made


@pytest.fixture(scope="module")
def bundle(modules, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    export_nano(modules, folder, precision="fp32", languages=("en", "zh"))
    return Bundle.load(folder)


def run_graph(bundle, name, inputs):
    session = onnxruntime.InferenceSession(bundle.graph_path(name))
    outputs = [port.name for port in session.get_outputs()]
    return dict(zip(outputs, session.run(None, inputs), strict=True))


@pytest.mark.parametrize("tokens", [1, 7, 40])
def test_tokenizer(modules, bundle, tokens):
    features, prosody = torch.randn(1, 2 * tokens, 512), torch.randn(1, 4 * tokens, 3)
    with torch.no_grad():
        expected = modules.tokenizer.tokens(features, prosody)
    inputs = {"features": features.numpy(), "prosody": prosody.numpy()}
    np.testing.assert_array_equal(run_graph(bundle, "tokenizer", inputs)["tokens"], expected)


def test_timbres(modules, bundle):
    embedding = np.random.default_rng(1).standard_normal(256).astype(np.float32)
    made = run_graph(bundle, "timbre", {"embedding": embedding[None]})["timbre"][0]
    np.testing.assert_allclose(made, modules.timbres.guess(embedding), **TOLERANCE)


def test_a_recording_is_converted_whole(bundle):
    voice = Voice("nobody", np.zeros(256, np.float32), np.log(150.0), {"origin": "stock"})
    prosody = Prosody(np.zeros((4 * 60, 3), np.float32), np.log(100.0))
    content = Content(np.arange(60) * 7, prosody)
    made = concat(convert(bundle, content, voice), bundle.manifest.sample_rate_hz)
    assert len(made) == 60 * 960
    again = concat(convert(bundle, content, voice), bundle.manifest.sample_rate_hz)
    np.testing.assert_array_equal(made.samples, again.samples)


@pytest.mark.parametrize("length", [1, 7, 40])
def test_prefill(modules, bundle, length):
    symbols, speaker = torch.randint(0, 732, (1, length)), torch.randn(1, 129)
    mask = torch.ones(1, length, dtype=torch.bool)
    with torch.no_grad():
        context, durations = modules.text_to_tokens.encoder(symbols, speaker, mask)
    made = run_graph(
        bundle, "t2s_prefill", {"symbols": symbols.numpy(), "speaker": speaker.numpy()}
    )
    np.testing.assert_allclose(made["context"], context, **TOLERANCE)
    np.testing.assert_allclose(made["log_durations"], durations, **TOLERANCE)


@pytest.mark.parametrize("past", [0, 1, 30])
def test_step(modules, bundle, past):
    decoder = modules.text_to_tokens.decoder
    inputs = {
        "previous": torch.randint(0, TINY.codes, (1, 1)),
        "context": torch.randn(1, 1, TINY.text_width),
        "place": torch.randn(1, 1, 2),
        "state.past": torch.randn(2, 2, 1, 4, past, 4),
    }
    with torch.no_grad():
        logits, after = decoder(*inputs.values())
    made = run_graph(bundle, "t2s_step", {name: x.numpy() for name, x in inputs.items()})
    np.testing.assert_allclose(made["logits"], logits, **TOLERANCE)
    np.testing.assert_allclose(made["next_state.past"], after, **TOLERANCE)


@pytest.mark.parametrize("pieces", [(20,), (4, 1, 15)])
def test_vocoder_with_its_state(modules, bundle, pieces):
    vocoder = modules.vocoder
    tokens, symbols = torch.randint(0, 1000, (1, 20)), torch.randint(0, 732, (1, 80, 5))
    place, speaker = torch.rand(1, 80, 2), torch.randn(1, 129)
    with torch.no_grad():
        said = (tokens, symbols, place, speaker)
        prosody, filters, _ = vocoder(*said, vocoder.initial_state(1))
    names = state_names(vocoder.initial_state(1), "state")
    state = [leaf.numpy() for leaf in pytree.tree_flatten(vocoder.initial_state(1))[0]]
    made_prosody, made_filters, start = [], [], 0
    for length in pieces:
        inputs = {
            "tokens": tokens[:, start : start + length].numpy(),
            "symbols": symbols[:, 4 * start : 4 * (start + length)].numpy(),
            "place": place[:, 4 * start : 4 * (start + length)].numpy(),
            "speaker": speaker.numpy(),
        } | dict(zip(names, state, strict=True))
        made = run_graph(bundle, "vocoder", inputs)
        made_prosody.append(made["prosody"])
        made_filters.append(made["filters"])
        state = [made[f"next_{name}"] for name in names]
        start += length
    np.testing.assert_allclose(np.concatenate(made_prosody, 1), prosody, **TOLERANCE)
    np.testing.assert_allclose(np.concatenate(made_filters, 1), filters, **TOLERANCE)


def test_the_bundle_is_complete_and_speaks(bundle):
    bundle.verify()
    voice = Voice("somebody", np.full(256, 1 / 16, np.float32), 5.0, {"origin": "stock"})
    speech = open_synthesizer(bundle).synthesize("Hello.", voice)
    assert len(speech) > 1000


def test_the_same_weights_give_the_same_bytes(modules):
    source = graph_sources(modules)["t2s_step"]
    first, second = (export_graph(source).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


def test_names_that_do_not_fit_are_refused(modules):
    source = graph_sources(modules)["t2s_step"]
    wrong = type(source)(
        source.module, source.inputs, source.input_names[:-1], source.output_names, source.dynamic
    )
    with pytest.raises(ValueError, match="4 inputs but 3 names"):
        export_graph(wrong)


@pytest.fixture(scope="module")
def small(modules, tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "tiny"
    export_nano(modules, folder)
    return Bundle.load(folder)


@pytest.mark.parametrize(("name", "bits"), [("vocoder", 8), ("text_to_tokens", 7)])
def test_a_bundle_is_a_checkpoint(modules, small, name, bits):
    module = getattr(modules, name)
    folder = small.graph_path("vocoder").parent
    read = read_weights(module, small.graph_path("vocoder") if name == "vocoder" else folder)
    own = module.state_dict()
    assert read.keys() == own.keys()
    for parameter, value in own.items():
        rounding = value.abs().max() / (1.5 * 2 ** (bits - 1))
        assert (read[parameter] - value).abs().max() <= rounding, parameter


@pytest.mark.parametrize("graph", ["vocoder", "t2s_prefill", "t2s_step"])
def test_what_is_read_from_a_bundle_makes_the_same_bytes(small, graph, tmp_path):
    folder = small.graph_path(graph).parent
    again = load_modules(folder, small.graph_path("vocoder"), config=TINY)
    source = graph_sources(again)[graph]
    save_graph(finished_graph(source, PRECISION[graph]), tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == small.graph_path(graph).read_bytes()


def test_what_is_no_graph_is_refused(tmp_path):
    (tmp_path / "v.onnx").write_bytes(b"no graph")
    with pytest.raises(BundleError, match="is not a graph"):
        read_weights(NanoVocoder(TINY), tmp_path / "v.onnx")
