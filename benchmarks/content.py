r"""What reads recordings best: how well people are understood through nano's semantic tokens.

    python benchmarks/content.py ROOT --encoder runs/content/model.safetensors [--clips 12] [--json]

ROOT holds the unpacked packages that human_speech.py names; nothing here was ever learned from.
Each clip of the English reader becomes tokens in three ways: by the tokenizer, on Whisper's
features of the whole clip; by the same as `selftalk convert --live` hears it; and by the content
encoder of `stages content`, which needs no Whisper. Of each way:

    phone errors  phones that the tokenizer's heads read from the tokens, against those of the text
    word errors   words that moonshine hears wrong when nano's vocoder has said the tokens
    levels        share of the quantizer's levels that are the tokenizer's, for all readers

The text is what Whisper writes down of the clip itself; "original" is what moonshine hears in it.
Vowels count without their stress. The table is Markdown, or with --json one object.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from human_speech import clips, paths_of

from selftalk.models.content_encoder import ContentEncoder, TaughtContentEncoder, level_digits
from selftalk.models.nano import NanoConfig
from selftalk.models.tokenizer import Tokenizer
from selftalk.models.training.augment import live_log_mel
from selftalk.models.training.stages import load_weights
from selftalk.stream.listening.recognizer import RecognizerConfig, load_recognizer
from selftalk.stream.listening.wer import ErrorRate, error_rate, total_error_rate
from selftalk.stream.machine import describe
from selftalk.stream.nano import content
from selftalk.stream.nano.content import TOKEN_SAMPLES, Content
from selftalk.stream.nano.conversion import convert
from selftalk.stream.nano.live_content import LiveContent
from selftalk.stream.sound.audio import AudioChunk, concat
from selftalk.stream.sound.resample import resample
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.voices import DEFAULT_VOICE, find_voice
from selftalk.stream.text import phonemize
from selftalk.stream.text.symbols import SYMBOLS_V2

TOKENIZER = Path("models/pretrained/nano-tokenizer.safetensors")
READER = "Allison (en)"
OTHER_CLIPS = 1
LONGEST_SECONDS = 8.0
SHORTEST_RUN_FRAMES = 2
"""A phone of one frame is flicker."""
RATE_HZ = 16_000


@dataclass(frozen=True)
class Clip:
    """What a person said, at 16 kHz, cut to whole tokens."""

    reader: str
    sound: AudioChunk
    content: Content
    """As the tokenizer hears the whole."""
    text: str = ""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    made.add_argument("root", type=Path)
    made.add_argument("--encoder", type=Path, required=True, help="weights of `stages content`")
    made.add_argument("--tokenizer", type=Path, default=TOKENIZER)
    made.add_argument("--clips", type=int, default=12)
    made.add_argument("--json", action="store_true")
    return made


def read_clips(root: Path, count: int, listener: content.ContentEncoder) -> Iterator[Clip]:
    """Short clips of all readers, the English one's with their text."""
    whisper = load_recognizer(RecognizerConfig(engine="whisper", language="en"))
    for reader, paths in paths_of(root).items():
        short = (clip for clip in clips(paths) if clip.duration_seconds < LONGEST_SECONDS)
        for clip in islice(short, count if reader == READER else OTHER_CLIPS):
            samples = resample(clip.samples, clip.sample_rate_hz, RATE_HZ)
            sound = AudioChunk(samples[: len(samples) // TOKEN_SAMPLES * TOKEN_SAMPLES], RATE_HZ)
            text = whisper.transcribe(sound, "en").text if reader == READER else ""
            yield Clip(reader, sound, listener.encode(sound), text)


def hear_live(listener: content.ContentEncoder, clip: Clip) -> np.ndarray:
    """As `selftalk convert --live` does it."""
    live = LiveContent(listener)
    return np.append(live.push(clip.sound.samples), live.flush())


@torch.no_grad()
def hear_alone(encoder: ContentEncoder, clip: Clip) -> np.ndarray:
    """By the content encoder, with the prosody that the tokenizer has."""
    level = float(np.sqrt(np.mean(np.square(clip.sound.samples)))) + 1e-6
    mel = live_log_mel(clip.sound.samples * np.float32(0.07 / level))
    prosody = torch.from_numpy(clip.content.prosody.frames)
    return encoder.tokens(torch.from_numpy(mel)[None], prosody[None])[0].numpy()


@torch.no_grad()
def phones_in(tokens: np.ndarray, tokenizer: Tokenizer) -> str:
    """The phones that the tokenizer's heads read from tokens."""
    values = tokenizer.quantizer.values(torch.from_numpy(tokens)[None])
    scores = tokenizer.symbol_out(tokenizer.heads.whole(tokenizer.restore(values)))
    frames = scores.reshape(-1, tokenizer.symbols).argmax(-1).tolist()
    runs = ((symbol, len(list(run))) for symbol, run in groupby(frames))
    return spelled(SYMBOLS_V2[symbol] for symbol, run in runs if run >= SHORTEST_RUN_FRAMES)


def spelled(symbols: Iterator[str]) -> str:
    """Phones without stress, pauses and marks; one that is repeated counts once."""
    phones = (symbol.rstrip("012") for symbol in symbols if symbol not in ("SP", "UNK"))
    return " ".join(phone for phone, _ in groupby(phones) if phone.isalpha())


def same_levels(made: np.ndarray, meant: np.ndarray, levels: tuple[int, ...]) -> float:
    """Share of levels that agree."""
    pairs = zip(
        level_digits(torch.from_numpy(made), levels),
        level_digits(torch.from_numpy(meant), levels),
        strict=True,
    )
    return float(np.mean([(one == other).float().mean().item() for one, other in pairs]))


def measure(
    clip_list: list[Clip], hear: Callable[[Clip], np.ndarray], bundle: Bundle, tokenizer: Tokenizer
) -> dict[str, Any]:
    """Everything about one way of hearing."""
    voice = find_voice(DEFAULT_VOICE, bundle.voices_folder)
    moonshine = load_recognizer(RecognizerConfig())
    phones: list[ErrorRate] = []
    words: list[ErrorRate] = []
    agreeing: dict[str, list[float]] = {}
    for clip in clip_list:
        tokens = hear(clip)
        same = same_levels(tokens, clip.content.tokens, tokenizer.quantizer.levels)
        agreeing.setdefault(clip.reader, []).append(same)
        if not clip.text:
            continue
        spoken = spelled(iter(phonemize(clip.text, "en").symbols))
        phones.append(error_rate(spoken, phones_in(tokens, tokenizer)))
        said = concat(convert(bundle, Content(tokens, clip.content.prosody), voice), 24_000)
        words.append(error_rate(clip.text, moonshine.transcribe(said, "en").text))
    return {
        "phone_errors": round(total_error_rate(phones).rate, 3),
        "phones": total_error_rate(phones).reference_words,
        "word_errors": round(total_error_rate(words).rate, 3),
        "words": total_error_rate(words).reference_words,
        "levels": {reader: round(float(np.mean(all_)), 3) for reader, all_ in agreeing.items()},
    }


def main() -> None:
    """Measure and print."""
    options = parser().parse_args()
    torch.set_num_threads(1)
    config = NanoConfig()
    tokenizer, taught = Tokenizer(config), TaughtContentEncoder(config, ContentEncoder(config))
    load_weights(tokenizer, options.tokenizer)
    load_weights(taught, options.encoder)
    tokenizer.eval()
    encoder = taught.eval().encoder
    bundle = default_bundle()
    listener = content.ContentEncoder(bundle)
    read = list(read_clips(options.root, options.clips, listener))
    moonshine = load_recognizer(RecognizerConfig())
    heard = [
        error_rate(clip.text, moonshine.transcribe(clip.sound, "en").text)
        for clip in read
        if clip.text
    ]
    ways: dict[str, Callable[[Clip], np.ndarray]] = {
        "tokenizer, whole": lambda clip: clip.content.tokens,
        "tokenizer, live": lambda clip: hear_live(listener, clip),
        "content encoder": lambda clip: hear_alone(encoder, clip),
    }
    found = {name: measure(read, hear, bundle, tokenizer) for name, hear in ways.items()}
    seconds = sum(clip.sound.duration_seconds for clip in read)
    result = {
        "figure": "content",
        "machine": describe(),
        "clips": len(read),
        "seconds": round(seconds, 1),
        "original_word_errors": round(total_error_rate(heard).rate, 3),
        "ways": found,
    }
    print(json.dumps(result, ensure_ascii=False) if options.json else table(result, found))


def table(result: dict[str, Any], found: dict[str, dict[str, Any]]) -> str:
    """For people."""
    lines = ["| | phone errors | word errors | levels |", "|---|---|---|---|"]
    lines.append(f"| original | | {result['original_word_errors']:.1%} | |")
    for name, way in found.items():
        rates = f"{way['phone_errors']:.1%} | {way['word_errors']:.1%}"
        same = ", ".join(f"{reader} {share:.2f}" for reader, share in way["levels"].items())
        lines.append(f"| {name} | {rates} | {same} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
