"""SentenceSplitter: an early first clause, then sentences, however the deltas are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.dialogue.sentences import LIMIT_WEIGHT, SentenceSplitter
from selftalk.stream.dialogue.speakable import speakable


def split(text: str) -> list[str]:
    splitter = SentenceSplitter()
    return splitter.push(text) + splitter.flush()


def split_in_pieces(text: str, sizes: list[int]) -> list[str]:
    splitter, pieces, position = SentenceSplitter(), [], 0
    while position < len(text):
        size = sizes[position % len(sizes)]
        pieces += splitter.push(text[position : position + size])
        position += size
    return pieces + splitter.flush()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (
            "I hear you, and I care. Go on, please.",
            ["I hear you,", "and I care.", "Go on, please."],
        ),
        ("Well, that sounds hard, I know.", ["Well, that sounds hard,", "I know."]),
        ("Unfortunately, yes.", ["Unfortunately,", "yes."]),
        ("你好，我很高兴，真的。", ["你好，我很高兴，", "真的。"]),
        ("Costs 1,000 dollars, I think.", ["Costs 1,000 dollars,", "I think."]),
        ("At 3:30 we met: all of us.", ["At 3:30 we met:", "all of us."]),
    ],
)
def test_first_clause_is_released_at_the_first_comma_worth_it(text: str, pieces: list[str]) -> None:
    assert split(text) == pieces


def test_first_clause_does_not_wait_for_the_next_delta() -> None:
    splitter = SentenceSplitter()
    assert splitter.push("I hear you,") == []
    assert splitter.push(" and") == ["I hear you,"]
    assert splitter.push(" I see.") == []
    assert splitter.push("\n") == ["and I see."]
    wide = SentenceSplitter()
    assert wide.push("我很高兴，") == ["我很高兴，"]


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith paid $3.14 for 1,000 of them.",
        "Use tools, e.g. a hammer, i.e. this one.",
        "The U.S. Army and J. K. Rowling met at 5 p.m. on Sunday.",
        "Mail me@example.org or see example.com/a.b for version 2.0.1 now.",
        "Hmm... I think so…",
        "Apples, pears, etc. are cheap.",
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(sentence: str) -> None:
    pieces = split("Good to see you. " + sentence + " That is all.")
    assert pieces == ["Good to see you.", sentence, "That is all."]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ('"Really?" she asked. "I am." He left.', ['"Really?" she asked.', '"I am." He left.']),
        (
            "“真的吗？”他问。「そうです。」と言った。",
            ["“真的吗？”", "他问。", "「そうです。」", "と言った。"],
        ),
        ("It is late. I know. So?!  Sleep now!", ["It is late.", "I know.", "So?!  Sleep now!"]),
        ("Wait here... What was that?", ["Wait here...", "What was that?"]),
        ("嗯。我明白了。好的！", ["嗯。我明白了。", "好的！"]),
        ("안녕하세요. 좋아요!", ["안녕하세요.", "좋아요!"]),
        ("1. Milk\n2. Eggs\n- bread", ["1. Milk", "2. Eggs", "bread"]),
        ("It was I. We left at 5 p.m. The end.", ["It was I.", "We left at 5 p.m.", "The end."]),
    ],
)
def test_sentence_ends(text: str, pieces: list[str]) -> None:
    assert [" ".join(p.split()) for p in split(text)] == [" ".join(p.split()) for p in pieces]


def test_run_ons_are_cut_at_the_best_place() -> None:
    clauses = "this goes on and on without any stop, " * 20
    assert all(piece.endswith(",") for piece in split(clauses))
    first, second, *_ = split("I think you should rest a while and look at " * 20)
    assert first.endswith("while")
    assert second.startswith("and")
    assert all(" " not in piece for piece in split("x" * 1000))
    assert "".join(split("我" * 300)) == "我" * 300


def test_what_cannot_be_heard_is_no_piece() -> None:
    assert split("... !!! 😀 *smiles*") == []
    assert split("") == []


def test_flush_starts_afresh() -> None:
    splitter = SentenceSplitter()
    splitter.push("One two three four. Five")
    assert splitter.flush() == ["Five"]
    assert splitter.push("I hear you, and") == ["I hear you,"]


WORDS = """
    Well I Dr e.g 3.14 1,000 U.S etc go 你好 我们 そう 안녕 https://a.b/c?d x@y.z **bold** *smiles*
    [1] 😀 (so) “嗯” "Yes"
"""
words = st.sampled_from(WORDS.split())
marks = st.sampled_from(
    ["", ",", ".", "!", "?", "...", "…", "。", "，", "！", "？”", ";", ":", " —"]
)
gaps = st.sampled_from([" ", "", "\n", "  "])
replies = st.lists(st.tuples(words, marks, gaps), max_size=30).map(
    lambda parts: "".join("".join(part) for part in parts)
)
anything = st.one_of(replies, st.text(max_size=80))
sizes = st.lists(st.integers(1, 12), min_size=1, max_size=8)


@given(anything, sizes)
def test_chunked_equals_whole(text: str, sizes: list[int]) -> None:
    assert split_in_pieces(text, sizes) == split(text)


def spoken_characters(text: str) -> str:
    return "".join(text.split())


@given(anything)
def test_nothing_that_can_be_said_is_lost_or_doubled(text: str) -> None:
    said = spoken_characters("".join(split(text)))
    rest = spoken_characters(speakable(text)).removeprefix(said)
    assert not any(character.isalnum() for character in rest)
    assert spoken_characters(speakable(text)) == said + rest


@given(anything)
def test_every_piece_can_be_heard_and_none_is_endless(text: str) -> None:
    for piece in split(text):
        assert any(character.isalnum() for character in piece)
        assert piece == " ".join(piece.split())
        assert sum(character.isalnum() for character in piece) <= LIMIT_WEIGHT
