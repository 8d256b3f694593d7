"""A mind says how a sentence sounds: read from its reply, never spoken, wherever it is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.dialogue.sentences import SentenceSplitter
from selftalk.stream.dialogue.turn import Turn
from selftalk.stream.minds.style_directions import StyleDirections
from selftalk.stream.synthesis.styles import STYLES


def read(*deltas):
    """(text, style) of a reply, joined where the style stays."""
    directions, found = StyleDirections(), [("", None)]
    parts = [part for delta in deltas for part in directions.push(delta)]
    for text, style in [*parts, *directions.flush()]:
        found = (
            [*found, (text, style)] if style else [*found[:-1], (found[-1][0] + text, found[-1][1])]
        )
    return found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("[lively] Hello!", [("", None), ("Hello!", "lively")]),
        ("Late. [tired] Good night.", [("Late. ", None), ("Good night.", "tired")]),
        ("[Tired]\nYes.\n[neutral] No.", [("", None), ("\nYes.\n", "tired"), ("No.", "neutral")]),
        ("好的。【lively】真的吗？", [("好的。", None), ("真的吗？", "lively")]),
        ("Bye. [tired]", [("Bye. ", None), ("", "tired")]),
    ],
)
def test_a_style_begins_where_it_stands(written, meant):
    assert read(written) == meant


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("[angry] Hello.", "Hello."),
        ("Hm. [excited] [sighs] Well.", "Hm. Well."),
    ],
)
def test_unknown_styles_are_dropped(written, left):
    assert read(written) == [(left, None)]


@pytest.mark.parametrize(
    "written",
    [
        "I am [tired] today.",
        "[docs](https://example.com) say so.",
        "[1] says so, [your name].",
        "(laughs) Yes.",
        "It costs [",
        "[]",
        "[lively",
        "[incomprehensibilities] no",
    ],
)
def test_all_else_stays(written):
    assert read(written) == [(written, None)]


@given(
    pieces=st.lists(st.sampled_from(["[lively]", "[", "]", "(", "tired", "Hi. ", " ", "\n", "。"])),
    cuts=st.lists(st.integers(0, 60)),
)
def test_cuts_do_not_matter(pieces, cuts):
    written = "".join(pieces)
    places = [0, *sorted(cut for cut in cuts if cut < len(written)), len(written)]
    deltas = [written[a:b] for a, b in pairwise(places)]
    assert read(*deltas) == read(written)


def styled(*parts):
    """What a turn would have synthesised: (sentence, style)."""
    turn = Turn(1, "", SentenceSplitter())
    for text, style in parts:
        turn.push_text(text, style)
    turn.finish_text()
    found = []
    while taken := turn.take_sentence():
        found.append(taken[1:])
        turn.finish_sentence(taken[0])
    return found


def test_each_sentence_keeps_its_style():
    parts = read("Good evening. I am here. [tired] What a day. Good night. [neutral] Bye.")
    assert styled(*parts) == [
        ("Good evening.", None),
        ("I am here.", None),
        ("What a day.", "tired"),
        ("Good night.", "tired"),
        ("Bye.", "neutral"),
    ]


def test_what_was_begun_is_said_before_the_style_changes():
    assert styled(("Oh", None), ("Hello there.", "lively")) == [
        ("Oh", None),
        ("Hello there.", "lively"),
    ]


def test_thoughts_are_not_said_because_a_style_stood_in_them():
    assert styled(*read("<think>Hm. [lively] Yes.</think>Hello.")) == [("Hello.", "lively")]


@pytest.mark.parametrize("style", STYLES)
def test_the_words_never_reach_the_text(style):
    assert style not in "".join(text for text, _ in read(f"Yes. [{style}] No."))
