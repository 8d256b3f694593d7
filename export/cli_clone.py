"""`selftalk clone NAME`: learn an enrolled voice from its recordings.

    selftalk record me && selftalk enroll me && selftalk clone me
    selftalk clone me --recordings FOLDER
    selftalk clone me --model OFFICIAL --hubert FOLDER      few-shot of an imported voice

Run again, it goes on where it was stopped.
"""

import argparse
import json
import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from selftalk.stream.errors import BundleError, ConsentError, VoiceError
from selftalk.stream.home import cache_folder
from selftalk.stream.listening.recognizer import Recognizer, RecognizerConfig, load_recognizer
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.nano.synthesizer import NanoSynthesizer
from selftalk.stream.nano.timbre import SpeakerSpace
from selftalk.stream.sound.audio import AudioChunk, Float32Array, write_atomically
from selftalk.stream.studio.engineer import Engineer
from selftalk.stream.studio.recording import Recording, Slice, joined, load_recording
from selftalk.stream.studio.take import find_files, read_take
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, open_synthesizer
from selftalk.stream.synthesis.voices import (
    SUFFIX,
    Voice,
    check_voice_name,
    find_voice,
    learnt_folder,
    voices_folder,
)
from selftalk.stream.trust.permission import SAME_SPEAKER, SAME_VOICE, require_consent

if TYPE_CHECKING:
    from selftalk.export.clone_check import Score
    from selftalk.export.cloning import Base, Candidate

Embed = Callable[[AudioChunk], Float32Array]

