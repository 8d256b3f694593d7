"""Cloning: a person's recordings → what nano has to change to sound like them.

    slices ─▶ examples ─▶ stage A ─▶ stage B ─▶ stage T ─▶ patches of the bundle's graphs
                                                    └─▶ check: still intelligible? more alike?

Every stage is a resumable run in the work folder. What makes speech less intelligible is taken
back: first the rhythm, then the sound, at last everything. Knows nothing about the command line,
consent, or where voices are kept.
"""

import copy
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from selftalk.export.nano import SMALLER, NanoModules, graph_sources
from selftalk.export.onnx import export_graph, save_graph
from selftalk.models.nano import NanoVocoder
from selftalk.models.training.loop import Run, Schedule, Task, Watch
from selftalk.models.training.person import Learnt, Listen, PersonReader
from selftalk.models.training.replay import replayed
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.models.training.texts import written_lines
from selftalk.models.training.voice_task import (
    SCHEDULE_A,
    SCHEDULE_B,
    SCHEDULE_T,
    STAGE_A,
    STAGE_B,
    PersonalVocoder,
    Replay,
    VoiceTask,
    rhythm_task,
)
from selftalk.stream.audio import AudioChunk
from selftalk.stream.bundle import Bundle
from selftalk.stream.errors import AudioFileError
from selftalk.stream.graph_patch import GraphPatch
from selftalk.stream.pitch import track_pitch
from selftalk.stream.studio.recording import Slice
from selftalk.stream.timbre import GRAPH as TIMBRE_GRAPH
from selftalk.stream.timbre import TIMBRE_SCALE, SpeakerSpace
from selftalk.stream.voices import Voice, list_voices

Module = TypeVar("Module", bound=torch.nn.Module)

FORMAT = 2  # of the runs: another one begins anew
HELD_OUT_EVERY = 7
LEAST_SECONDS = 15.0
RHYTHM_SECONDS = 30.0  # below, too little to learn how a person times their words
REPLAYED_LINES = 16
TEXT_GRAPHS = ("t2s_prefill", "t2s_step")


@dataclass(frozen=True)
class Base:
    """The model that learns, and the bundle that was made of it."""

    modules: NanoModules
    bundle: Bundle


@dataclass(frozen=True)
class Lengths:
    """Steps of each stage."""

    colour: int = SCHEDULE_A.steps
    sound: int = SCHEDULE_B.steps
    rhythm: int = SCHEDULE_T.steps

    @property
    def total(self) -> int:
        """All steps."""
        return self.colour + self.sound + self.rhythm


@dataclass(frozen=True)
class Candidate:
    """A voice with what was learnt, in memory."""

    what: str
    """What was learnt: "colour, sound and rhythm" …"""
    voice: Voice
    patches: dict[str, GraphPatch] = field(default_factory=dict)


