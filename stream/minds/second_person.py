"""turn_around: a user's words said back to them ("my exam" → "your exam", 我 → 你).

Knows nothing about when that is a good idea.
"""

import re

TRAILING_EN = re.compile(
    r"(?:[\s,]+(?:right now|at the moment|lately|these days|this (?:week|morning|evening)|today"
    r"|tonight|yesterday|tomorrow|last (?:night|week|year)|again|any ?more|a lot|so much|too|though"
    r"|you know|or something|and stuff|please|either|at all|all day|now|recently|already))+$",
    re.IGNORECASE,
)
CLAUSE_EN = re.compile(
    r"\s+(?:but|because|since|although|though|while|and (?:then|i|he|she|it|they|we|my)"
    r"|so (?:i|that)|which|if|when|you know)\b.*$",
    re.IGNORECASE,
)
TRAILING_ZH = re.compile("[吧啊呢呀嘛啦哦吗哎]+$")

PAIRS_EN = {
    "i am": "you are", "i was": "you were", "i wasn't": "you weren't", "am i": "are you",
    "was i": "were you", "you are": "I am", "you were": "I was", "are you": "am I",
    "were you": "was I",
}  # fmt: skip
WORDS_EN = {
    "i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "am": "are",
    "i'm": "you're", "i've": "you've", "i'd": "you'd", "i'll": "you'll", "im": "you're",
    "we": "you", "us": "you", "our": "your", "ours": "yours", "ourselves": "yourselves",
    "we're": "you're", "we've": "you've", "we'd": "you'd", "we'll": "you'll",
    "you": "me", "your": "my", "yours": "mine", "yourself": "myself", "you're": "I'm",
    "you've": "I've", "you'd": "I'd", "you'll": "I'll",
}  # fmt: skip
PERSON_EN = re.compile(
    r"(?<![\w'])(?:"
    + "|".join(sorted([*PAIRS_EN, *WORDS_EN], key=len, reverse=True))
    + r")(?![\w'])",
    re.IGNORECASE,
)
PERSON_ZH = re.compile("我们|咱们|咱|俺|我|你们|你|您")
WORDS_ZH = {"我们": "你们", "咱们": "你们", "咱": "你", "俺": "你", "我": "你"}
WORDS_ZH |= {"你们": "我们", "你": "我", "您": "我"}

# "you" is the subject of what it says when one of these follows.
SUBJECT_EN = re.compile(
    r"(?<![\w'])me(?= (?:can|could|will|would|should|do|don't|did|have|had|know|think|say|want)\b)"
)


def turn_around(text: str, language: str) -> str:
    """Return the text with the persons exchanged."""
    if language == "zh":
        return PERSON_ZH.sub(lambda match: WORDS_ZH[match.group()], text)
    turned = PERSON_EN.sub(lambda match: _turned(match.group()), text)
    return SUBJECT_EN.sub("I", re.sub(r"^am\b", "are", turned))


def core(text: str, language: str) -> str:
    """Return what a caught phrase is about, without what trails behind it."""
    if language == "zh":
        return TRAILING_ZH.sub("", text.strip())
    return TRAILING_EN.sub("", CLAUSE_EN.sub("", text.strip()).rstrip(" ,")).strip()


def _turned(word: str) -> str:
    lowered = word.lower()
    return PAIRS_EN.get(lowered) or WORDS_EN[lowered]
