"""Listening samples: sentences in several voices as a page with players and spectrograms.

    python benchmarks/samples.py [--bundle FOLDER] [-o docs/samples]

The sentences are held out from training; nothing is chosen by ear, the first ones are taken. With
`--against teacher` the teacher says the same ones, so that one hears what nano was taught.
Needs matplotlib, which comes with the extra `dev`.
"""

import argparse
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from selftalk.stream.evaluation.held_out import Sentence, held_out
from selftalk.stream.evaluation.systems import BundleSystem, System
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.bundle import Bundle, default_bundle

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>nano: samples</title>
<style>
  :root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
  body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
  figure {{ margin: 0 0 2rem }}
  figcaption {{ margin-bottom: .3rem }}
  small {{ opacity: .7 }}
  audio, img {{ width: 100%; display: block }}
</style>
<h1>nano: samples</h1>
<p>Held-out sentences, the first of each set, in the shipped voices by turns. Every voice is
synthetic and belongs to nobody. Figures and limits are in the model card.</p>
{figures}
</html>
"""
FIGURE = """<figure>
  <figcaption>{text} <small>{system}, {voice}</small></figcaption>
  <audio controls preload="none" src="{stem}.ogg"></audio>
  <img loading="lazy" alt="spectrogram: {text}" src="{stem}.webp">
</figure>"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One utterance on the page."""

    stem: str
    system: str
    voice: str
    sentence: Sentence
    audio: AudioChunk


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--sentences", type=int, default=4, help="of each set")
    parser.add_argument("--against", choices=["teacher"])
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/samples"))
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle) if options.bundle else default_bundle()
    systems: list[System] = [BundleSystem(bundle)]
    if options.against:
        from selftalk.export.teacher_system import TeacherSystem

        systems.append(TeacherSystem())
    options.output.mkdir(parents=True, exist_ok=True)
    sets = ["en", "replies"] + (["zh"] if "zh" in bundle.manifest.languages else [])
    sentences = [sentence for name in sets for sentence in held_out(name, options.sentences)]
    figures = []
    for sample in spoken(systems, sentences):
        write(sample, options.output)
        told = {"text": sample.sentence.text, "system": sample.system, "voice": sample.voice}
        escaped = {name: html.escape(value) for name, value in told.items()}
        figures.append(FIGURE.format(stem=sample.stem, **escaped))
    page = PAGE.format(figures="\n".join(figures))
    (options.output / "index.html").write_text(page, encoding="utf-8")


def spoken(systems: Sequence[System], sentences: Sequence[Sentence]) -> Iterator[Sample]:
    """Let every system say every sentence, voices taking turns."""
    for index, sentence in enumerate(sentences):
        for system in systems:
            voice = system.voices[index % len(system.voices)]
            audio = system.say(sentence, voice).audio
            yield Sample(f"{index:02d}-{system.name}", system.name, voice, sentence, audio)


def write(sample: Sample, folder: Path) -> None:
    """Write the sound of a sample and its picture."""
    rate_hz = sample.audio.sample_rate_hz
    path = folder / f"{sample.stem}.ogg"
    soundfile.write(path, sample.audio.samples, rate_hz, format="OGG", subtype="VORBIS")
    draw(sample.audio, folder / f"{sample.stem}.webp")


def draw(audio: AudioChunk, path: Path) -> None:
    """Draw the spectrogram up to 12 kHz."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 2), dpi=80)
    with np.errstate(divide="ignore"):
        axes.specgram(
            audio.samples + 1e-9, NFFT=1024, Fs=audio.sample_rate_hz, noverlap=768, vmin=-140
        )
    axes.set_ylabel("Hz")
    figure.tight_layout(pad=0.2)
    figure.savefig(path, pil_kwargs={"quality": 60})
    pyplot.close(figure)


if __name__ == "__main__":
    main()
