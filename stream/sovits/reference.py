"""ReferenceListener: a recording of a voice → what a GPT-SoVITS model has to know of it.

The style is always heard. With the words of the recording, and with HuBERT in the bundle, the voice
also gets a prompt: new speech then goes on from the recording, and is closer to it. Knows nothing
about consent: `voices.find_voice` asks for it.
"""

import numpy as np

from selftalk.stream.errors import VoiceError
from selftalk.stream.graphs.graph import ON_ONE_CORE, Graph, RunOptions
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample
from selftalk.stream.sovits.full_stops import ended
from selftalk.stream.sovits.spectra import SAMPLE_RATE_HZ, kaldi_fbank, spectrogram
from selftalk.stream.sovits.text_features import TextFeatures
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.excerpt import LONGEST_SECONDS as LONGEST_EXCERPT_SECONDS
from selftalk.stream.synthesis.reference import Int64Array, Reference
from selftalk.stream.text import phonemize
from selftalk.stream.text.phonemes import Phonemes
from selftalk.stream.text.symbols import SYMBOLS_V1, SYMBOLS_V2, symbol_ids

SHORTEST_SECONDS = 2.0
LONGEST_SECONDS = 300.0
LONGEST_PROMPT_SECONDS = LONGEST_EXCERPT_SECONDS
"""Models were trained on shorter ones; a longer recording gives its style only."""
TRAILING_SILENCE_SAMPLES = 9600
"""Official code appends 0.3 s of 32 kHz to a recording of 16 kHz; tokens depend on it."""

HUBERT_ADVICE = (
    "without HuBERT the voice is known by its style only; for a closer one fetch the folder"
    " chinese-hubert-base of GPT-SoVITS's pretrained models, and export again with --hubert FOLDER"
)
TRANSCRIPT_ADVICE = "without the words of the recording the voice is known by its style only"
LENGTH_ADVICE = (
    f"a recording over {LONGEST_PROMPT_SECONDS:.0f} s gives its style only; 3 to 10 s are best"
)


class ReferenceListener:
    """Opens the graphs that listen; they are needed once for a voice."""

    def __init__(self, bundle: Bundle, run: RunOptions = ON_ONE_CORE) -> None:
        self._bundle = bundle
        self._run = run

    def listen(
        self, recording: AudioChunk, transcript: str = "", language: str = "en"
    ) -> tuple[Reference, str]:
        """Make a reference; and say in a sentence what would make it better, or nothing.

        Args:
            recording: clean speech of one person.
            transcript: exactly what is said in it.
            language: of the transcript.

        Raises:
            VoiceError: the recording is too short or too long, or v2Pro's speaker model is missing.
        """
        seconds = check_length(recording).duration_seconds
        prompt = phones = np.zeros(0, np.int64)
        bert = None
        phonemes = phonemize(transcript, language)
        advice = self._why_no_prompt(seconds, phonemes)
        if not advice:
            prompt = self.tokens(recording)
            phonemes = ended(phonemes)
            phones = phone_ids(self._bundle, phonemes.symbols)
            bert = TextFeatures(self._bundle, self._run).rows(phonemes)
        style = self.style(recording)
        return Reference(model_of(self._bundle), style, prompt, phones, bert), advice

    def style(self, recording: AudioChunk) -> Float32Array:
        """What a recording sounds like: (G,)."""
        manifest = self._bundle.manifest
        wave = resample(recording.samples, recording.sample_rate_hz, manifest.sample_rate_hz)
        peak = float(np.abs(wave).max(initial=0))
        wave = wave / min(2.0, peak) if peak > 1 else wave
        numbers = manifest.numbers
        spectrum = spectrogram(wave, int(numbers["window_samples"]), int(numbers["hop_samples"]))
        inputs = {"spectrum": spectrum[None]}
        if numbers["speaker_width"]:
            inputs["speaker"] = self._speaker(recording)[None]
        style: Float32Array = self._graph("style").run(**inputs)["style"][0]
        return style

    def tokens(self, recording: AudioChunk) -> Int64Array:
        """The semantic tokens of a recording: (T,)."""
        wave = resample(recording.samples, recording.sample_rate_hz, SAMPLE_RATE_HZ)
        wave = np.pad(wave, (0, TRAILING_SILENCE_SAMPLES))
        features = self._graph("hubert").run(wave=wave[None])["features"]
        tokens: Int64Array = self._graph("quantizer").run(features=features)["tokens"][0]
        return tokens

    def _speaker(self, recording: AudioChunk) -> Float32Array:
        manifest = self._bundle.manifest
        if "eres2net" not in manifest.graphs:
            raise VoiceError(
                f"voices of {manifest.version} need its speaker model: fetch"
                " sv/pretrained_eres2netv2w24s4ep4.ckpt of GPT-SoVITS's pretrained models, and"
                " export again with --speaker-model FILE"
            )
        wave = resample(recording.samples, recording.sample_rate_hz, SAMPLE_RATE_HZ)
        run = self._graph("eres2net").run(fbank=kaldi_fbank(wave)[None])
        speaker: Float32Array = run["embedding"][0]
        return speaker

    def _why_no_prompt(self, seconds: float, transcript: Phonemes) -> str:
        if not has_hubert(self._bundle):
            return HUBERT_ADVICE
        if not len(transcript):
            return TRANSCRIPT_ADVICE
        return LENGTH_ADVICE if seconds > LONGEST_PROMPT_SECONDS else ""

    def _graph(self, name: str) -> Graph:
        return Graph(self._bundle.graph_path(name), self._run)


def check_length(recording: AudioChunk) -> AudioChunk:
    """Return the recording if it is long enough and not too long.

    Raises:
        VoiceError: it is not.
    """
    seconds = recording.duration_seconds
    if SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        return recording
    raise VoiceError(
        f"the recording of the voice has {seconds:.1f} s; {SHORTEST_SECONDS:.0f} to"
        f" {LONGEST_SECONDS:.0f} s are possible and 3 to 10 s are best"
    )


def has_hubert(bundle: Bundle) -> bool:
    """Whether the words of a recording are of use."""
    return "hubert" in bundle.manifest.graphs


def phone_ids(bundle: Bundle, symbols: tuple[str, ...]) -> Int64Array:
    """Ids in the symbol table of a bundle."""
    table = SYMBOLS_V1 if bundle.manifest.symbols == "v1" else SYMBOLS_V2
    return symbol_ids(symbols, table)


def model_of(bundle: Bundle) -> str:
    """What tells models apart whose references must not be mixed; precisions may be."""
    return bundle.manifest.source.get("s2", "")
