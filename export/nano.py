"""nano's trained modules → its bundle: three graphs, the speaker encoder, voices, a manifest."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import onnx
import safetensors
import safetensors.torch
import torch

from selftalk.export.graph_weights import Weights, name_weights, weights_of_graph
from selftalk.export.onnx import GraphSource, export_graph, save_graph, state_names, state_shapes
from selftalk.export.quantize import to_byte_weights, to_half_weights, to_int8
from selftalk.models.nano import FRAMES_PER_TOKEN, SAMPLE_RATE_HZ, NanoConfig, NanoVocoder
from selftalk.models.timbre import TimbreEncoder
from selftalk.models.tokenizer import FEATURES, PROSODY, Tokenizer
from selftalk.models.training.speakers import TimbreMap
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.stream.errors import BundleError
from selftalk.stream.listening.log_mel import MEL_BANDS
from selftalk.stream.nano.postfilter import Postfilter
from selftalk.stream.nano.timbre import EMBEDDING_SIZE, TIMBRE_SIZE
from selftalk.stream.synthesis.bundle import FORMAT, MANIFEST, GraphSpec, Manifest, sha256_of

TOKEN_RATE_HZ = 25
POSTFILTER = Postfilter(contrast=0.45, treble_db=8.0, level_db=-2.2)
"""Chosen for DistillMOS, DNSMOS and word errors of `selftalk eval --set dev_en`."""
ALWAYS_FP32 = ("tokenizer", "timbre", "timbre_encoder")
"""A token is a rounding: what int8 blurs would become other tokens. The timbre's graph is tiny."""
PRECISION = {"t2s_prefill": "int8", "t2s_step": "int8", "vocoder": "int8-weights"}
"""The vocoder's pitch adds up to a phase, so a chunk must not be rounded unlike the whole."""


def to_bytes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Products in 8 bits; what is only looked up, like a table of symbols, is kept in them."""
    return to_byte_weights(to_int8(model))


SMALLER = {"int8": to_bytes, "int8-weights": to_byte_weights, "fp16": to_half_weights}


@dataclass(frozen=True)
class NanoModules:
    """What was trained."""

    config: NanoConfig
    text_to_tokens: TextToTokens
    vocoder: NanoVocoder
    tokenizer: Tokenizer | None = None
    timbres: TimbreMap | None = None
    timbre_encoder: TimbreEncoder | None = None


def load_modules(
    t2s: Path,
    vocoder: Path,
    tokenizer: Path | None = None,
    timbres: Path | None = None,
    timbre_encoder: Path | None = None,
    config: NanoConfig | None = None,
) -> NanoModules:
    """Read the weights that training wrote; without a tokenizer, recordings cannot be read.

    The vocoder may also be read from the graph that was made of it, and text to tokens from the
    folder of the two graphs that were.

    Raises:
        BundleError: a file is missing or holds other weights.
    """
    config = config or NanoConfig()
    modules = NanoModules(
        config,
        TextToTokens(config),
        NanoVocoder(config),
        Tokenizer(config) if tokenizer else None,
        TimbreMap.load(timbres) if timbres else None,
        TimbreEncoder() if timbre_encoder else None,
    )
    files: list[tuple[torch.nn.Module, Path]] = [
        (modules.text_to_tokens, t2s),
        (modules.vocoder, vocoder),
    ]
    if modules.tokenizer is not None and tokenizer is not None:
        files.append((modules.tokenizer, tokenizer))
    if modules.timbre_encoder is not None and timbre_encoder is not None:
        files.append((modules.timbre_encoder, timbre_encoder))
    for module, path in files:
        try:
            module.load_state_dict(read_weights(module, path))
        except (OSError, safetensors.SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise BundleError(f"'{path}' does not hold nano's weights: {reason}") from error
    return modules


def read_weights(module: torch.nn.Module, path: Path) -> dict[str, torch.Tensor]:
    """The weights of a module: from safetensors, a graph made of it, or a folder of its graphs."""
    if path.is_dir():
        encoder = weights_of_graph(path / "t2s_prefill.onnx")
        decoder = weights_of_graph(path / "t2s_step.onnx")
        return _own(module, encoder | {f"decoder.{name}": w for name, w in decoder.items()})
    if path.suffix == ".onnx":
        return _own(module, weights_of_graph(path))
    return {name: value.float() for name, value in safetensors.torch.load_file(path).items()}


def _own(module: torch.nn.Module, found: Weights) -> dict[str, torch.Tensor]:
    own = module.state_dict()
    return {
        name: torch.from_numpy(value.reshape(own[name].shape).copy())
        for name, value in found.items()
        if name in own
    }


def finished_graph(source: GraphSource, precision: str) -> onnx.ModelProto:
    """Trace a module, name its weights, and make it as small as wanted."""
    model = export_graph(source)
    name_weights(model, {name: value.numpy() for name, value in source.module.state_dict().items()})
    return SMALLER[precision](model) if precision in SMALLER else model


class Prefill(torch.nn.Module):
    """The text encoder for one sentence, without padding."""

    def __init__(self, modules: NanoModules) -> None:
        super().__init__()
        self.encoder = modules.text_to_tokens.encoder

    def forward(
        self, symbols: torch.Tensor, speaker: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Symbols (1, N), speaker (1, S) → context (1, N, C), log durations (1, N)."""
        context, durations = self.encoder(symbols, speaker, torch.ones_like(symbols) > 0)
        return context, durations


