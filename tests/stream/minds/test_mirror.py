"""Mirror: a good listener never is silent, never repeats itself, and says back rightly."""

import asyncio
import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selftalk.stream.dialogue.conversation import Message
from selftalk.stream.minds.mirror import LIMIT_WORDS, Mirror, find_topic, is_crisis
from selftalk.stream.minds.mirror_rules import load_rules
from selftalk.stream.minds.reply_guard import count_words
from selftalk.stream.minds.second_person import core, turn_around
from selftalk.stream.text.language_guess import guess_language

CRISIS = [
    "I want to kill myself",
    "I don't want to live anymore.",
    "Sometimes I think about suicide",
    "I've been hurting... I want to end my life",
    "我不想活了",
    "有时候想自杀",
    "活着没意思",
]


def answer(*said: str, seed: int = 0) -> str:
    return Mirror(seed).answer([Message("user", text) for text in said])


def talk(lines: list[str], seed: int = 0) -> list[str]:
    """Say the lines one by one, and return the replies."""
    messages: list[Message] = []
    for line in lines:
        messages.append(Message("user", line))
        messages.append(Message("assistant", Mirror(seed).answer(messages)))
    return [message.text for message in messages if message.role == "assistant"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_there_are_many_ways_to_be_understood(language: str) -> None:
    rules = load_rules(language)
    assert sum(len(rule.patterns) for rule in rules.rules) >= 60
    assert len({rule.topic for rule in rules.rules}) == len(rules.rules)
    assert all(len(rule.questions) >= 2 for rule in rules.rules)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("I'm worried about my exam", "worry"),
        ("Well, I am so scared of the dentist.", "worry"),
        ("My boss yelled at me again", "conflict"),
        ("My dog died yesterday.", "loss"),
        ("My phone died", ""),
        ("I can't sleep lately", "sleep"),
        ("Hi. I feel so lonely", "lonely"),
        ("I got the job!", "good news"),
        ("I want to learn the guitar", "wish"),
        ("I want to start a podcast.", "wish"),
        ("Start a timer", "request"),
        ("I keep checking my phone", "can't stop"),
        ("Should I quit my job?", "should I"),
        ("What should I cook for dinner tonight?", "food"),
        ("What is the capital of France?", "fact"),
        ("What time is it?", "now"),
        ("How far is the moon?", "number"),
        ("What is seven times eight?", "number"),
        ("今天天气怎么样？", "now"),
        ("Why do I always fail?", "why"),
        ("Hello!", "greeting"),
        ("Thanks, I'm going to bed now.", "goodbye"),
        ("Yes, I do.", "yes"),
        ("I don't know.", "don't know"),
        ("Who are you?", "who are you"),
        ("I went to the park", "told"),
        ("我很担心明天的考试", "worry"),
        ("我昨天和女朋友吵架了。", "conflict"),
        ("我家的狗昨天死了", "loss"),
        ("最近总是睡不着", "sleep"),
        ("我拿到工作了！", "good news"),
        ("我想学吉他", "wish"),
        ("我该不该辞职？", "should I"),
        ("法国的首都是哪里？", "fact"),
        ("你好", "greeting"),
        ("谢谢你", "thanks"),
        ("不知道", "don't know"),
        ("嗯", "yes"),
        ("你是谁", "who are you"),
    ],
)
def test_it_understands_what_a_text_is_about(text: str, topic: str) -> None:
    assert find_topic(text) == topic


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("my exam", "your exam"),
        ("I am late and my boss saw us", "you are late and your boss saw you"),
        ("I was alone with myself", "you were alone with yourself"),
        ("am not happy", "are not happy"),
        ("what you said to me", "what me said to you"),
        ("that you can hear me", "that I can hear you"),
        ("you are my friend", "I am your friend"),
        ("I'm sure you're mine", "you're sure I'm yours"),
        ("Miami in my mind", "Miami in your mind"),
    ],
)
def test_persons_are_exchanged(text: str, back: str) -> None:
    assert turn_around(text, "en") == back


def test_persons_are_exchanged_in_chinese() -> None:
    assert turn_around("我明天和我们老板见你", "zh") == "你明天和你们老板见我"


def test_what_trails_behind_is_not_said_back() -> None:
    assert core("my exam tomorrow, because I failed", "en") == "my exam"
    assert core("my girlfriend last night", "en") == "my girlfriend"
    assert core("明天的考试啊呀", "zh") == "明天的考试"


def test_it_says_back_what_it_heard() -> None:
    replies = {answer("I am worried about my exam.", seed=seed) for seed in range(20)}
    assert any("your exam" in reply for reply in replies)
    assert len(replies) > 5
    replies = {answer("我很担心明天的考试。", seed=seed) for seed in range(20)}
    assert any("明天的考试" in reply for reply in replies)


def test_it_comes_back_to_what_was_said_before() -> None:
    lines = ["I am worried about my exam", "It rains", "I don't know", "Hmm", "No"]
    replies = [reply for seed in range(10) for reply in talk(lines, seed)]
    assert any("you are worried about your exam" in reply for reply in replies)
    assert not any("worried" in reply for reply in talk(lines)[1:2])  # not the moment after
    chinese = ["我明天要去面试新工作", "下雨了", "不知道", "嗯"]
    replies = [reply for seed in range(10) for reply in talk(chinese, seed)]
    assert any("你明天要去面试新工作" in reply for reply in replies)


