import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selftalk.stream.errors import TextError
from selftalk.stream.text import LANGUAGES, Pronunciations, clean, phonemize, preload
from selftalk.stream.text.languages import segment
from selftalk.stream.text.phonemes import Phonemes
from selftalk.stream.text.symbols import SYMBOLS_V2

REVIEWED = Path(__file__).parents[2] / "data" / "phonemes"
PACKAGES = {"ja": "pyopenjtalk", "yue": "ToJyutping"}


def reviewed_sentences():
    for path in sorted(REVIEWED.glob("*.tsv")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            language, text, expected = line.split("\t")
            yield pytest.param(language, text, expected, id=f"{path.stem}-{number}")


def written_out(phonemes: Phonemes) -> str:
    """word=PHONES, marks bare, parted by bars: the form of the reviewed files."""
    parts: list[str] = []
    before = -1
    for symbol, index in zip(phonemes.symbols, phonemes.word_index, strict=True):
        if index >= 0 and index == before:
            parts[-1] += f" {symbol}"
        else:
            parts.append(symbol if index < 0 else f"{phonemes.words[index]}={symbol}")
        before = index
    return " | ".join(parts)


def require(*languages: str) -> None:
    """Skip where the package of an optional language is not installed."""
    for language in languages:
        if language in PACKAGES:
            pytest.importorskip(PACKAGES[language])


@pytest.mark.parametrize(("language", "text", "expected"), list(reviewed_sentences()))
def test_reviewed_sentences(language, text, expected):
    require(language, *(piece.language for piece in segment(text, language)))
    assert written_out(phonemize(text, language)) == expected


def test_there_are_enough_reviewed_sentences():
    rows = list(reviewed_sentences())
    assert len(rows) >= 200
    assert {row.values[0] for row in rows} == set(LANGUAGES)


@given(st.text(max_size=40), st.sampled_from(["en", "zh", "ko"]))
@settings(
    max_examples=2000,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_any_text_gives_official_symbols_of_known_words(text, language):
    require("ja")  # which kana inside need
    phonemes = phonemize(text, language)
    assert set(phonemes.symbols) <= set(SYMBOLS_V2)
    assert all(-1 <= index < len(phonemes.words) for index in phonemes.word_index)
    spoken = [index for index in phonemes.word_index if index >= 0]
    assert spoken == sorted(spoken)
    assert set(spoken) == set(range(len(phonemes.words)))


@pytest.mark.parametrize("language", ["ja", "yue"])
def test_odd_text_does_not_break_the_optional_languages(language):
    require(language)
    odd = (
        "\u200b\x00\ud800 ーーッ々〆 ﾃｽﾄ ①½㏄ 𠮷𡃁 ¥9,99 -1/0 ٣ 😀 ．．、、 "
        + "9" * 5000
        + "漢" * 3000
    )
    phonemes = phonemize(odd, language)
    assert phonemes.symbols
    assert set(phonemes.symbols) <= set(SYMBOLS_V2)


@pytest.mark.parametrize("text", ["", "   ", "😀👍", "\x00\x1b", "\ud800", "()[]{}«»"])
def test_nothing_to_say_is_no_phonemes(text):
    assert phonemize(text, "en").symbols == ()


def test_unknown_language_is_named_with_the_known_ones():
    with pytest.raises(TextError, match=r"unknown language 'fr'; known: en, zh, ja, ko, yue"):
        phonemize("bonjour", "fr")


@pytest.mark.parametrize(
    ("language", "module", "advice"),
    [("ja", "pyopenjtalk", r"selftalk\[text\]"), ("yue", "ToJyutping", r"selftalk\[text\]")],
)
def test_a_missing_package_is_one_clear_sentence(monkeypatch, language, module, advice):
    for name in [name for name in sys.modules if name.startswith("selftalk.stream.text.g2p_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(TextError, match=advice):
        phonemize("日本", language)


def test_english_alone_loads_no_other_language():
    script = (
        "import sys; from selftalk.stream.text import preload; preload('en');"
        "print({'jieba', 'pypinyin', 'pyopenjtalk', 'ToJyutping', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_preload_speaks_nothing_but_loads():
    preload("ko")
    assert "selftalk.stream.text.g2p_ko" in sys.modules


def test_clean_takes_controls_away_and_unfolds_odd_forms():
    assert clean("ＡＢＣ１２：３０") == "ABC12:30"
    assert clean("a\u200bb\x00c\ud800") == "ab c "
    assert clean("①②") == " 1  2 "
    assert clean("5㎡，½") == "5m²， 1/2"
    assert clean("ｶﾞｷﾞ！") == "ガギ！"


def test_the_users_pronunciation_goes_before_all_rules():
    own = Pronunciations.parse({"Wojciech": "V OY1 CH EH2 K", "单于": "chan2 yu2"})
    spoken = phonemize("Wojciech 见单于。", "zh", pronunciations=own)
    assert written_out(spoken) == "Wojciech=V OY1 CH EH2 K | 见=j ian4 | 单于=ch an2 y v2 | ."