class Timbre(torch.nn.Module):
    """The guess of a timbre from a speaker embedding."""

    def __init__(self, timbres: TimbreMap) -> None:
        super().__init__()
        self.guess = torch.nn.Linear(EMBEDDING_SIZE, TIMBRE_SIZE)
        self.guess.weight.data = torch.from_numpy(timbres.weight)
        self.guess.bias.data = torch.from_numpy(timbres.bias)

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """Embedding (1, 256) → timbre (1, 128)."""
        return self.guess(embedding)


class Tokens(torch.nn.Module):
    """The tokenizer without the heads that only its training needs."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer

    def forward(self, features: torch.Tensor, prosody: torch.Tensor) -> torch.Tensor:
        """Features (1, 2 T, 512), prosody (1, 4 T, 3) → tokens (1, T)."""
        return self.tokenizer.tokens(features, prosody)


def graph_sources(modules: NanoModules) -> dict[str, GraphSource]:
    """The list of nano's graphs."""
    config = modules.config
    speaker = torch.randn(1, config.speaker)
    decoder, vocoder = modules.text_to_tokens.decoder, modules.vocoder
    past = torch.randn(
        config.decoder_layers, 2, 1, config.decoder_heads, 5,
        config.decoder_width // config.decoder_heads,
    )  # fmt: skip
    vocoder_state = vocoder.initial_state(1)
    before, after = state_names(vocoder_state, "state"), state_names(vocoder_state, "next_state")
    lengths: dict[str, tuple[int, ...]] = dict.fromkeys(before, (1,))
    sources = {
        "t2s_prefill": GraphSource(
            Prefill(modules),
            (torch.randint(0, config.symbols, (1, 12)), speaker),
            ["symbols", "speaker"],
            ["context", "log_durations"],
            {"symbols": (1,)},
        ),
        "t2s_step": GraphSource(
            decoder,
            (
                torch.zeros(1, 1, dtype=torch.int64),
                torch.randn(1, 1, config.text_width),
                torch.randn(1, 1, 2),
                past,
            ),
            ["previous", "context", "place", "state.past"],
            ["logits", "next_state.past"],
            {"state.past": (4,)},
        ),
        "vocoder": GraphSource(
            vocoder,
            (
                torch.randint(0, config.codes, (1, 10)),
                torch.randint(0, config.symbols, (1, FRAMES_PER_TOKEN * 10, config.neighbours)),
                torch.rand(1, FRAMES_PER_TOKEN * 10, 2),
                speaker,
                vocoder_state,
            ),
            ["tokens", "symbols", "place", "speaker", *before],
            ["prosody", "filters", *after],
            {"tokens": (1,), "symbols": (1,), "place": (1,), **lengths},
        ),
    }
    return sources | listening_sources(modules)


