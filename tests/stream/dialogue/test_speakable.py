"""Speakable: what must not be spoken is gone, and the cut of the deltas does not matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.dialogue.speakable import Speakable, speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Bold**, *really* __so__ ~~no~~ `code`.", "Bold, really so no code."),
        ("# Title\n- one\n* two\n> quoted\n---\nend", "Title\none\ntwo\nquoted\nend"),
        ("Before\n```python\nprint(1)\n```\nafter", "Before\nafter"),
        ("~~~\ncode", ""),
        ("Before ```code``` after", "Before\nafter"),
        ("| a | b |\n|---|:-:|\n| 1 | **2** |\nend", "a, b\n1, 2\nend"),
        ("2 * 3 = 6, 2*3, snake_case", "2 × 3 = 6, 2×3, snake case"),
        ("It is -5 degrees.\n-5 again", "It is -5 degrees.\n-5 again"),
    ],
)
def test_markdown_is_not_spoken(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("*smiles warmly* Hi! *laughs* Yes.", "Hi! Yes."),
        ("*hums a tune* Good morning.", "Good morning."),
        ("That is *always* true. *Yes*, *this* too.", "That is always true. Yes, this too."),
        ("Sure (laughs softly), the (old) one.", "Sure, the (old) one."),
        ("[sighs] Well.", "Well."),
        ("（微笑）你好。*点点头*我*很*明白（真的）。", "你好。我很明白（真的）。"),
        ("*never closed", "never closed"),
        ("*smiles but never closed\nNext", "smiles but never closed\nNext"),
    ],
)
def test_stage_directions_are_not_spoken_but_emphasis_is(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("See https://www.example.com/a_(b)?q=1#x, ok?", "See example.com, ok?"),
        ("www.example.com.", "example.com."),
        ("http://user:pass@example.com:8080/x", "example.com"),
        ("看https://a.com/b，好", "看a.com，好"),
        ("Read [the *docs*](https://a.b/c_(d)).", "Read the docs."),
        ("An image ![alt text](http://x/y.png) here", "An image here"),
        ("Mail me@example.org or <you@example.org>.", "Mail me@example.org or you@example.org."),
        ("A fact [1], more [2, 3]. And [^1]. 好的【3†source】。", "A fact, more. And. 好的。"),
        ("[x] done, dear [Your name] [open", "done, dear Your name open"),
    ],
)
def test_links_become_their_host_and_citations_vanish(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Hi 👋🏽! I 👩‍👩‍👧 see ❤️.", "Hi! I see."),
        ("fine :) ok ;-) love <3 at 10:30", "fine ok love at 10:30"),
        ("你好~我们走吧", "你好～我们走吧"),
        ("20 °C, 1️⃣ C# #tag", "20 °C, 1 C# tag"),
        ("<think>\nhm < 3\n</think>\nHello <b>you</b>, a < b", "Hello you, a < b"),
        ("می‌خواهم", "می‌خواهم"),
        ("a\u200b\x00b  \t c\n\n\nd", "ab c\nd"),
    ],
)
def test_emoji_thoughts_and_invisible_characters_vanish(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


# Text rich in the characters that open, close or change something.
MARKS = """
    * ** _ ` ``` [ ] ( ) ]( ! < > # ~ | - 1 [1] . , https:// a.b/c smiles Yes 微笑 （ ） 。 ， 😀
    \u200d <think> </think> : :) \\ é & 【 】
"""
markup = st.lists(st.sampled_from([*MARKS.split(), " ", "\n", "- "]), max_size=30).map("".join)


@given(st.one_of(markup, st.text(max_size=60)), st.lists(st.integers(1, 9), min_size=1))
def test_chunked_equals_whole(text: str, sizes: list[int]) -> None:
    stream = Speakable()
    spoken, position = "", 0
    for size in sizes * (len(text) + 1):
        spoken += stream.push(text[position : position + size])
        position += size
        if position >= len(text):
            break
    assert spoken + stream.flush() == speakable(text)


@given(st.one_of(markup, st.text(max_size=60)))
def test_what_is_spoken_has_no_marks_left(text: str) -> None:
    spoken = speakable(text)
    assert not set(spoken) & set("*`|\\😀\u200b\ufe0f")
    assert spoken.removesuffix("\n") == spoken.strip()
    assert not set(spoken.split("\n")[:-1]) & {""}
    assert "  " not in spoken


@given(st.text(alphabet="abc XYZ 123,.?!'é你好。\n", max_size=80))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert "".join(speakable(text).split()) == "".join(text.split())


def test_words_are_given_out_as_soon_as_they_are_certain() -> None:
    stream = Speakable()
    assert stream.push("Well, I hear") == "Well, I hear"
    assert stream.push(" (I th") == " (I th"
    assert stream.push(" *gri") == ""
    assert stream.push("ns* so") == " so"
    assert stream.push(".\n \n") == ".\n"
    assert stream.push("So") == "So"


def test_reset_forgets_an_open_code_block() -> None:
    stream = Speakable()
    stream.push("```\ncode")
    stream.reset()
    assert stream.push("Hello.") == "Hello."
