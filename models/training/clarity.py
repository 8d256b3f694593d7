"""Clarity: how well a speaker is understood when a finished model speaks in that voice.

A small model does not speak with every timbre equally clearly, and how good the teacher sounded
with it says little about that. Knows nothing about which voices are chosen.
"""

from collections.abc import Callable, Sequence

from selftalk.models.training.stock_voices import Candidate, voice_of
from selftalk.stream.evaluation.held_out import held_out
from selftalk.stream.listening.recognizer import RecognizerConfig, load_recognizer
from selftalk.stream.listening.wer import error_rate
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, open_synthesizer

LANGUAGE = "en"
FEWEST_WORDS = 8
"""Of a sentence: with short ones the recogniser errs for reasons of its own."""
FEW_LINES, OTHER_LINES = slice(0, 8), slice(8, 32)
Errors = Callable[[Candidate, slice], int]
"""Of a candidate, how many words of some lines are lost."""


class Clarity:
    """Counts the words that a recogniser loses, on sentences that choices are made by."""

    def __init__(self, bundle: Bundle) -> None:
        """Open the model that is to speak, and the recogniser of its English."""
        self._synthesizer = open_synthesizer(bundle)
        self._recognizer = load_recognizer(RecognizerConfig(language=LANGUAGE))
        sentences = held_out(f"dev_{LANGUAGE}")
        self._texts = [s.text for s in sentences if len(s.text.split()) >= FEWEST_WORDS]

    def errors(self, candidate: Candidate, lines: slice) -> int:
        """How many words of some lines are not understood as they were written."""
        return sum(self._errors(candidate, text) for text in self._texts[lines])

    def _errors(self, candidate: Candidate, text: str) -> int:
        options = SynthesisOptions(language=LANGUAGE, seed=0)
        voice = voice_of(candidate, candidate.speaker)
        heard = self._recognizer.transcribe(
            self._synthesizer.synthesize(text, voice, options), LANGUAGE
        )
        return error_rate(text, heard.text, LANGUAGE).errors


def clearest(choices: Sequence[Candidate], errors: Errors, count: int) -> list[Candidate]:
    """The `count` that are understood best: all say a few lines, the best of them many others."""
    heard = sorted(choices, key=lambda choice: errors(choice, FEW_LINES))[: 2 * count]
    return sorted(heard, key=lambda choice: errors(choice, OTHER_LINES))[:count]
