from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from selftalk.stream.errors import BundleError, TextError
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.labelled_synthesizer import LabelledSynthesizer
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, language_of, open_synthesizer

TINY = Bundle.load(Path(__file__).parents[2] / "data" / "bundle_tiny")


def test_the_kind_of_a_bundle_chooses_the_synthesizer():
    opened = open_synthesizer(TINY)
    assert isinstance(opened, LabelledSynthesizer)
    assert type(opened.inner).__name__ == "NanoSynthesizer"
    odd = replace(TINY, manifest=msgspec.structs.replace(TINY.manifest, kind="odd"))
    with pytest.raises(BundleError, match="unknown kind 'odd'"):
        open_synthesizer(odd)


def test_a_language_is_guessed_when_none_is_named():
    assert language_of("Good morning", TINY, SynthesisOptions()) == "en"
    assert language_of("早上好", TINY, SynthesisOptions()) == "zh"
    assert language_of("Good morning", TINY, SynthesisOptions(language="zh")) == "zh"


def test_a_language_that_a_model_does_not_speak_is_refused():
    with pytest.raises(TextError, match="does not speak 'ko'; it speaks en, zh"):
        language_of("Good morning", TINY, SynthesisOptions(language="ko"))
