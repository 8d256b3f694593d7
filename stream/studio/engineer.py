"""Engineer: files in, a checked, sliced and transcribed Recording out.

    files ─▶ takes ─▶ findings
               └────▶ slices ─▶ one speaker ─▶ text ─▶ references

Puts the parts of the studio together; knows nothing about microphones and screens.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from selftalk.stream.errors import AudioFileError
from selftalk.stream.listening.recognizer import Recognizer
from selftalk.stream.listening.wer import error_rate
from selftalk.stream.studio.level_checks import (
    check_bandwidth,
    check_clipping,
    check_loudness,
    check_noise,
    rising,
)
from selftalk.stream.studio.recording import Recording, Slice
from selftalk.stream.studio.references import choose_references
from selftalk.stream.studio.report import SEVERITY, Finding, RecordingReport
from selftalk.stream.studio.room_checks import (
    burst_seconds,
    check_bursts,
    check_clicks,
    check_music,
    check_reverberation,
    click_seconds,
)
from selftalk.stream.studio.slicing import cut_take
from selftalk.stream.studio.speaker_check import SpeakerModel, check_speaker, tell_apart
from selftalk.stream.studio.take import Take

LEAST_SPEECH_SECONDS = 20.0
"""Below it a voice can be enrolled but hardly be learned."""
CHECKS: tuple[Callable[[Take], Finding], ...] = (
    check_loudness,
    check_clipping,
    check_noise,
    check_bandwidth,
    check_reverberation,
    check_music,
    check_bursts,
    check_clicks,
)
MISUNDERSTOOD_PERCENT: tuple[float, float] = (5.0, 30.0)
"""Of the speech."""
PROMPT_WAS_READ = 0.25
"""Error rate below which a prompt, and not what was heard, is a slice's text."""
_SYLLABLE = re.compile(r"[aeiouyáàâäéèêëíìîïóòôöúùûü]+|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

Tell = Callable[[str, float], None]
"""Told what is being done and how much of it is done, 0 to 1."""


@dataclass(frozen=True)
class Engineer:
    """Everything that is needed to judge and prepare recordings."""

    speaker: SpeakerModel
    recognizer: Recognizer
    language: str = "en"
    prompts: dict[str, str] = field(default_factory=dict)
    """What was to be read in each take, by the take's name."""
    tell: Tell = lambda _what, _share: None

    def prepare(self, name: str, takes: Sequence[Take]) -> Recording:
        """Check takes and make a recording of them.

        Raises:
            AudioFileError: there is no speech that could be used.
        """
        spoken = [take for take in takes if take.regions]
        if not spoken:
            raise AudioFileError("nobody speaks in this recording")
        findings = self._check(spoken)
        slices = [piece for take in spoken for piece in cut_take(take, _disturbances(take))]
        if not slices:
            raise AudioFileError(
                "no stretch of clean speech is two seconds long; speak whole sentences"
            )
        self.tell("listening to who speaks", 0.0)
        speakers = tell_apart([piece.audio for piece in slices], self.speaker)
        findings.append(check_speaker(speakers))
        slices = [piece for piece, main in zip(slices, speakers.is_main, strict=True) if main]
        written = self._write_down(slices)
        understood = sum(piece.seconds for piece in written)
        findings.append(
            check_words(sum(piece.seconds for piece in slices), understood, self.language)
        )
        findings.append(check_length(understood))
        report = RecordingReport(
            tuple(findings),
            sum(take.seconds for take in takes),
            sum(take.speech_seconds for take in takes),
        )
        return Recording(name, self.language, written, report, choose_references(written))

    def _check(self, takes: Sequence[Take]) -> list[Finding]:
        findings: list[list[Finding]] = [[] for _ in CHECKS]
        for done, take in enumerate(takes):
            self.tell("checking", done / len(takes))
            for place, check in enumerate(CHECKS):
                finding = check(take)
                if len(takes) > 1 and finding.verdict != "good":
                    sentence = f"{take.name}: {finding.sentence}"
                    finding = replace(finding, sentence=sentence)
                findings[place].append(finding)
        return [max(several, key=lambda one: SEVERITY[one.verdict]) for several in findings]

    def _write_down(self, slices: Sequence[Slice]) -> tuple[Slice, ...]:
        written = []
        for done, piece in enumerate(slices):
            self.tell("writing down", done / len(slices))
            heard = self.recognizer.transcribe(piece.audio, self.language)
            text, confidence = heard.text, heard.confidence
            prompt = self.prompts.get(piece.source, "")
            if prompt and was_read(prompt, text, self.language):
                text, confidence = prompt, 1.0
            if text:
                pace = syllables(text) / piece.seconds
                written.append(
                    replace(piece, text=text, confidence=confidence, syllables_per_second=pace)
                )
        return tuple(written)


def check_words(seconds: float, understood: float, language: str) -> Finding:
    """Is it understood what is said?

    Raises:
        AudioFileError: nothing is.
    """
    if not understood:
        raise AudioFileError(
            f"no word was understood; if not '{language}' is spoken, give --language"
        )
    lost = seconds - understood
    percent = 100 * lost / seconds
    verdict = rising(percent, MISUNDERSTOOD_PERCENT)
    if verdict == "good":
        return Finding("words", verdict, percent, "%", "What is said is understood.")
    return Finding(
        "words",
        verdict,
        percent,
        "%",
        f"In {lost:.0f} s of speech no word is understood.",
        f"What is said there is left out; if not '{language}' is spoken, give --language.",
    )


def check_length(seconds: float) -> Finding:
    """Is there enough clean speech?"""
    if seconds >= LEAST_SPEECH_SECONDS:
        return Finding(
            "length", "good", seconds, "s", f"There are {seconds:.0f} s of usable speech."
        )
    return Finding(
        "length",
        "usable",
        seconds,
        "s",
        f"There are only {seconds:.0f} s of usable speech.",
        f"Record at least {LEAST_SPEECH_SECONDS:.0f} s, better one to three minutes.",
    )


def was_read(prompt: str, heard: str, language: str) -> bool:
    """Whether a transcript is that of a prompt."""
    return error_rate(prompt, heard, language).rate <= PROMPT_WAS_READ


def syllables(text: str) -> int:
    """Roughly how many syllables a text has: groups of vowels, or characters."""
    return len(_SYLLABLE.findall(text.lower()))


def _disturbances(take: Take) -> tuple[float, ...]:
    return (*burst_seconds(take), *click_seconds(take))
