"""Cloning: a person's recordings → what nano has to change to sound like them.

    slices ─▶ examples ─▶ sound ─▶ rhythm ─▶ patches of the bundle's graphs
                                      └─▶ check: still intelligible? more alike?

Every stage is a resumable run in the work folder. The check chooses: all that was learnt, the sound
alone, three quarters or half of it, or nothing. Knows nothing about the command line, consent, or
where voices are kept.
"""

import copy
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from selftalk.export.ge2e import from_graph
from selftalk.export.nano import NanoModules, finished_graph, graph_sources
from selftalk.export.onnx import save_graph
from selftalk.models.nano import SAMPLE_RATE_HZ, NanoVocoder
from selftalk.models.training.likeness import Likeness
from selftalk.models.training.loop import Run, Schedule, Task, Watch
from selftalk.models.training.person import Learnt, Listen, PersonReader, root_mean_square
from selftalk.models.training.replay import replayed
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.models.training.texts import written_lines
from selftalk.models.training.voice_task import (
    RHYTHM_SCHEDULE,
    SOUND_SCHEDULE,
    Said,
    VoiceTask,
    rhythm_task,
)
from selftalk.stream.errors import AudioFileError
from selftalk.stream.graphs.graph_patch import GraphPatch
from selftalk.stream.nano.postfilter import Postfilter
from selftalk.stream.nano.timbre import SpeakerSpace
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.studio.recording import Slice
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.synthesis.voices import Voice

Module = TypeVar("Module", bound=torch.nn.Module)

FORMAT = 5  # of the runs: another one begins anew
HELD_OUT_EVERY = 7
LEAST_SECONDS = 15.0
RHYTHM_SECONDS = 30.0  # below, too little to learn how a person times their words
PARTS = {"three quarters": 0.75, "half": 0.5}  # of what was learnt, if all is too much
SAID_LINES = 12  # in each language of the model
TEXT_GRAPHS = ("t2s_prefill", "t2s_step")


@dataclass(frozen=True)
class Base:
    """The model that learns, and the bundle that was made of it."""

    modules: NanoModules
    bundle: Bundle

    @property
    def postfilter(self) -> Postfilter:
        """Through which the runtime speaks."""
        return Postfilter.from_numbers(self.bundle.manifest.numbers)


@dataclass(frozen=True)
class Lengths:
    """Steps of each stage."""

    sound: int = SOUND_SCHEDULE.steps
    rhythm: int = RHYTHM_SCHEDULE.steps

    @property
    def total(self) -> int:
        """All steps."""
        return self.sound + self.rhythm


Patches = dict[str, GraphPatch]