def listening_sources(modules: NanoModules) -> dict[str, GraphSource]:
    """Those graphs that hear recordings, as far as they were trained."""
    sources = {}
    if modules.timbres is not None:
        sources["timbre"] = GraphSource(
            Timbre(modules.timbres),
            (torch.randn(1, EMBEDDING_SIZE),),
            ["embedding"],
            ["timbre"],
            {},
        )
    if modules.timbre_encoder is not None:
        sources["timbre_encoder"] = GraphSource(
            modules.timbre_encoder.eval(),
            (torch.randn(1, MEL_BANDS, 200),),
            ["mel"],
            ["timbre"],
            {"mel": (2,)},
        )
    if modules.tokenizer is not None:
        sources["tokenizer"] = GraphSource(
            Tokens(modules.tokenizer),
            (torch.randn(1, 20, FEATURES), torch.randn(1, FRAMES_PER_TOKEN * 10, PROSODY)),
            ["features", "prosody"],
            ["tokens"],
            {"features": (1,), "prosody": (1,)},
        )
    return sources


def initial_shapes(modules: NanoModules) -> dict[str, dict[str, tuple[int, ...]]]:
    """Shapes of the initial states by graph."""
    past = modules.text_to_tokens.decoder.initial_state(1)
    return {
        "t2s_prefill": {},
        "timbre": {},
        "timbre_encoder": {},
        "tokenizer": {},
        "t2s_step": {"past": tuple(past.shape)},
        "vocoder": state_shapes(modules.vocoder.initial_state(1)),
    }


def export_nano(
    modules: NanoModules,
    folder: Path,
    *,
    precision: Mapping[str, str] | str | None = None,
    extra_graphs: Mapping[str, Path] | None = None,
    voices: Path | None = None,
    languages: tuple[str, ...] = ("en",),
    version: str = "0.1",
) -> None:
    """Write nano's bundle; an existing folder is replaced when the new one is complete.

    Args:
        modules: the trained modules.
        folder: the bundle's folder.
        precision: "fp32", "fp16" and "int8-weights" (weights only) or "int8", for all graphs or
            for each by name; by default what was found best for each.
        extra_graphs: finished ONNX files to include, such as the speaker encoder.
        voices: a folder with `.voice` files to include.
        languages: what the weights were trained on.
        version: of the weights.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        building = Path(temporary) / folder.name
        building.mkdir()
        specs = {}
        for name, source in graph_sources(modules).items():
            wanted = (
                precision
                if isinstance(precision, str)
                else (precision or PRECISION).get(name, "int8")
            )
            wanted = "fp32" if name in ALWAYS_FP32 else wanted
            path = building / f"{name}.onnx"
            save_graph(finished_graph(source, wanted), path)
            specs[name] = _spec(path, wanted, initial_shapes(modules)[name])
        for name, path in (extra_graphs or {}).items():
            shutil.copyfile(path, building / f"{name}.onnx")
            specs[name] = _spec(building / f"{name}.onnx", "fp32", {})
        if voices is not None:
            shutil.copytree(voices, building / "voices")
        manifest = _manifest(modules, specs, languages, version)
        (building / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        if folder.exists():
            shutil.rmtree(folder)
        building.rename(folder)


def _spec(path: Path, precision: str, state: dict[str, tuple[int, ...]]) -> GraphSpec:
    return GraphSpec(path.name, sha256_of(path), path.stat().st_size, precision, state)


def _manifest(
    modules: NanoModules, specs: dict[str, GraphSpec], languages: tuple[str, ...], version: str
) -> Manifest:
    lookahead = modules.vocoder.lookahead_frames
    return Manifest(
        format=FORMAT,
        name="nano",
        kind="nano",
        version=version,
        licence="Apache-2.0",
        sample_rate_hz=SAMPLE_RATE_HZ,
        token_rate_hz=TOKEN_RATE_HZ,
        symbols="v2",
        languages=languages,
        graphs=specs,
        numbers={
            "start_token": modules.text_to_tokens.decoder.start,
            "vocoder_lookahead_tokens": -(-lookahead // FRAMES_PER_TOKEN),
            **POSTFILTER.numbers(),
        },
    )
