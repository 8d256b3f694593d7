from collections import Counter
from itertools import islice

import pytest

from selftalk.models.training.texts import (
    HELD_OUT,
    held_out,
    join,
    template_lines,
    training_texts,
    written_lines,
)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_there_are_many_different_lines(language):
    lines = (*written_lines(language), *template_lines(language))
    assert len(set(lines)) > 8000


def test_held_out_sets_have_their_sizes():
    assert {name: len(set(held_out(name))) for name in HELD_OUT} == {
        "en": 100,
        "zh": 100,
        "replies": 200,
        "replies_zh": 100,
        "dev_en": 100,
        "dev_zh": 50,
        "dev_replies": 100,
    }


def test_held_out_lines_are_never_drawn():
    kept_out = {line for name in HELD_OUT for line in held_out(name)}
    for language in ("en", "zh", "ja"):
        assert kept_out.isdisjoint(written_lines(language))
        assert kept_out.isdisjoint(template_lines(language))


def test_texts_are_reproducible_and_follow_the_shares():
    def draw(seed):
        return list(islice(training_texts({"en": 3, "zh": 1}, seed), 400))

    texts = draw(1)
    assert texts == draw(1) != draw(2)
    assert 0.68 < Counter(language for language, _ in texts)["en"] / 400 < 0.82


def test_no_text_comes_twice_before_all_have_come():
    texts = [text for _, text in islice(training_texts({"zh": 1}, 4), 1000)]
    assert len(set(texts)) == 1000


def test_spoken_texts_come_last():
    first = {text for _, text in islice(training_texts({"en": 1}, 4), 300)}
    second = {text for _, text in islice(training_texts({"en": 1}, 4, first), 300)}
    assert first.isdisjoint(second)


def test_some_texts_are_two_sentences():
    singles = {*written_lines("en"), *template_lines("en")}
    texts = [text for _, text in islice(training_texts({"en": 1}, 9), 400)]
    assert 0.08 < sum(text not in singles for text in texts) / 400 < 0.24


def test_joining_follows_the_language():
    assert join("Yes.", "No.", "en") == "Yes. No."
    assert join("好。", "不好。", "zh") == "好。不好。"


def test_nonsense_comes_where_it_is_asked_for():
    known = {*written_lines("en"), *template_lines("en")}

    def share(words_share):
        texts = [text for _, text in islice(training_texts({"en": 1}, 4, (), words_share), 400)]
        return sum(text in known for text in texts) / 400

    # Some lines are two sentences, and so are not among the known ones either.
    assert share(0.0) > 0.75 > 0.5 > share(0.5) > 0.2