def test_nobody_is_reminded_of_what_hurts_most() -> None:
    lines = ["I want to kill myself", "It rains", "Hmm", "I don't know", "No"]
    for seed in range(10):
        assert not any("kill" in reply for reply in talk(lines, seed))


@pytest.mark.parametrize("text", CRISIS)
def test_danger_is_heard(text: str) -> None:
    assert is_crisis(text)
    for reply in talk([text] * 5):
        assert reply in load_rules(guess_language(text)).rules[0].questions


@pytest.mark.parametrize(
    "text", ["This heat is killing me", "I died laughing", "热死了", "I could kill for a pizza"]
)
def test_a_figure_of_speech_is_no_danger(text: str) -> None:
    assert not is_crisis(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今日はとても疲れました。", "ja"),
        ("오늘 너무 피곤해요", "ko"),
        ("佢今日唔開心", "yue"),
        ("Estoy muy cansado de mi trabajo", "es"),
        ("Je suis très fatigué", "fr"),
        ("Ich bin heute so müde", "de"),
        ("Я очень устал", "ru"),
        ("我很累", "zh"),
        ("I love 北京 very much indeed", "en"),
        ("", "en"),
    ],
)
def test_other_languages_are_answered_in_their_own_way(text: str, language: str) -> None:
    assert guess_language(text) == language
    assert answer(text)


def test_an_unknown_language_gets_its_own_words_back() -> None:
    assert "väsynyt" in answer("Olen hyvin väsynyt")


def test_the_reply_streams_in_one_piece_and_needs_nothing() -> None:
    async def run() -> list[str]:
        mirror = Mirror()
        await mirror.warm_up()
        deltas = [delta async for delta in mirror.reply([Message("user", "Hello")])]
        await mirror.close()
        return deltas

    assert len(asyncio.run(run())) == 1
    assert Mirror().answer([])


def test_a_self_has_first_sentences_of_its_own() -> None:
    mirror = Mirror.of_self("Critic", {"en": {"wish": ("A plan.",)}})
    wish = [Message("user", "I want to sing")]
    assert mirror.answer(wish).startswith("A plan. ")
    assert mirror.opening(wish) == "A plan."
    assert mirror.opening([Message("user", "What is love?")]) == ""
    assert mirror.opening([Message("user", "Es ist kalt")]) == ""
    assert mirror.question(wish) in mirror.answer(wish) or mirror.question(wish).endswith("?")


def test_a_reply_cut_short_counts_as_said() -> None:
    said = [Message("user", "I am sad"), Message("assistant", "I'm sorry it —", cut=True)]
    again = Mirror().answer([*said, Message("user", "I am sad")])
    assert not again.startswith("I'm sorry it")


SUBJECTS = "I am,I'm,I feel,I want to,I can't,I have,I hate,I love,My boss,We,You,It is,I lost,我"
LINES = """
    worried about my exam;tired;see my mother;sleep;no time for myself;rain;my job;a failure
    nobody;you;angry at my brother;because of me;my wallet;who I am;很累;想家;不喜欢我的工作;的妈妈
"""
FULL = """
    yes;no;hmm;why?;I don't know;thanks;hello;bye;what is love?;should I go?;tell me a joke;嗯;不
    你好;为什么?;不知道;我该怎么办;...;?;😀;42;Okay. I guess so. My sister;I remember;bonjour
"""
lines = st.one_of(
    st.tuples(
        st.sampled_from(SUBJECTS.split(",")),
        st.sampled_from(re.split("[;\n]", LINES.strip())).map(str.strip),
    ).map(" ".join),
    st.sampled_from(re.split("[;\n]", FULL.strip())).map(str.strip),
    st.text(max_size=40),
)


@settings(max_examples=40, deadline=None)
@example(["{\u00b5"], 0)
@given(st.lists(lines, min_size=1, max_size=8), st.integers(0, 5))
def test_never_silent_never_long_never_the_same_twice(said: list[str], seed: int) -> None:
    replies = talk(said, seed)
    assert replies == talk(said, seed)
    for reply in replies:
        assert any(character.isalnum() for character in reply)
        assert count_words(reply) <= LIMIT_WORDS
        assert "{" not in reply
    for before, after in pairwise(replies):
        assert before != after


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(
        "I am;I was;I feel;I lost;I met;I hate;I love;I want;I think;I need".split(";")
    ),
    st.sampled_from(["my zebra", "me and my zebra", "how I am my zebra", "that I'm the zebra"]),
    st.integers(0, 9),
)
def test_the_user_is_never_me(verb: str, rest: str, seed: int) -> None:
    reply = answer(f"{verb} {rest}", seed=seed)
    if "zebra" in reply:
        assert not re.search(r"\b(?:I am|I'm|my|me)\b[^.?]*zebra", reply)


@pytest.mark.parametrize("line", ["I am sad", "我很累", "hm", "It rains", "Olen väsynyt", "疲れた"])
def test_one_line_said_again_and_again_gets_new_words(line: str) -> None:
    replies = talk([line] * 12)
    for before, after in pairwise(replies):
        assert before != after
    assert len(set(replies)) >= 4
