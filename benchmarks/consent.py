"""Consent: how often is a person refused, and how often does another one pass?

    python benchmarks/consent.py whole [--trials 40]    # needs kokoro's weights, and recognisers'
    python benchmarks/consent.py speakers ROOT          # ROOT: see human_speech.py
    python benchmarks/consent.py digits ROOT

`whole` lets voices of another synthesizer give consent, since nobody read our sentences aloud for
us: each says the sentence that it is asked for, and `ConsentSession` compares it with two other
clips of the same voice (genuine) or of another one (foreign). Then old sentences, every way to have
one of the four words wrong, and our own synthesis, all of which must be refused. `--keep FOLDER`
keeps what was said, so that a second run costs only the checks.

`speakers` compares readers as `ConsentSession` does: about eight seconds of one reader in the place
of the sentence, five clips of the same reader (genuine) or of another (foreign).

`digits` joins what one reader recorded, a prompt and four single digits, in place of our sentence.
"""

import argparse
import hashlib
import itertools
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import human_speech
import numpy as np

from selftalk.export.teacher_system import TeacherSystem
from selftalk.models.training.styles import ProsodyMix, Speaker, Timbre
from selftalk.stream.errors import ConsentError, MisheardError
from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.listening.recognizer import Recognizer, RecognizerConfig, load_recognizer
from selftalk.stream.sound.audio import AudioChunk, read_audio, write_wav
from selftalk.stream.sound.resample import resample
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.synthesis.synthesizer import open_synthesizer
from selftalk.stream.trust.consent import (
    LEAST_ALIKE,
    MOST_BEHIND,
    ConsentSession,
    Likeness,
    likeness,
)
from selftalk.stream.trust.speech_only import without_pauses
from selftalk.stream.trust.statement import (
    WORDS,
    check_transcript,
    english_tokens,
    sentence_of,
    split_digits,
)
from selftalk.stream.trust.watermark import is_marked

CLIPS = 5
STATEMENT_SECONDS = 8.0
RATE_HZ = 16_000
SAME_PERSON = ({"Allison (en)", "Allison (es)"},)
"""Both files name the same reader, so they are no foreigners to each other."""

VOICES = {
    "en": "af_heart am_michael bf_emma bm_george af_bella am_fenrir af_nicole am_puck bf_isabella"
    " bm_fable",
    "zh": "zf_xiaobei zm_yunjian zf_xiaoni zm_yunxi zf_xiaoxiao zm_yunyang zf_xiaoyi zm_yunxia",
}
OWNERS = {
    "en": (
        ("Ada Lovelace", "my own diary"),
        ("John Miller", "reading books to my children"),
        ("Maria Gonzalez", "a talking assistant"),
        ("Priya Raghunathan", "my channel"),
        ("Tom O'Brien", "home automation"),
    ),
    "zh": (
        ("王小明", "朗读我的日记"),
        ("李华", "制作有声书"),
        ("张伟", "智能助手"),
        ("陈思雨", "教孩子英语"),
        ("欧阳建国", "个人频道"),
    ),
}
OTHER_CLIPS = {
    "en": (
        "The quick river ran down between the old stone houses.",
        "Would you like some tea before we leave tonight?",
    ),
    "zh": ("今天天气很好，我们一起去公园散步吧。", "他打开窗户，听了一会儿外面的雨声。"),
}


@dataclass(frozen=True)
class Trial:
    """One person who agrees."""

    language: str
    voice: str
    person: str
    purpose: str
    answer: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What is to be said."""
        return sentence_of(self.person, self.purpose, self.answer, self.language)


def trials(count: int, seed: int) -> Iterator[Trial]:
    """As many in each language, voice after voice."""
    rng = random.Random(seed)
    for place in range(count // len(VOICES)):
        for language, voices in VOICES.items():
            names = voices.split()
            person, purpose = OWNERS[language][place % len(OWNERS[language])]
            answer = tuple(rng.sample(WORDS[language], 4))
            yield Trial(language, names[place % len(names)], person, purpose, answer)


class Stage:
    """Another synthesizer's voices, and what they have said so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def say(self, text: str, language: str, voice: str) -> AudioChunk:
        """One text by one voice."""
        name = hashlib.sha256(f"{voice} {text}".encode()).hexdigest()[:16]
        path = self._folder / f"{voice}-{name}.wav"
        if not path.is_file():
            teacher = _teacher()
            prosody = {language: ProsodyMix((voice, voice))}
            teacher.speakers[voice] = Speaker(voice, Timbre("stock", (voice,)), prosody, 1.0)
            write_wav(path, teacher.say(Sentence(text, language), voice).audio)
        return read_audio(path)

    def clips(self, language: str, voice: str) -> list[AudioChunk]:
        """What the voice would be made of."""
        return [self.say(text, language, voice) for text in OTHER_CLIPS[language]]


