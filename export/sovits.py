"""An imported GPT-SoVITS voice → its bundle: graphs, tensors they share, a manifest.

    fp32    says what the original says
    int8    Text2Semantic and the vocoder in 8 bits: three times as fast, and a third of the memory
    fp16    for graphics cards

The same voice and the same versions of torch, onnx and onnxruntime give the same bytes.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import onnx
import onnxruntime
import torch

from selftalk.export.onnx import OPSET, GraphSource, save_graph
from selftalk.export.quantize import to_fp16, to_half_weights, to_int8, to_nbits8
from selftalk.export.shared_weights import SharedWeights
from selftalk.export.sovits_decoder import eight_bit_decoder
from selftalk.export.sovits_graphs import (
    WindowDecoder,
    listener_sources,
    reference_sources,
    sentence_sources,
    t2s_sources,
)
from selftalk.export.traced import trace_graph
from selftalk.export.voice_model import STAGES, VoiceModel, load_voice_model
from selftalk.models import checkpoint
from selftalk.models.bert import Bert
from selftalk.models.eres2net import ERes2Net
from selftalk.models.hubert import Hubert
from selftalk.models.sovits import FRAMES_PER_TOKEN, Sovits
from selftalk.models.t2s import Text2Semantic
from selftalk.stream.errors import CheckpointError
from selftalk.stream.sovits.text_features import GRAPH, VOCABULARY, vocabulary_text
from selftalk.stream.synthesis.bundle import (
    FORMAT,
    MANIFEST,
    GraphSpec,
    Manifest,
    WeightsSpec,
    sha256_of,
)

Precision = Literal["fp32", "int8", "fp16"]
Tell = Callable[[str], None]

T2S_WEIGHTS = "t2s.weights"
LANGUAGES = {"v1": ("zh", "en", "ja")}
LATER_LANGUAGES = ("zh", "en", "ja", "ko", "yue")
MADE_SMALLER = ("t2s_prefill", "t2s_step", "decoder")
"""Graphs that the time of speaking goes into."""
MARGIN_FRAMES = 8
"""Context of a window on each side: 4e-4 from exact with random weights; all of it would be 43."""
NOISE_SCALE = 0.5


@dataclass(frozen=True)
class Listeners:
    """Models that listen to a reference recording or read Chinese; official voices share them."""

    hubert: Hubert | None = None
    speaker: ERes2Net | None = None
    bert: Bert | None = None
    vocabulary: dict[str, int] = field(default_factory=dict)
    """Of BERT: ids by word."""


def export_voice(
    model_folder: Path,
    folder: Path,
    *,
    precision: Precision = "int8",
    listeners: Listeners | None = None,
    tell: Tell = lambda _line: None,
) -> None:
    """Write the bundle of a voice model; an existing folder is replaced when it is complete.

    Args:
        model_folder: of an imported voice model.
        folder: the bundle's folder.
        precision: of the graphs; see above.
        listeners: what is needed to make a voice of a recording, and to read Chinese well.
        tell: told in a line what is being done.

    Raises:
        CheckpointError: the model is missing or damaged.
    """
    model = load_voice_model(model_folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        building = Path(temporary) / folder.name
        building.mkdir()
        writer = BundleWriter(building, precision, tell)
        numbers = _write_t2s(writer, model) | _write_sovits(writer, model)
        _write_listeners(writer, listeners or Listeners())
        manifest = _manifest(model, writer, numbers, source_hashes(model_folder))
        (building / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        if (folder / "voices").is_dir():  # voices that were made for it before
            shutil.copytree(folder / "voices", building / "voices")
        if folder.exists():
            shutil.rmtree(folder)
        building.rename(folder)


class BundleWriter:
    """Writes graphs and remembers what the manifest has to say about them."""

    def __init__(self, folder: Path, precision: Precision, tell: Tell) -> None:
        self.folder = folder
        self.precision: Precision = precision
        self.graphs: dict[str, GraphSpec] = {}
        self.weights: dict[str, WeightsSpec] = {}
        self._tell = tell

    def write(self, name: str, source: GraphSource, shared: SharedWeights | None = None) -> None:
        """Trace, make smaller and write one graph."""
        self._tell(f"graph {name}")
        model, precision = _made_smaller(name, source, self.precision)
        if precision != self.precision and name in MADE_SMALLER:
            self._tell(f"graph {name} stays {precision}: {self.precision} would change its sound")
        if shared is not None:
            shared.take(model)
        path = self.folder / f"{name}.onnx"
        save_graph(model, path)
        spec = GraphSpec(path.name, sha256_of(path), path.stat().st_size, precision)
        self.graphs[name] = spec

    def add_weights(self, path: Path) -> None:
        """Take note of a finished file of tensors."""
        self.weights[path.name] = WeightsSpec(sha256_of(path), path.stat().st_size)


def _made_smaller(
    name: str, source: GraphSource, precision: Precision
) -> tuple[onnx.ModelProto, str]:
    """The graph in the wished precision, as far as it pays, and which one that is.

    What is computed once for a voice or a sentence stays exact.
    """
    model = trace_graph(source)
    if precision == "fp16" and name in MADE_SMALLER:
        return to_fp16(model), "fp16"
    if name == GRAPH and precision != "fp32":
        return (
            (to_nbits8(model), "int8") if precision == "int8" else (to_half_weights(model), "fp16")
        )
    if precision == "int8" and name == "t2s_prefill":
        return to_int8(model), "int8"
    if precision == "int8" and name == "t2s_step":
        heads = tuple(node.name for node in model.graph.node if "logits" in node.output)
        return to_nbits8(model, heads), "int8"
    if precision == "int8" and isinstance(source.module, WindowDecoder):
        rounded, near = eight_bit_decoder(model, source.module.sovits, NOISE_SCALE)
        if near:
            return rounded, "int8"
    return model, "fp32"


def _write_t2s(writer: BundleWriter, model: VoiceModel) -> dict[str, float]:
    t2s = t2s_of(model)
    path = writer.folder / T2S_WEIGHTS
    with SharedWeights(path) as shared:
        for name, source in t2s_sources(t2s).items():
            writer.write(name, source, shared)
    writer.add_weights(path)
    config = t2s.config
    return {
        "t2s_layers": config.layers,
        "t2s_heads": config.heads,
        "t2s_width": config.width,
        "t2s_tokens": config.tokens,
        "t2s_positions": config.positions,
        "bert_width": config.bert_width,
    }


def _write_sovits(writer: BundleWriter, model: VoiceModel) -> dict[str, float]:
    sovits = sovits_of(model)
    for name, source in (sentence_sources(sovits) | reference_sources(sovits)).items():
        writer.write(name, source)
    config = sovits.config
    return {
        "latent": config.latent,
        "style_width": config.style_width,
        "speaker_width": config.speaker_width,
        "ssl_width": config.ssl_width,
        "hop_samples": config.hop_samples,
        "window_samples": config.window_samples,
        "frames_per_token": FRAMES_PER_TOKEN,
        "sample_rate_hz": config.sample_rate_hz,
        "exact_margin_frames": sovits.margin_frames,
        "left_margin_frames": min(MARGIN_FRAMES, sovits.margin_frames),
        "right_margin_frames": min(MARGIN_FRAMES, sovits.margin_frames),
        "noise_scale": NOISE_SCALE,
    }


def _write_listeners(writer: BundleWriter, listeners: Listeners) -> None:
    for name, source in listener_sources(
        listeners.hubert, listeners.speaker, listeners.bert
    ).items():
        writer.write(name, source)
    if listeners.bert is not None:
        path = writer.folder / VOCABULARY
        path.write_text(vocabulary_text(listeners.vocabulary), encoding="utf-8")
        writer.add_weights(path)


def _manifest(
    model: VoiceModel, writer: BundleWriter, numbers: dict[str, float], source: dict[str, str]
) -> Manifest:
    rate_hz = numbers.pop("sample_rate_hz")
    token_samples = numbers["hop_samples"] * numbers["frames_per_token"]
    return Manifest(
        format=FORMAT,
        name=model.name,
        kind="sovits",
        version=model.version,
        licence="that of the imported checkpoints",
        sample_rate_hz=int(rate_hz),
        token_rate_hz=rate_hz / token_samples,
        symbols="v1" if model.version == "v1" else "v2",
        languages=LANGUAGES.get(model.version, LATER_LANGUAGES),
        graphs=writer.graphs,
        numbers=numbers,
        weights=writer.weights,
        source=source,
        made_with={
            "opset": str(OPSET),
            "torch": str(torch.__version__),
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
        },
    )


def source_hashes(model_folder: Path) -> dict[str, str]:
    """SHA-256 of both stages of an imported voice model."""
    return {stage: sha256_of(model_folder / f"{stage}.safetensors") for stage in STAGES}


def t2s_of(model: VoiceModel) -> Text2Semantic:
    """Text2Semantic of a voice model.

    Raises:
        CheckpointError: its tensors and settings are not those of one.
    """
    with _explained(model):
        t2s = Text2Semantic(checkpoint.t2s_config(model.s1.tensors, model.s1.config))
        checkpoint.load_state(t2s, checkpoint.t2s_state(model.s1.tensors))
    return t2s


def sovits_of(model: VoiceModel) -> Sovits:
    """SoVITS of a voice model, without what only training needs.

    Raises:
        CheckpointError: its tensors and settings are not those of one.
    """
    with _explained(model):
        sovits = Sovits(checkpoint.sovits_config(model.s2.tensors, model.s2.config))
        checkpoint.load_state(sovits, checkpoint.sovits_state(model.s2.tensors))
    return sovits


@contextmanager
def _explained(model: VoiceModel) -> Iterator[None]:
    """Say in a sentence why a checkpoint that could be read makes no model."""
    try:
        yield
    except KeyError as error:
        raise CheckpointError(f"the voice model '{model.name}' lacks {error}") from error
    except (ArithmeticError, AssertionError, IndexError, TypeError, ValueError) as error:
        raise CheckpointError(f"the voice model '{model.name}' does not fit: {error}") from error
