"""Consent: how often is a person refused, and how often does another one pass?

    python benchmarks/consent.py speakers ROOT          # ROOT: see human_speech.py
    python benchmarks/consent.py sentences [--count 20] # needs kokoro's weights, and a recogniser's

`speakers` compares readers as `ConsentSession` does: about eight seconds of one reader in the place
of the sentence, five clips of the same reader (genuine) or of another (foreign). Nobody read our
sentences aloud, so the words are measured apart: `sentences` lets a synthesizer of others say them,
then says old sentences, wrong digits, and our own synthesis.
"""

import argparse
import itertools
import json
import random
from pathlib import Path

import human_speech
import numpy as np

from selftalk.export.teacher_system import TeacherSystem
from selftalk.stream.audio import AudioChunk
from selftalk.stream.bundle import default_bundle
from selftalk.stream.errors import ConsentError
from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.recognizer import RecognizerConfig, load_recognizer
from selftalk.stream.resample import resample
from selftalk.stream.speaker import SpeakerEncoder
from selftalk.stream.synthesizer import open_synthesizer
from selftalk.stream.trust.permission import SAME_SPEAKER
from selftalk.stream.trust.speech_only import without_pauses
from selftalk.stream.trust.statement import check_transcript, draw_digits, sentence_of
from selftalk.stream.trust.watermark import is_marked

CLIPS = 5
STATEMENT_SECONDS = 8.0
RATE_HZ = 16_000
SAME_PERSON = ({"Allison (en)", "Allison (es)"},)
"""Both files name the same reader, so they are no foreigners to each other."""
NAMES = (
    ("en", "Ada Lovelace", "my own diary"),
    ("en", "John Miller", "reading books to my children"),
    ("en", "Maria Gonzalez", "a talking assistant"),
    ("zh", "王小明", "朗读我的日记"),
    ("zh", "李华", "制作有声书"),
)


def speakers(args: argparse.Namespace) -> None:
    """Measure the speaker match."""
    encoder = SpeakerEncoder(default_bundle().graph_path("speaker"))
    rng = random.Random(args.seed)
    readers = {}
    for name, paths in human_speech.paths_of(args.root).items():
        drawn = rng.sample(paths, len(paths))
        found = list(itertools.islice(human_speech.clips(drawn), args.clips))
        readers[name] = embedded(encoder, found)
        print(f"{name}: {len(found)} clips", flush=True)
    trials = [(True, a, a) for a in readers]
    trials += [(False, a, b) for a, b in itertools.permutations(readers, 2) if not same(a, b)]
    scores: dict[bool, list[float]] = {True: [], False: []}
    for genuine, a, b in trials:
        for _ in range(args.trials // (len(readers) if genuine else len(trials) - len(readers))):
            scores[genuine].append(lowest(readers[a], readers[b], rng))
    report(scores, args.trials)


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


def lowest(
    speaker: dict[str, list[np.ndarray]],
    voice: dict[str, list[np.ndarray]],
    rng: random.Random,
) -> float:
    """The lowest similarity of a statement with five clips."""
    statement = rng.choice(speaker["statements"])
    return min(float(statement @ clip) for clip in rng.sample(voice["clips"], CLIPS))


def report(scores: dict[bool, list[float]], trials: int) -> None:
    """Error rates at thresholds, and at ours."""
    genuine, foreign = np.array(scores[True]), np.array(scores[False])
    print(f"genuine {len(genuine)}: lowest {genuine.min():.3f}, median {np.median(genuine):.3f}")
    print(f"foreign {len(foreign)}: highest {foreign.max():.3f}, median {np.median(foreign):.3f}")
    for threshold in sorted({*np.arange(0.5, 0.86, 0.02).round(2), SAME_SPEAKER}):
        refused, passed = (genuine < threshold).sum(), (foreign >= threshold).sum()
        mark = "  <- ours" if threshold == SAME_SPEAKER else ""
        print(f"{threshold:.2f}  false rejects {refused:4}  false accepts {passed:4}{mark}")
    counts = {"trials_of_each": trials, "false_rejects": int((genuine < SAME_SPEAKER).sum())}
    print(json.dumps({**counts, "false_accepts": int((foreign >= SAME_SPEAKER).sum())}))


def sentences(args: argparse.Namespace) -> None:
    """Measure the words, then what must be refused."""
    teacher = TeacherSystem(5)
    counts = dict.fromkeys(("understood", "old_sentence", "wrong_digits", "own_synthesis"), 0)
    spoken = []
    for place in range(args.count):
        language, person, purpose = NAMES[place % len(NAMES)]
        digits = draw_digits()
        sentence = sentence_of(person, purpose, digits, language)
        voice = teacher.voices[place // len(NAMES) % len(teacher.voices)]
        audio = teacher.say(Sentence(sentence, language), voice).audio
        recognizer = load_recognizer(RecognizerConfig(language=language))
        heard = recognizer.transcribe(audio, language).text
        spoken.append((language, person, purpose, digits, heard))
        passes = accepted(heard, sentence, digits)
        counts["understood"] += passes
        print(f"{'ok ' if passes else 'no '} {sentence}\n    {heard}", flush=True)
    for language, person, purpose, digits, heard in spoken:
        other = draw_digits()
        while other == digits:
            other = draw_digits()
        counts["old_sentence"] += accepted(
            heard, sentence_of(person, purpose, other, language), other
        )
        near = digits[:3] + str((int(digits[3]) + 1) % 10)
        counts["wrong_digits"] += accepted(
            heard, sentence_of(person, purpose, near, language), near
        )
    counts["own_synthesis"] = sum(is_marked(chunk) is False for chunk in own_synthesis(args.count))
    print(json.dumps({"count": args.count, "accepted": counts}))


def own_synthesis(count: int) -> list[AudioChunk]:
    """The sentence in our own voices."""
    synthesizer = open_synthesizer(default_bundle())
    voice = synthesizer.voice("default")
    language, person, purpose = NAMES[0]
    texts = (sentence_of(person, purpose, draw_digits(), language) for _ in range(count))
    return [synthesizer.synthesize(text, voice) for text in texts]


def accepted(heard: str, sentence: str, digits: str) -> bool:
    """Whether the words pass."""
    try:
        check_transcript(heard, sentence, digits)
    except ConsentError:
        return False
    return True


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
    first.add_argument("--seed", type=int, default=0)
    first.set_defaults(run=speakers)
    second = commands.add_parser("sentences")
    second.add_argument("--count", type=int, default=20)
    second.set_defaults(run=sentences)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