CONSENT_RATE_HZ = 16_000
SENTENCES = 40
"""Of each language, to check with; from sets that nothing else is measured with."""
COMPARED = 4
PAGE = "compare.html"
FIGURES = "clone.json"
ADVICE = (
    "Play a row from left to right: what you recorded, then a sentence that you never said, in your"
    " voice before and after learning. Similarity is how near the voice comes to recordings that"
    " were not learnt from; 1 would be the same. Errors are the words, in Chinese the characters,"
    " that the recogniser got wrong in what the voice said."
)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `clone` to the command line."""
    parser = subparsers.add_parser(
        "clone",
        help="learn an enrolled voice from its recordings",
        description="Learn an enrolled voice from its recordings: a minute of speech, a few minutes"
        " of work. What makes it less intelligible is taken back.",
        epilog="Stopped, even by kill -9, it goes on when it is run again.",
    )
    parser.add_argument("name", help="of the voice")
    parser.add_argument(
        "--recordings", type=Path, nargs="+", metavar="PATH",
        help="files or folders; usually what `selftalk record NAME` has kept",
    )  # fmt: skip
    parser.add_argument("--language", default="en", help="what is spoken in --recordings")
    parser.add_argument("--bundle", type=Path, help="folder of a voice model, if not nano")
    parser.add_argument(
        "--weights", type=Path, help="folder with the safetensors the bundle was made of"
    )
    parser.add_argument("--model", help="an imported GPT-SoVITS voice to fine-tune instead of nano")
    parser.add_argument("--hubert", type=Path, help="folder chinese-hubert-base, for --model")
    parser.add_argument("--speaker-model", type=Path, help="ERes2NetV2's file, for v2Pro")
    parser.add_argument("--bert", type=Path, help="folder chinese-roberta-wwm-ext-large, likewise")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Learn a voice; see `add_parser`."""
    name = check_voice_name(args.name)
    # onnxruntime's quantizer, when imported, would have every exporter's thousands of lines logged
    logging.basicConfig(level=logging.ERROR)
    try:
        import torch
    except ImportError as error:
        raise BundleError("cloning needs torch: pip install 'selftalk[train]'") from error
    if torch.get_num_threads() > 2:
        torch.set_num_threads(torch.get_num_threads() // 2)
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    voice = find_voice(name, bundle.voices_folder)
    if voice.about.get("receipt") is None:
        raise VoiceError(f"'{name}' is a stock voice; enrol your own first: selftalk enroll NAME")
    receipt = require_consent(name, voice.about, voice.speaker)
    recording = recording_of(name, args.recordings, args.language, bundle)
    embed = SpeakerEncoder(bundle.graph_path("speaker")).embed
    recording = agreed(recording, receipt.embedding, embed)
    if args.model:
        return _official(args, recording)
    timbre = SpeakerSpace(bundle).timbre(recording.joined(CONSENT_RATE_HZ))
    return _nano(args, replace(voice, patches={}, timbre=timbre), recording, bundle)


def _nano(args: argparse.Namespace, voice: Voice, recording: Recording, bundle: Bundle) -> int:
    from selftalk.export.cloning import Cloner
    from selftalk.models.training.progress import ProgressBar
    from selftalk.stream.fetching.weights import resolve
    from selftalk.stream.listening.whisper_encoder import WEIGHTS, WhisperEncoder

    work = cache_folder() / "cloning" / voice.name
    base = load_base(bundle, args.weights)
    cloner = Cloner(
        base, WhisperEncoder(resolve(WEIGHTS)).encode, work,
        watch=ProgressBar("learning"), tell=_say,
    )  # fmt: skip
    candidates = cloner.learn(voice, recording.slices, recording.language)
    chosen, after, before = judged(candidates, recording, bundle, work)
    path = keep(chosen, {"before": before, "after": after}, voices_folder())
    write_page(path, chosen, voice, recording, bundle, before, after)
    shutil.rmtree(work)  # of all that was needed to learn, only the result stays
    _report(args.json, chosen, before, after, path)
    return 0


def recording_of(
    name: str, paths: Sequence[Path] | None, language: str, bundle: Bundle
) -> Recording:
    """The recording to learn from: the kept one, or one made of files.

    Raises:
        AudioFileError: there is none, or nobody speaks in it.
    """
    if not paths:
        return load_recording(name)
    vad = load_vad()
    takes = [read_take(path, vad) for path in find_files(paths)]
    recognizer = load_recognizer(RecognizerConfig(language=language))
    speaker = SpeakerEncoder(bundle.graph_path("speaker"))
    return Engineer(speaker, recognizer, language).prepare(name, takes)


def agreed(recording: Recording, owner: Float32Array, embed: Embed) -> Recording:
    """The recording without slices that somebody else may be heard in.

    Args:
        recording: all slices.
        owner: (256,) embedding of the person who agreed.
        embed: the speaker encoder.

    Raises:
        ConsentError: it is a recording of somebody else.
    """
    likeness = float(embed(recording.joined(CONSENT_RATE_HZ)) @ owner)
    if likeness < SAME_SPEAKER:
        raise ConsentError(
            f"these are recordings of somebody else than the person who agreed to voice"
            f" '{recording.name}' (similarity {likeness:.2f}, {SAME_SPEAKER:.2f} is needed)"
        )
    kept = tuple(piece for piece in recording.slices if embed(piece.audio) @ owner >= SAME_VOICE)
    if missing := len(recording.slices) - len(kept):
        _say(f"left out {missing} slices in which somebody else may be heard")
    return replace(recording, slices=kept, references={})


def load_base(bundle: Bundle, weights: Path | None) -> "Base":
    """Nano's modules with the weights of the bundle; its tokenizer's stand beside the code.

    Raises:
        BundleError: they cannot be read.
    """
    from selftalk.export.cloning import Base
    from selftalk.export.nano import load_modules

    folder = weights or Path(str(resources.files("selftalk.models"))) / "pretrained"
    before = "" if weights else "nano-"
    t2s, vocoder, tokenizer = (
        folder / f"{before}{part}.safetensors" for part in ("t2s", "vocoder", "tokenizer")
    )
    if weights is None:
        vocoder = bundle.graph_path("vocoder")
        t2s = vocoder.parent
    return Base(load_modules(t2s, vocoder, tokenizer), bundle)


def judged(
    candidates: "Sequence[Candidate]", recording: Recording, bundle: Bundle, work: Path
) -> "tuple[Candidate, Score, Score]":
    """The best candidate that is still understood, its score, and that of the voice as it was."""
    from selftalk.export.clone_check import Check
    from selftalk.export.cloning import HELD_OUT_EVERY
    from selftalk.models.training.progress import ProgressBar
    from selftalk.models.training.texts import held_out

    embed = SpeakerEncoder(bundle.graph_path("speaker")).embed
    unheard: Sequence[Slice] = (
        recording.slices[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY] or recording.slices[-1:]
    )
    check = Check(
        NanoSynthesizer(bundle),
        heard,
        embed,
        {each: held_out(f"dev_{each}")[:SENTENCES] for each in bundle.manifest.languages},
        embed(joined(unheard, 16_000)),
        work / "candidates",
        lambda what: ProgressBar(f"checking how well it is understood, {what} learnt"),
    )
    return check.choose(candidates)


@cache
def recognizer_of(language: str) -> Recognizer:
    """The recogniser that writes down what a voice says."""
    return load_recognizer(RecognizerConfig(language=language))


def heard(audio: AudioChunk, language: str) -> str:
    """What the recogniser understands."""
    return recognizer_of(language).transcribe(audio, language).text


def keep(chosen: "Candidate", scores: "dict[str, Score]", folder: Path) -> Path:
    """Put a voice in its place: first what was learnt, then its file; return the file."""
    path = folder / f"{chosen.voice.name}{SUFFIX}"
    learnt = learnt_folder(path)
    learnt.mkdir(parents=True, exist_ok=True)
    patches = {}
    for graph, patch in chosen.patches.items():
        patches[graph] = learnt / f"{graph}.patch"
        patch.save(patches[graph])
    about = {**chosen.voice.about, "learnt": chosen.what}
    replace(chosen.voice, patches=patches, about=about).save(path)
    for stale in set(learnt.glob("*.patch")) - set(patches.values()):
        stale.unlink()
    figures = {when: vars_of(score) for when, score in scores.items()}
    content = json.dumps({"learnt": chosen.what, **figures}, indent=1)
    write_atomically(learnt / FIGURES, content.encode())
    return path


def vars_of(score: "Score") -> dict[str, object]:
    """A score as JSON holds it."""
    return {
        "error_rates": {name: round(rate, 4) for name, rate in score.error_rates.items()},
        "similarity": round(score.similarity, 4),
    }


def write_page(
    path: Path,
    chosen: "Candidate",
    before_voice: Voice,
    recording: Recording,
    bundle: Bundle,
    before: "Score",
    after: "Score",
) -> None:
    """Write the page to listen and compare, beside what was learnt."""
    from selftalk.export.compare_page import Row, Sound, compare_page
    from selftalk.models.training.texts import held_out

    synthesizer = open_synthesizer(bundle)  # marks what it says as synthetic
    known = recording.language in bundle.manifest.languages
    language = recording.language if known else bundle.manifest.languages[0]
    options = SynthesisOptions(language=language)
    learnt = Voice.load(path)
    slices: list[Slice | None] = [*recording.slices[:COMPARED], *[None] * COMPARED]
    rows = []
    for text, piece in zip(held_out(language)[:COMPARED], slices, strict=False):
        spoken = [synthesizer.synthesize(text, each, options) for each in (before_voice, learnt)]
        recorded = Sound(piece.audio, piece.text) if piece else None
        rows.append(Row(text, [recorded, *map(Sound, spoken)]))
    figures = [
        ("similarity", f"{before.similarity:.2f}", f"{after.similarity:.2f}"),
        *((f"errors ({name})", *rates) for name, rates in _rates(before, after, 0).items()),
    ]
    columns = ["a recording", "as it was enrolled", f"learnt: {chosen.what}"]
    page = compare_page(f"The voice {chosen.voice.name}", ADVICE, columns, rows, figures)
    write_atomically(learnt_folder(path) / PAGE, page)


def _report(
    as_json: bool, chosen: "Candidate", before: "Score", after: "Score", path: Path
) -> None:
    page = learnt_folder(path) / PAGE
    size = sum(each.stat().st_size for each in learnt_folder(path).glob("*.patch"))
    if as_json:
        figures = {"before": vars_of(before), "after": vars_of(after)}
        print(json.dumps({"voice": str(path), "learnt": chosen.what, "bytes": size, **figures}))
        return
    if chosen.what == "nothing":
        print("what was learnt made the voice no better, so it stays as it was enrolled")
    print(f"similarity {before.similarity:.2f} → {after.similarity:.2f}")
    for language, (was, now) in _rates(before, after, 1).items():
        print(f"errors of the recogniser ({language}) {was} → {now}")
    print(f"learnt: {chosen.what} ({size / 2**20:.1f} MiB); listen: {page}")


def _rates(before: "Score", after: "Score", digits: int) -> dict[str, tuple[str, str]]:
    return {
        language: (f"{rate:.{digits}%}", f"{after.error_rates[language]:.{digits}%}")
        for language, rate in before.error_rates.items()
    }


def _official(args: argparse.Namespace, recording: Recording) -> int:
    from selftalk.export.official_clone import fine_tune
    from selftalk.export.official_training import Networks

    if args.hubert is None:
        raise VoiceError("fine-tuning an imported voice needs --hubert, chinese-hubert-base")
    networks = Networks(args.hubert, args.speaker_model, args.bert)
    folder = fine_tune(args.name, args.model, recording, networks)
    print(f"{folder}; next: selftalk export {args.name}")
    return 0


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
