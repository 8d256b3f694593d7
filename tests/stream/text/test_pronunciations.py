import pytest

from selftalk.stream.errors import ConfigError
from selftalk.stream.text.phonemes import Spoken
from selftalk.stream.text.pronunciations import Pronunciations


def test_a_file_of_arpabet_and_pinyin(tmp_path):
    path = tmp_path / "words.toml"
    path.write_text('Kaito = "K AY1 T OW0"\n"单于" = "chan2 yu2"\n', "utf-8")
    own = Pronunciations.load(path)
    assert own.symbols_of["kaito"] == ("K", "AY1", "T", "OW0")
    assert own.symbols_of["单于"] == ("ch", "an2", "y", "v2")


def test_words_are_found_whole_in_any_case_and_everything_else_is_kept():
    own = Pronunciations.parse({"Kai": "K AY1", "单于": "chan2 yu2"})
    assert list(own.split("KAI, Kaito和单于来")) == [
        "",
        Spoken("KAI", ("K", "AY1")),
        ", Kaito和",
        Spoken("单于", ("ch", "an2", "y", "v2")),
        "来",
    ]
    assert list(Pronunciations({}).split("as it is")) == ["as it is"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('Kai = "K AY9"', r"words.toml: 'AY9' in the pronunciation of 'Kai' is neither ARPAbet"),
        ('Kai = ""', "the pronunciation of 'Kai' is empty"),
        ("Kai = 3", 'expected word = "symbols"'),
        ("Kai = ", "cannot read the pronunciations"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, content, message):
    path = tmp_path / "words.toml"
    path.write_text(content, "utf-8")
    with pytest.raises(ConfigError, match=message):
        Pronunciations.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.toml"):
        Pronunciations.load(tmp_path / "nothing.toml")