@dataclass(frozen=True)
class Candidate:
    """A voice with what was learnt, in memory."""

    what: str
    """What was learnt: "sound and rhythm" …"""
    voice: Voice
    make_patches: Callable[[], Patches] = dict

    @cached_property
    def patches(self) -> Patches:
        """What changes the graphs; made when it is asked for, as that takes half a minute."""
        return self.make_patches()


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
        self.tell("listening to the recordings")
        said = self._said(voice)
        train, valid = self._examples(voice, slices, language, said)
        work = self.work / work_name(voice, slices, self.lengths, self.base.bundle)
        learnt = self._sound(said, train, valid, work / "sound")
        sound = Candidate("sound", voice, partial(self._sound_patches, learnt))
        less = [
            Candidate(f"{name} of the sound", voice, partial(self._part_patches, learnt, share))
            for name, share in PARTS.items()
        ]
        candidates = [sound, *less, Candidate("nothing", voice)]
        rhythm = self._rhythm(train, valid, work / "rhythm", seconds)
        if rhythm is not None:
            make = partial(self._rhythm_patches, rhythm, sound)
            candidates.insert(0, Candidate("sound and rhythm", voice, make))
        return candidates

    def _examples(
        self, voice: Voice, slices: Sequence[Slice], language: str, said: Sequence[Said]
    ) -> tuple[list[Learnt], list[Learnt]]:
        """What was recorded; without its text if the model does not speak the language."""
        assert self.base.modules.tokenizer is not None, "cloning needs the tokenizer"
        colour = SpeakerSpace(self.base.bundle).speaker(voice).vector[:-1]
        level = root_mean_square(np.concatenate([each.example.wave for each in said]))
        reader = PersonReader(self.base.modules.tokenizer, self.listen, level)
        languages = self.base.bundle.manifest.languages
        known = language in languages
        return split(
            [
                reader.read(
                    piece.audio,
                    piece.text if known else "",
                    language if known else languages[0],
                    colour,
                )
                for piece in slices
            ]
        )

    def _sound(
        self,
        said: Sequence[Said],
        train: Sequence[Learnt],
        valid: Sequence[Learnt],
        folder: Path,
    ) -> NanoVocoder:
        torch.manual_seed(0)
        vocoder = copy.deepcopy(self.base.modules.vocoder)
        graph = self.base.bundle.graph_path("speaker")
        person = mean_embedding(train, SpeakerEncoder(graph))
        likeness = Likeness(from_graph(graph), torch.from_numpy(person))
        likeness.expect([torch.from_numpy(each.example.wave) for each in train])
        postfilter = self.base.postfilter
        task = VoiceTask(vocoder, train, valid, said, likeness, postfilter=postfilter)
        schedule = replace(SOUND_SCHEDULE, steps=self.lengths.sound)
        return averaged(self._run(task, schedule, folder, 0), vocoder)

    def _said(self, voice: Voice) -> list[Said]:
        lines = [
            (line, language)
            for language in self.base.bundle.manifest.languages
            for line in written_lines(language)[:SAID_LINES]
        ]
        speaker = SpeakerSpace(self.base.bundle).speaker(voice)
        modules = self.base.modules
        return replayed(
            modules.text_to_tokens, modules.vocoder, speaker, lines, self.base.postfilter
        )

    def _rhythm(
        self, train: Sequence[Learnt], valid: Sequence[Learnt], folder: Path, seconds: float
    ) -> TextToTokens | None:
        """The token decoder with the person's rhythm; None if it does not help."""
        if seconds < RHYTHM_SECONDS:
            return None
        model = copy.deepcopy(self.base.modules.text_to_tokens)
        task = rhythm_task(model, train, valid)
        if task is None:
            return None
        before = held_out_loss(task, model)
        schedule = replace(RHYTHM_SCHEDULE, steps=self.lengths.rhythm)
        run = self._run(task, schedule, folder, self.lengths.sound)
        after = held_out_loss(task, run.average.module)
        return averaged(run, model) if after < before else None

    def _run(self, task: Task, schedule: Schedule, folder: Path, offset: int) -> Run:
        def watch(step: int, _steps: int, figures: dict[str, float]) -> None:
            self.watch(offset + step, self.lengths.total, figures)

        run = Run(task, schedule, folder, watch)
        run.fit()
        return run

    def _sound_patches(self, vocoder: NanoVocoder) -> Patches:
        return self._patches(replace(self.base.modules, vocoder=vocoder.eval()), ("vocoder",))

    def _part_patches(self, vocoder: NanoVocoder, share: float) -> Patches:
        return self._sound_patches(towards(self.base.modules.vocoder, vocoder, share))

    def _rhythm_patches(self, rhythm: TextToTokens, sound: Candidate) -> Patches:
        modules = replace(self.base.modules, text_to_tokens=rhythm.eval())
        return sound.patches | self._patches(modules, TEXT_GRAPHS)

    def _patches(self, modules: NanoModules, names: Sequence[str]) -> Patches:
        """What graphs made of learnt modules have other than those of the bundle."""
        self.tell("writing down what was learnt")
        return {name: self._patch(modules, name) for name in names}

    def _patch(self, modules: NanoModules, name: str) -> GraphPatch:
        spec = self.base.bundle.manifest.graphs[name]
        graph = finished_graph(graph_sources(modules)[name], spec.precision)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / spec.file
            save_graph(graph, path)
            personal = path.read_bytes()
        return GraphPatch.between(self.base.bundle.graph_path(name).read_bytes(), personal)


def mean_embedding(learnt: Sequence[Learnt], encoder: SpeakerEncoder) -> Float32Array:
    """Of what is learnt from alone: what is held out stays unknown."""
    waves = [AudioChunk(each.example.wave, SAMPLE_RATE_HZ) for each in learnt]
    mean = np.mean([encoder.embed(wave) for wave in waves], axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


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


def towards(before: Module, after: Module, share: float) -> Module:
    """A model between two: less is learnt, and less forgotten."""
    middle = copy.deepcopy(after)
    learnt = after.state_dict()
    middle.load_state_dict(
        {
            name: torch.lerp(value, learnt[name], share)
            for name, value in before.state_dict().items()
        }
    )
    return middle


def averaged(run: Run, model: Module) -> Module:
    """The model with the averaged weights of a finished run."""
    model.load_state_dict(run.average.module.state_dict())
    return model.eval()


def work_name(voice: Voice, slices: Sequence[Slice], lengths: Lengths, bundle: Bundle) -> str:
    """The folder of the runs: other recordings or another model, another one."""
    graphs = {name: spec.sha256 for name, spec in bundle.manifest.graphs.items()}
    facts = [FORMAT, asdict(lengths), graphs, bundle.manifest.numbers]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for piece in slices:
        digest.update(piece.samples.tobytes())
        digest.update(piece.text.encode())
    return f"{voice.name}-{digest.hexdigest()[:12]}"