@dataclass(frozen=True)
class Cloner:
    """Everything that learns; see the module."""

    base: Base
    listen: Listen
    work: Path
    lengths: Lengths = Lengths()
    watch: Watch = lambda _step, _steps, _figures: None
    tell: Callable[[str], None] = lambda _what: None

    def learn(self, voice: Voice, slices: Sequence[Slice], language: str) -> list[Candidate]:
        """Learn a voice; the candidates from the most learnt to the voice as it was.

        Args:
            voice: as it was enrolled.
            slices: recordings of the person, at least 15 s.
            language: they speak.

        Raises:
            AudioFileError: there is too little speech.
        """
        seconds = sum(piece.seconds for piece in slices)
        if seconds < LEAST_SECONDS:
            raise AudioFileError(
                f"{seconds:.0f} s of speech are too few to learn a voice;"
                f" at least {LEAST_SECONDS:.0f} s are needed, a minute is good"
            )
        colour = SpeakerSpace(self.base.bundle).speaker(voice).vector[:-1]
        self.tell("listening to the recordings")
        train, valid = self._examples(slices, language, colour)
        work = self.work / work_name(voice, slices, self.lengths)
        vocoder = self._colour(train, valid, work)
        coloured = self._coloured(voice, colour, vocoder)
        only_colour = Candidate("colour", coloured, self._sound_patch(vocoder))
        vocoder = self._sound(vocoder, train, valid, work)
        sound = Candidate("colour and sound", coloured, self._sound_patch(vocoder))
        candidates = [sound, only_colour, Candidate("nothing", voice)]
        rhythm = self._rhythm(train, valid, work, seconds)
        if rhythm is not None:
            patches = sound.patches | self._patches(rhythm, TEXT_GRAPHS)
            candidates.insert(0, Candidate("colour, sound and rhythm", coloured, patches))
        return candidates

    def _examples(
        self, slices: Sequence[Slice], language: str, colour: np.ndarray
    ) -> tuple[list[Learnt], list[Learnt]]:
        assert self.base.modules.tokenizer is not None, "cloning needs the tokenizer"
        reader = PersonReader(self.base.modules.tokenizer, self.listen)
        learnt = [reader.read(piece.audio, piece.text, language, colour) for piece in slices]
        return split(learnt)

    def _colour(
        self, train: Sequence[Learnt], valid: Sequence[Learnt], work: Path
    ) -> PersonalVocoder:
        size = len(train[0].example.speaker) - 1
        torch.manual_seed(0)
        model = PersonalVocoder(copy.deepcopy(self.base.modules.vocoder), size)
        parts = STAGE_A
        if TIMBRE_GRAPH not in self.base.bundle.manifest.graphs:
            parts = STAGE_A.removeprefix("shift|")  # such a model has no place to move to
        task = VoiceTask(model, train, valid, parts=parts)
        run = self._run(task, replace(SCHEDULE_A, steps=self.lengths.colour), work / "colour", 0)
        return averaged(run, model)

    def _sound(
        self,
        before: PersonalVocoder,
        train: Sequence[Learnt],
        valid: Sequence[Learnt],
        work: Path,
    ) -> PersonalVocoder:
        model = copy.deepcopy(before)
        task = VoiceTask(model, train, valid, self._replay(), parts=STAGE_B)
        schedule = replace(SCHEDULE_B, steps=self.lengths.sound)
        return averaged(self._run(task, schedule, work / "sound", self.lengths.colour), model)

    def _replay(self) -> list[Replay]:
        modules, bundle = self.base.modules, self.base.bundle
        space = SpeakerSpace(bundle)
        stock = [
            space.speaker(Voice.load(path))
            for path in list_voices(bundle.voices_folder).values()
            if path.parent == bundle.voices_folder
        ]
        if not stock:
            return []
        language = bundle.manifest.languages[0]
        lines = [(line, language) for line in written_lines(language)[:REPLAYED_LINES]]
        return replayed(modules.text_to_tokens, modules.vocoder, stock, lines)

    def _rhythm(
        self, train: Sequence[Learnt], valid: Sequence[Learnt], work: Path, seconds: float
    ) -> TextToTokens | None:
        """The token decoder with the person's rhythm; None if it does not help."""
        if seconds < RHYTHM_SECONDS:
            return None
        model = copy.deepcopy(self.base.modules.text_to_tokens)
        task = rhythm_task(model, train, valid)
        if task is None:
            return None
        before = held_out_loss(task, model)
        offset = self.lengths.colour + self.lengths.sound
        schedule = replace(SCHEDULE_T, steps=self.lengths.rhythm)
        run = self._run(task, schedule, work / "rhythm", offset)
        after = held_out_loss(task, run.average.module)
        return averaged(run, model) if after < before else None

    def _run(self, task: Task, schedule: Schedule, folder: Path, offset: int) -> Run:
        def watch(step: int, _steps: int, figures: dict[str, float]) -> None:
            self.watch(offset + step, self.lengths.total, figures)

        run = Run(task, schedule, folder, watch)
        run.fit()
        return run

    def _coloured(self, voice: Voice, colour: np.ndarray, model: PersonalVocoder) -> Voice:
        if TIMBRE_GRAPH not in self.base.bundle.manifest.graphs:
            return voice
        moved = colour + model.shift.detach().numpy()
        return replace(voice, timbre=(moved / TIMBRE_SCALE).astype(np.float32))

    def _sound_patch(self, model: PersonalVocoder) -> dict[str, GraphPatch]:
        return self._patches(model.vocoder, ("vocoder",))

    def _patches(
        self, module: TextToTokens | NanoVocoder, names: Sequence[str]
    ) -> dict[str, GraphPatch]:
        """What graphs made of a learnt module have other than those of the bundle."""
        self.tell("writing down what was learnt")
        modules = self.base.modules
        if isinstance(module, TextToTokens):
            modules = replace(modules, text_to_tokens=module.eval())
        else:
            modules = replace(modules, vocoder=module.eval())
        return {name: self._patch(modules, name) for name in names}

    def _patch(self, modules: NanoModules, name: str) -> GraphPatch:
        spec = self.base.bundle.manifest.graphs[name]
        graph = export_graph(graph_sources(modules)[name])
        if spec.precision in SMALLER:
            graph = SMALLER[spec.precision](graph)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / spec.file
            save_graph(graph, path)
            personal = path.read_bytes()
        return GraphPatch.between(self.base.bundle.graph_path(name).read_bytes(), personal)


def enrolled(
    name: str,
    slices: Sequence[Slice],
    embed: Callable[[AudioChunk], np.ndarray],
    about: dict[str, str],
) -> Voice:
    """A voice as zero-shot cloning makes it: the mean embedding and pitch of its slices."""
    mean = np.mean([embed(piece.audio) for piece in slices], axis=0)
    logs = [np.log(hz[hz > 0]) for hz in (track_pitch(piece.audio) for piece in slices)]
    voiced = np.concatenate(logs) if logs else np.zeros(0)
    pitch = float(np.median(voiced)) if len(voiced) else float(np.log(170.0))
    return Voice(name, (mean / np.linalg.norm(mean)).astype(np.float32), pitch, about)


def split(items: Sequence[Learnt]) -> tuple[list[Learnt], list[Learnt]]:
    """What is learnt from, and every seventh to check with."""
    valid = list(items[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]) or list(items[-1:])
    chosen = {id(item) for item in valid}
    return [item for item in items if id(item) not in chosen], valid


def held_out_loss(task: Task, model: torch.nn.Module) -> float:
    """Of tokens and durations together."""
    model.eval()
    with torch.no_grad():
        figures = task.validate(model)
    return figures["tokens"] + figures["durations"]


def averaged(run: Run, model: Module) -> Module:
    """The model with the averaged weights of a finished run."""
    model.load_state_dict(run.average.module.state_dict())
    return model.eval()


def work_name(voice: Voice, slices: Sequence[Slice], lengths: Lengths) -> str:
    """The folder of the runs: other recordings, another one."""
    digest = hashlib.sha256(json.dumps([FORMAT, asdict(lengths)]).encode())
    for piece in slices:
        digest.update(piece.samples.tobytes())
        digest.update(piece.text.encode())
    return f"{voice.name}-{digest.hexdigest()[:12]}"
