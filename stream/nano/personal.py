"""PersonalParts: the networks that speak for a voice, with what was learnt from its recordings.

Stock voices share the bundle's graphs. A cloned voice has patches: its graphs are made from those
of the bundle when it first speaks, and kept for a few voices. Knows nothing about text.
"""

import threading
from dataclasses import dataclass

from selftalk.stream.errors import VoiceError
from selftalk.stream.graphs.graph import RunOptions
from selftalk.stream.graphs.graph_patch import GraphPatch
from selftalk.stream.nano.semantic import SemanticDecoder
from selftalk.stream.nano.vocoder import Vocoder
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.voices import Voice

KEPT_VOICES = 4  # about 40 MiB each


@dataclass(frozen=True, slots=True)
class Parts:
    """What speaks."""

    semantic: SemanticDecoder
    vocoder: Vocoder


class PersonalParts:
    """Gives each voice its parts; may be shared by threads."""

    def __init__(self, bundle: Bundle, decoder_run: RunOptions, vocoder_run: RunOptions) -> None:
        self._bundle = bundle
        self._decoder_run, self._vocoder_run = decoder_run, vocoder_run
        self._shared = Parts(SemanticDecoder(bundle, decoder_run), Vocoder(bundle, vocoder_run))
        self._kept: dict[tuple[str, ...], Parts] = {}
        self._lock = threading.Lock()

    def of(self, voice: Voice) -> Parts:
        """The parts of a voice.

        Raises:
            VoiceError: what was learnt is damaged, or belongs to another version of the bundle.
        """
        if not voice.patches:
            return self._shared
        with self._lock:
            key = _signature(voice)
            if key not in self._kept:
                graphs = {name: self._patched(name, voice) for name in sorted(voice.patches)}
                self._kept[key] = self._open(graphs)
                while len(self._kept) > KEPT_VOICES:
                    del self._kept[next(iter(self._kept))]
            return self._kept[key]

    def _patched(self, name: str, voice: Voice) -> bytes:
        patch = GraphPatch.load(voice.patches[name])
        return patch.apply(self._bundle.graph_path(name).read_bytes(), voice.name)

    def _open(self, graphs: dict[str, bytes]) -> Parts:
        of_text = {name: graph for name, graph in graphs.items() if name.startswith("t2s_")}
        semantic = (
            SemanticDecoder(self._bundle, self._decoder_run, of_text)
            if of_text
            else self._shared.semantic
        )
        vocoder = (
            Vocoder(self._bundle, self._vocoder_run, graphs["vocoder"])
            if "vocoder" in graphs
            else self._shared.vocoder
        )
        return Parts(semantic, vocoder)


def _signature(voice: Voice) -> tuple[str, ...]:
    """Changes whenever the voice is learnt anew."""
    try:
        return tuple(
            f"{path}:{path.stat().st_mtime_ns}" for _, path in sorted(voice.patches.items())
        )
    except OSError as error:
        raise VoiceError(f"voice '{voice.name}' lacks what was learnt: {error}") from error
