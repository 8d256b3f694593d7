r"""What cloning gains: each reader learnt from a minute, against held-out clips and other readers.

    python benchmarks/clone.py ROOT --work WORK

ROOT holds the unpacked packages that human_speech.py names. For each reader a minute is enrolled
and learnt; eight sentences are spoken before and after. "similarity" is the mean cosine (GE2E, as
in Resemblyzer) of the spoken sentences and ten held-out clips, "nearest" whether that reader's
clips are nearer than those of every other reader and stock voice, "WER" that of the recogniser.
Languages that nano does not speak are learnt without text. Seconds are of processor time. A stopped
run goes on.
"""

import argparse
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from human_speech import clips, paths_of

from selftalk.export.cli_clone import load_base, recognizer_of
from selftalk.export.clone_check import Check
from selftalk.export.cloning import Cloner, enrolled
from selftalk.models.training.progress import ProgressBar
from selftalk.models.training.texts import held_out
from selftalk.stream.audio import AudioChunk
from selftalk.stream.bundle import Bundle, default_bundle
from selftalk.stream.nano_synthesizer import NanoSynthesizer
from selftalk.stream.recognizer import Recognizer
from selftalk.stream.speaker import SpeakerEncoder
from selftalk.stream.studio.recording import Slice
from selftalk.stream.synthesizer import SynthesisOptions
from selftalk.stream.voices import list_voices
from selftalk.stream.weights import resolve
from selftalk.stream.whisper_encoder import WEIGHTS, WhisperEncoder

LEARNT_SECONDS = 60.0
HELD_OUT_CLIPS = 10
SHORTEST_SECONDS, LONGEST_SECONDS = 3.0, 10.0
SENTENCES = 8


def parted(paths: Sequence[Path], seed: int = 0) -> tuple[list[AudioChunk], list[AudioChunk]]:
    """A minute of clips to learn from, and others."""
    usable = [
        clip
        for clip in clips(list(paths))
        if SHORTEST_SECONDS <= clip.duration_seconds <= LONGEST_SECONDS
    ]
    order = np.random.default_rng(seed).permutation(len(usable))
    learnt: list[AudioChunk] = []
    for place, index in enumerate(order):
        if sum(clip.duration_seconds for clip in learnt) >= LEARNT_SECONDS:
            return learnt, [usable[other] for other in order[place : place + HELD_OUT_CLIPS]]
        learnt.append(usable[index])
    raise SystemExit(f"too few clips beside {paths[0]}")


def slices_of(learnt: Sequence[AudioChunk], recognizer: Recognizer | None) -> list[Slice]:
    """Clips with what the recogniser hears in them, if it knows the language."""
    texts = [recognizer.transcribe(clip, "en").text if recognizer else "" for clip in learnt]
    return [
        Slice(clip.samples, clip.sample_rate_hz, text=text)
        for clip, text in zip(learnt, texts, strict=True)
    ]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--only", help="a reader whose name begins so")
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle) if options.bundle else default_bundle()
    base = load_base(bundle, options.weights)
    embed = SpeakerEncoder(bundle.graph_path("speaker")).embed
    synthesizer, recognizer = NanoSynthesizer(bundle), recognizer_of("en")
    people = {name: parted(paths) for name, paths in paths_of(options.root).items()}
    known = {
        name: np.stack([embed(clip) for clip in unheard]) for name, (_, unheard) in people.items()
    }
    speaking = SynthesisOptions(language="en")
    for name in list_voices(bundle.voices_folder):
        voice = synthesizer.voice(name)
        spoken = [synthesizer.synthesize(text, voice, speaking) for text in held_out("en")[:2]]
        known[f"stock {name}"] = np.stack([embed(audio) for audio in spoken])
    listen = WhisperEncoder(resolve(WEIGHTS)).encode
    print("| reader | kept | similarity | nearest | WER | processor s |\n|---|---|---|---|---|---|")
    for name, (learnt, _) in people.items():
        if options.only and not name.startswith(options.only):
            continue
        began = time.process_time()
        slices = slices_of(learnt, recognizer if "(en)" in name else None)
        voice = enrolled("reader", slices, embed, {})
        cloner = Cloner(base, listen, options.work, watch=ProgressBar(name))
        candidates = cloner.learn(voice, slices, "en")
        check = Check(
            synthesizer, recognizer, embed, "en", held_out("en")[:SENTENCES],
            known[name].mean(axis=0), options.work / "candidates",
        )  # fmt: skip
        chosen, after, before = check.choose(candidates)
        took = time.process_time() - began
        figures = []
        for candidate in (candidates[-1], chosen):
            voice = check.kept(candidate)
            spoken = [synthesizer.synthesize(text, voice, speaking) for text in check.sentences]
            embeddings = np.stack([embed(audio) for audio in spoken])
            near = {other: float((embeddings @ rows.T).mean()) for other, rows in known.items()}
            figures.append((near[name], max(near, key=near.__getitem__) == name))
        (similarity, was), (learnt_similarity, now) = figures
        print(
            f"| {name} | {chosen.what} | {similarity:.2f} → {learnt_similarity:.2f}"
            f" | {'yes' if was else 'no'} → {'yes' if now else 'no'}"
            f" | {before.word_error_rate:.0%} → {after.word_error_rate:.0%} | {took:.0f} |",
            flush=True,
        )
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory {peak_mib:.0f} MiB")


if __name__ == "__main__":
    main()
