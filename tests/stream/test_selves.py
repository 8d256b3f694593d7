"""Selves: the shipped ones are complete, a user's own comes first, a mistake is one sentence."""

from pathlib import Path

import pytest

from selftalk.stream.dialogue.sentences import SENTENCE_ENDS, SentenceSplitter
from selftalk.stream.dialogue.speakable import speakable
from selftalk.stream.errors import ConfigError
from selftalk.stream.minds.reply_guard import FORBIDDEN, count_words
from selftalk.stream.selves import load_self, parse_self, self_names

SHIPPED = ["coach", "critic", "friend", "night-diary", "younger-self"]
MINIMAL = """
name = "Me"
persona = "You are me."
style = "Short."
[greeting]
en = "Hi."
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    (tmp_path / "selves").mkdir()
    return tmp_path / "selves"


def test_five_selves_are_shipped() -> None:
    assert self_names() == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_self_is_complete_and_speakable(name: str) -> None:
    me = load_self(name)
    assert me.greeting_in("en") != me.greeting_in("zh")
    assert me.greeting_in("ja") == me.greeting_in("en")
    for language in ("en", "zh"):
        examples = me.examples_in(language)
        assert 4 <= len(examples) <= 8
        for example in examples:
            assert speakable(example.reply) == example.reply
            assert count_words(example.reply) <= 20
            assert not FORBIDDEN.search(example.reply)
        for openings in me.openings[language].values():
            for opening in openings:
                assert speakable(opening) == opening
                assert opening.endswith(tuple(SENTENCE_ENDS))
        assert SentenceSplitter().push(me.greeting_in(language) + "\n")
    assert 200 < len(me.persona) < 1000


def test_the_instructions_tell_who_how_and_in_which_language() -> None:
    me = load_self("coach")
    assert me.persona in me.instructions()
    assert "language the user speaks" in me.instructions()
    assert "User:" not in me.instructions()
    assert "User: 我想学吉他。" in me.instructions(examples_in="zh")
    chinese = parse_self('language = "zh"' + MINIMAL, "x")
    assert "Answer in Chinese." in chinese.instructions()


def test_the_users_own_self_comes_first(home: Path) -> None:
    (home / "coach.toml").write_text(MINIMAL, "utf-8")
    (home / "my-twin.toml").write_text(MINIMAL, "utf-8")
    (home / "Not A Name.toml").write_text(MINIMAL, "utf-8")
    assert self_names() == sorted([*SHIPPED, "my-twin"])
    assert load_self("coach").name == load_self("my-twin").name == "Me"
    assert load_self(home / "coach.toml") == load_self(str(home / "coach.toml"))


def test_without_the_variable_they_lie_in_the_config_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SELFTALK_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "selftalk" / "selves").mkdir(parents=True)
    (tmp_path / "selftalk" / "selves" / "twin.toml").write_text(MINIMAL, "utf-8")
    assert load_self("twin").name == "Me"


@pytest.mark.parametrize(
    "name", ["nobody", "../friend", "friend/../coach", "", "a" * 999, "Friend"]
)
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError, match="known are coach, critic, friend") as failure:
        load_self(name)
    assert len(str(failure.value)) < 300


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name =", "is not valid TOML"),
        (MINIMAL + "fr = 3\n", "'greeting' of x has the unknown key 'fr'"),
        ('stile = "x"' + MINIMAL, "unknown key 'stile'; it may have name, persona, style"),
        (MINIMAL.replace('style = "Short."', ""), "lacks the key 'style'"),
        (MINIMAL.replace('"Short."', "3"), "'style' of x must be a text"),
        (MINIMAL.replace('"Short."', '" "'), "'style' of x must be a text of 1 to"),
        ('language = "xx"' + MINIMAL, "it may be auto, en, zh"),
        ("temperature = 3" + MINIMAL, "'temperature' of x is 3; it may be 0 to 2"),
        ("temperature = true" + MINIMAL, "it may be 0 to 2"),
        ('voice_styles = "tired"' + MINIMAL, "must be a list of neutral, lively, tired"),
        ('voice_styles = ["sad"]' + MINIMAL, "'voice_styles' of x is 'sad'; it may be neutral"),
        (MINIMAL.replace('[greeting]\nen = "Hi."', 'greeting = "Hi."'), "must be a table"),
        (MINIMAL.replace('en = "Hi."', ""), "'greeting' of x is empty"),
        (MINIMAL + '[[examples.en]]\nuser = "a"\n', "an example of x lacks the key 'reply'"),
        (MINIMAL + '[examples]\nen = "a"\n', r"must be written as \[\[examples.en\]\]"),
        (MINIMAL + '[examples]\nen = ["a"]\n', "must have the keys user and reply"),
        (MINIMAL + '[openings]\nen = "a"\n', r"must be written as \[openings.en\]"),
        (MINIMAL + '[openings.en]\nwish = "a"\n', "'wish' of x must be a list of texts"),
        (MINIMAL + '[openings.en]\nwhish = ["a"]\n', "unknown key 'whish'; it may have crisis"),
    ],
)
def test_each_mistake_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        parse_self(text, "x")


def test_a_mind_is_told_of_the_styles_that_it_may_ask_for() -> None:
    assert "[" not in parse_self(MINIMAL, "x").instructions()
    me = parse_self('voice_styles = ["lively", "tired"]' + MINIMAL, "x")
    assert "begin a sentence with [lively] or [tired]" in me.instructions()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_self(tmp_path / "none.toml")
    (tmp_path / "big.toml").write_text("#" * 100_000)
    with pytest.raises(ConfigError, match="larger than"):
        load_self(tmp_path / "big.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_self(tmp_path / "bad.toml")