def whole(args: argparse.Namespace) -> None:
    """Measure the whole check, then what must be refused."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["SELFTALK_HOME"] = home  # the receipts are nobody's
        stage = Stage(args.keep or Path(home) / "said")
        asked = list(trials(args.trials, args.seed))
        counts: Counter[str] = Counter()
        spoken = []
        for trial in asked:
            said = stage.say(trial.sentence, trial.language, trial.voice)
            heard = listen(said, trial.language)
            why = refusal(trial, said, stage.clips(trial.language, trial.voice), heard)
            counts["false rejects"] += bool(why)
            counts["words misheard"] += isinstance(why, MisheardError)
            print(f"{'no ' if why else 'ok '} {trial.voice} {trial.sentence}\n    {heard} {why}")
            spoken.append((trial, said, heard))
        for trial, said, heard in spoken:
            stranger = stage.clips(trial.language, another_voice(trial, args.seed))
            counts["false accepts"] += not refusal(trial, said, stranger, heard)
            for wrong in wrong_answers(trial):
                counts["wrong words said"] += 1
                counts["wrong words accepted"] += accepted(heard, trial, wrong)
        for trial, other in old_sentences(asked):
            counts["old sentences accepted"] += accepted(
                next(heard for one, _, heard in spoken if one == trial), trial, other
            )
        marks = [is_marked(chunk) for chunk in own_synthesis(args.own)]
        result = {"genuine": len(asked), "foreign": len(asked), **counts}
        print(json.dumps({**result, "own said": args.own, "own accepted": marks.count(False)}))


def refusal(
    trial: Trial, said: AudioChunk, clips: list[AudioChunk], heard: str
) -> ConsentError | None:
    """Why consent is refused; None if it is given."""
    session = ConsentSession(
        "me",
        trial.person,
        trial.purpose,
        recognizer=lambda _: Heard(heard),
        speaker=_speaker(),
        draw=lambda _: trial.answer,
    )
    try:
        session.check(said, session.challenge(trial.language), clips)
    except ConsentError as error:
        return error
    return None


class Heard:
    """A recogniser that has listened before."""

    def __init__(self, text: str) -> None:
        self._text = text

    def transcribe(self, chunk: AudioChunk, language: str, stop: object = None) -> "Heard":
        """What was heard."""
        return self

    @property
    def text(self) -> str:
        """As a transcript has it."""
        return self._text


def listen(said: AudioChunk, language: str) -> str:
    """What the recogniser of consent understands."""
    return _recognizer(language).transcribe(said, language).text


def another_voice(trial: Trial, seed: int) -> str:
    """Somebody else who speaks the language, of the same sex: the harder half of strangers."""
    names = VOICES[trial.language].split()
    others = [name for name in names if name != trial.voice and name[1] == trial.voice[1]]
    return random.Random(f"{seed} {trial}").choice(others)


def wrong_answers(trial: Trial) -> Iterator[tuple[str, ...]]:
    """Every answer that has one other word."""
    for place, word in itertools.product(range(4), WORDS[trial.language]):
        if word not in trial.answer:
            yield (*trial.answer[:place], word, *trial.answer[place + 1 :])


def old_sentences(asked: list[Trial]) -> Iterator[tuple[Trial, tuple[str, ...]]]:
    """What was said before, as the answer to what is asked for now."""
    for language in VOICES:
        mine = [trial for trial in asked if trial.language == language]
        for before, now in itertools.permutations(mine, 2):
            yield before, now.answer


def own_synthesis(count: int) -> Iterator[AudioChunk]:
    """The sentence in our own voice."""
    synthesizer = open_synthesizer(default_bundle())
    voice = synthesizer.voice("default")
    for trial in itertools.islice(trials(2 * len(VOICES) * count, 1), count):
        yield synthesizer.synthesize(trial.sentence, voice)


def accepted(heard: str, trial: Trial, answer: tuple[str, ...]) -> bool:
    """Whether the words pass as another answer."""
    sentence = sentence_of(trial.person, trial.purpose, answer, trial.language)
    try:
        check_transcript(heard, sentence, answer, trial.language)
    except ConsentError:
        return False
    return True


@cache
def _teacher() -> TeacherSystem:
    return TeacherSystem(1)


@cache
def _speaker() -> SpeakerEncoder:
    return SpeakerEncoder(default_bundle().graph_path("speaker"))


@cache
def _recognizer(language: str) -> Recognizer:
    return load_recognizer(RecognizerConfig(language=language))


def speakers(args: argparse.Namespace) -> None:
    """Measure the speaker match."""
    encoder = _speaker()
    rng = random.Random(args.seed)
    readers = {}
    for name, paths in human_speech.paths_of(args.root).items():
        drawn = rng.sample(paths, len(paths))
        found = [*itertools.islice(human_speech.clips(drawn), args.clips)]
        readers[name] = embedded(encoder, found)
        print(f"{name}: {len(found)} clips", flush=True)
    pairs = [(True, a, a) for a in readers]
    pairs += [(False, a, b) for a, b in itertools.permutations(readers, 2) if not same(a, b)]
    scores: dict[bool, list[Likeness]] = {True: [], False: []}
    for genuine, a, b in pairs:
        for _ in range(args.trials // (len(readers) if genuine else len(pairs) - len(readers))):
            scores[genuine].append(compared(readers[a], readers[b], rng))
    report(scores, args.trials)


def digits(args: argparse.Namespace) -> None:
    """Count how often a person's four digits are understood to the last."""
    rng = random.Random(args.seed)
    folder = args.root / human_speech.SOUNDS / "en_US_f_Allison"
    words = WORDS["en"]
    said = {
        word: human_speech.read(folder / f"digits/{place}.g722") for place, word in enumerate(words)
    }
    prompts = human_speech.clips(rng.sample(paths := sorted(folder.glob("*.g722")), len(paths)))
    without = (one for one in prompts if not digits_in(listen(one, "en")))
    understood = 0
    for prompt in itertools.islice(without, args.trials):
        answer = tuple(rng.sample(words, 4))
        parts = [prompt.samples, *(said[word].samples for word in answer)]
        pause = np.zeros(RATE_HZ // 10, np.float32)
        whole = np.concatenate([one for part in parts for one in (part, pause)])
        heard = listen(AudioChunk(np.pad(whole, (0, RATE_HZ // 2)), RATE_HZ), "en")
        understood += digits_in(heard) == answer
        print(f"{'ok ' if digits_in(heard) == answer else 'no '} {' '.join(answer)}\n    {heard}")
    print(json.dumps({"trials": args.trials, "understood": understood}))


def digits_in(heard: str) -> tuple[str, ...]:
    """The digits that a transcript ends in."""
    return split_digits(english_tokens(heard))[1]


def embedded(encoder: SpeakerEncoder, found: list[AudioChunk]) -> dict[str, list[np.ndarray]]:
    """Embeddings of single clips, and of statements joined from several."""
    short = [without_pauses(AudioChunk(at_rate(chunk), RATE_HZ)) for chunk in found]
    half = len(short) // 2
    spoken, statements = [], []
    for chunk in short[half:]:
        spoken.append(chunk.samples)
        if sum(map(len, spoken)) >= STATEMENT_SECONDS * RATE_HZ:
            statements.append(encoder.embed(AudioChunk(np.concatenate(spoken), RATE_HZ)))
            spoken = []
    return {"clips": [encoder.embed(chunk) for chunk in short[:half]], "statements": statements}


def compared(
    speaker: dict[str, list[np.ndarray]],
    voice: dict[str, list[np.ndarray]],
    rng: random.Random,
) -> Likeness:
    """A statement with five clips."""
    statement = rng.choice(speaker["statements"])
    return likeness(statement, np.array(rng.sample(voice["clips"], CLIPS)))


def report(scores: dict[bool, list[Likeness]], count: int) -> None:
    """Error rates at thresholds, without the rule that compares the clips and with it."""
    found = {kind: np.array([(one.lowest, one.behind) for one in scores[kind]]) for kind in scores}
    for most_behind in (2.0, MOST_BEHIND):
        print(f"at most {most_behind:g} behind the clips among themselves:")
        for threshold in sorted({0.66, 0.68, 0.72, 0.74, LEAST_ALIKE}):
            passed = {
                kind: int(((x[:, 0] >= threshold) & (x[:, 1] <= most_behind)).sum())
                for kind, x in found.items()
            }
            refused = len(found[True]) - passed[True]
            print(f"  {threshold:.2f}  false rejects {refused:4}  false accepts {passed[False]:4}")
            if (threshold, most_behind) == (LEAST_ALIKE, MOST_BEHIND):
                ours = {"false_rejects": refused, "false_accepts": passed[False]}
    print(json.dumps({"trials_of_each": count, **ours}))


def same(first: str, second: str) -> bool:
    """Whether two readers may be one person."""
    return any({first, second} <= group for group in SAME_PERSON)


def at_rate(chunk: AudioChunk) -> np.ndarray:
    """Samples at 16 kHz."""
    return resample(chunk.samples, chunk.sample_rate_hz, RATE_HZ)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    first = commands.add_parser("speakers")
    first.add_argument("root", type=Path)
    first.add_argument("--clips", type=int, default=60, help="of each reader")
    first.add_argument("--trials", type=int, default=40, help="genuine, and as many foreign")
    first.set_defaults(run=speakers)
    second = commands.add_parser("whole")
    second.add_argument("--trials", type=int, default=40, help="genuine, and as many foreign")
    second.add_argument("--own", type=int, default=10, help="sentences of our own synthesis")
    second.add_argument("--keep", type=Path, metavar="FOLDER", help="of what was said")
    second.set_defaults(run=whole)
    third = commands.add_parser("digits")
    third.add_argument("root", type=Path)
    third.add_argument("--trials", type=int, default=40)
    third.set_defaults(run=digits)
    for command in (first, second, third):
        command.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
