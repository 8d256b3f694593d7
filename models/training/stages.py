"""The stages of nano's training, one command each.

    python -m selftalk.models.training.stages STAGE --data FOLDER --out FOLDER

Each stage is resumable (run the same command again) and writes `last.pt`, logs as CSV and, when
it is done, `model.safetensors` with the averaged weights. Two stages train nothing: `voices`
chooses the stock voices among the speakers of the corpus, `timbres` fits the map from speaker
embeddings to timbres.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import safetensors.torch
import torch
from torch import nn

from selftalk.models.content_encoder import ContentEncoder, TaughtContentEncoder
from selftalk.models.listener import Listener
from selftalk.models.nano import NanoConfig, NanoVocoder
from selftalk.models.timbre import TimbreEncoder
from selftalk.models.tokenizer import Tokenizer
from selftalk.models.training.adversarial import AdversarialRun
from selftalk.models.training.clarity import Clarity, clearest
from selftalk.models.training.content_task import ContentTask, lesson_of
from selftalk.models.training.corpus import Corpus, Utterance
from selftalk.models.training.drawn_tokens import draw_tokens
from selftalk.models.training.durations import load_lines
from selftalk.models.training.examples import Example, example_of, whisper_features
from selftalk.models.training.judged_vocoder_task import JudgedVocoderTask
from selftalk.models.training.listener_task import ListenerTask
from selftalk.models.training.loop import Run, Schedule, Task
from selftalk.models.training.speakers import fit_timbres
from selftalk.models.training.stock_voices import Keep, better_half, save_voices, stock_voices
from selftalk.models.training.t2s_task import TextToTokens, TextToTokensTask
from selftalk.models.training.timbre_task import TimbreTask, by_speakers, heard
from selftalk.models.training.tokenizer_task import Features, TokenizerTask, tokenize
from selftalk.models.training.vocoder_task import VocoderTask
from selftalk.stream.evaluation.dnsmos import Dnsmos
from selftalk.stream.nano.alignment import Int64Array
from selftalk.stream.synthesis.bundle import Bundle

SCHEDULES = {
    "tokenizer": Schedule(steps=2500, learning_rate=1e-3),
    "content": Schedule(steps=3000, learning_rate=1e-3),
    "listener": Schedule(steps=2000, learning_rate=1e-3),
    "t2s": Schedule(steps=6000, learning_rate=1e-3),
    "timbre": Schedule(steps=3000, learning_rate=2e-3),
    "vocoder": Schedule(steps=12000, learning_rate=8e-4, betas=(0.8, 0.99)),
    "judged-vocoder": Schedule(steps=20000, learning_rate=2e-4, betas=(0.8, 0.99)),
}
Item = TypeVar("Item")

DRAWS = 2
"""How often the tokens of an utterance are drawn before the vocoder learns from them."""
VOICES_TO_CHOOSE_FROM = 12
"""Low ones, and as many high ones; a third of them are shipped."""
VALID_EVERY = 40  # one utterance in so many is kept for validation
MOST_VALID = 16


def read_utterances(options: argparse.Namespace) -> list[Utterance]:
    """The utterances of a corpus whose features are known, in the wanted languages."""
    spoken = set(options.languages.split(","))
    return [
        utterance
        for utterance in Corpus(options.data)
        if utterance.complete and utterance.line.language in spoken
    ]


def read_examples(options: argparse.Namespace) -> list[tuple[Example, Features]]:
    """All examples of a corpus with their Whisper features."""
    pairs = []
    for utterance in read_utterances(options):
        example = example_of(utterance)
        pairs.append((example, whisper_features(utterance, example)))
    return pairs


def split(items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """Training and validation items; the same items whatever comes after them."""
    valid = [item for index, item in enumerate(items) if index % VALID_EVERY == 0][:MOST_VALID]
    train = [item for index, item in enumerate(items) if index % VALID_EVERY]
    return train, valid


def load_weights(model: nn.Module, path: Path) -> None:
    """Load safetensors written by a stage."""
    weights = safetensors.torch.load_file(path)
    model.load_state_dict({name: value.float() for name, value in weights.items()})


def warm_up(model: nn.Module, path: Path) -> None:
    """Begin with the weights of an earlier model, as far as their shapes still fit."""
    weights = safetensors.torch.load_file(path)
    own = model.state_dict()
    for name, value in weights.items():
        if name in own and own[name].shape == value.shape:
            own[name] = value.float()
    model.load_state_dict(own)


def build_task(stage: str, arguments: argparse.Namespace) -> Task:
    """Read the data and make the task of a stage."""
    config = NanoConfig()
    if stage == "timbre":
        items = [heard(utterance) for utterance in read_utterances(arguments)]
        return TimbreTask(TimbreEncoder(), *by_speakers(items))
    if stage == "content":
        return content_task(config, arguments)
    if stage == "listener":
        examples = [example_of(utterance) for utterance in read_utterances(arguments)]
        return ListenerTask(Listener(config), *split(examples))
    if stage == "vocoder" and arguments.tokenizer is None:
        return untokenized_vocoder_task(config, arguments)
    pairs = read_examples(arguments)
    minutes = sum(len(example.wave) for example, _ in pairs) / 24000 / 60
    print(f"{stage}: {len(pairs)} utterances, {minutes:.1f} minutes", flush=True)  # noqa: T201
    tokenizer = Tokenizer(config)
    if stage == "tokenizer":
        return TokenizerTask(tokenizer, *split(pairs))
    load_weights(tokenizer, arguments.tokenizer)
    tokens = tokenize(tokenizer, pairs)
    examples = [example for example, _ in pairs]
    if stage == "t2s":
        train, valid = split(list(zip(examples, tokens, strict=True)))
        lines = [line for path in arguments.durations for line in load_lines(path)]
        planned, valid_planned = split(lines)
        return TextToTokensTask(
            TextToTokens(config), train, valid, planned=planned, valid_planned=valid_planned
        )
    model = NanoVocoder(config)
    train_examples, valid_examples = split(examples)
    train_tokens, valid_tokens = split(tokens)
    task = VocoderTask(
        model, train_examples, train_tokens, valid_examples, valid_tokens,
        drawn_tokens=drawn(config, arguments, train_examples),
    )  # fmt: skip
    if stage == "vocoder":
        return task
    return JudgedVocoderTask(task, listener=listener(config, arguments.listener))


def listener(config: NanoConfig, weights: Path | None) -> Listener | None:
    """Who listens to the vocoder's words, if anybody was taught to."""
    if weights is None:
        return None
    model = Listener(config)
    load_weights(model, weights)
    return model


def content_task(config: NanoConfig, arguments: argparse.Namespace) -> ContentTask:
    """The small encoder that learns to hear what the tokenizer hears."""
    tokenizer = Tokenizer(config)
    load_weights(tokenizer, arguments.tokenizer)
    lessons = [lesson_of(utterance, tokenizer) for utterance in read_utterances(arguments)]
    return ContentTask(TaughtContentEncoder(config, ContentEncoder(config)), *split(lessons))


def drawn(
    config: NanoConfig, arguments: argparse.Namespace, examples: Sequence[Example]
) -> list[list[Int64Array]]:
    """The token decoder's own tokens for the examples, if it is there already."""
    if arguments.t2s is None:
        return []
    model = TextToTokens(config)
    load_weights(model, arguments.t2s)
    return [draw_tokens(model, examples, seed) for seed in range(DRAWS)]


def untokenized_vocoder_task(config: NanoConfig, arguments: argparse.Namespace) -> VocoderTask:
    """The vocoder before there are tokens: symbols and the teacher's melody teach it to sound."""
    train, valid = split([example_of(utterance) for utterance in read_utterances(arguments)])
    nothing = [[np.zeros(example.tokens, np.int64) for example in part] for part in (train, valid)]
    task = VocoderTask(NanoVocoder(config), train, nothing[0], valid, nothing[1])
    task.SYMBOL_DROP = 0.0
    return task


def save_average(run: Run) -> None:
    """Write the averaged weights as `model.safetensors`."""
    weights = {name: value.contiguous() for name, value in run.average.module.state_dict().items()}
    temporary = run.folder / "model.safetensors.tmp"
    safetensors.torch.save_file(weights, temporary)
    temporary.replace(run.folder / "model.safetensors")


def keeper(utterances: Sequence[Utterance], bundle: Path | None) -> Keep:
    """By what stock voices are chosen: the teacher's sound, or how clearly a bundle speaks."""
    if bundle is not None:
        errors = Clarity(Bundle.load(bundle)).errors
        return partial(clearest, errors=errors, count=VOICES_TO_CHOOSE_FROM)
    rate = Dnsmos().rate
    return partial(better_half, utterances=utterances, rate=lambda chunk: rate(chunk).overall)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=[*SCHEDULES, "voices", "timbres"])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--tokenizer", type=Path, help="model.safetensors of the tokenizer stage")
    parser.add_argument("--t2s", type=Path, help="likewise of t2s: the vocoder meets its tokens")
    parser.add_argument("--listener", type=Path, help="likewise: hears the vocoder's words")
    parser.add_argument(
        "--durations", type=Path, nargs="*", default=[], help="t2s: planned lines to learn from too"
    )
    parser.add_argument("--languages", default="en,zh", help="codes, separated by commas")
    parser.add_argument("--warm", type=Path, help="weights to begin with, if the run is new")
    parser.add_argument("--steps", type=int, help="length of the run, if not the usual one")
    parser.add_argument("--bundle", type=Path, help="voices: choose those it speaks most clearly")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop and save after these")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    np.seterr(all="raise", under="ignore")
    if options.stage == "voices":
        utterances = read_utterances(options)
        save_voices(stock_voices(utterances, keeper(utterances, options.bundle)), options.out)
        return
    if options.stage == "timbres":
        options.out.mkdir(parents=True, exist_ok=True)
        fit_timbres(read_utterances(options)).save(options.out / "model.safetensors")
        return
    schedule = SCHEDULES[options.stage]
    if options.steps:
        schedule = replace(schedule, steps=options.steps)
    task = build_task(options.stage, options)
    if options.warm and not (options.out / "last.pt").exists():
        warm_up(task.model, options.warm)
    make_run = AdversarialRun if options.stage == "judged-vocoder" else Run
    run = make_run(task, schedule, options.out)
    run.fit(options.minutes)
    if isinstance(task, TextToTokensTask):
        run.average.eval()
        assert isinstance(run.average.module, TextToTokens)
        task.match_lengths(run.average.module)
    save_average(run)


if __name__ == "__main__":
    main()
