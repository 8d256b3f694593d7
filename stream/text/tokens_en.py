"""English text → tokens: words, numbers of every kind, marks.

Knows nothing about how a token is said.
"""

import re
from typing import NamedTuple

_DIGIT = "[0-9]"
NUMBER = (
    rf"(?:{_DIGIT}{{1,3}}(?:,{_DIGIT}{{3}}){{1,5}}(?:\.{_DIGIT}{{1,15}})?(?![0-9])"
    rf"|{_DIGIT}{{1,15}}(?:\.{_DIGIT}{{1,15}})?(?![0-9])|\.{_DIGIT}{{1,15}}(?![0-9]))"
)
CURRENCY = "[$£€¥₩₹]"
_UNIT = (
    r"kWh|km/h|m/s|km²|m²|[kMG]bps|[KkMGT]?[iI]?B|[kMG]?Hz|°[CF]?|℃|[A-Za-z]{1,4}"
    r"(?![A-Za-z0-9])"
)
_TOP_LEVEL = "com|org|net|io|ai|dev|edu|gov|uk|de|cn|jp|co|me|app|tv|info|eu|fr"
_LETTERS = r"[^\W\d_]"

# Tried in this order at every place of the text.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "address",
        r"https?://[^\s,]*[\w/]"
        r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
        rf"|(?<![\w.])(?:[A-Za-z0-9-]+\.)+(?:{_TOP_LEVEL})\b(?:/[\w./-]*\w)?"
        r"|(?<!\w)\.NET\b"
        r"|(?<![\w.])(?:\w+[/\\])*\w{2,}(?:\.[a-z][a-z0-9]{0,4})+\b(?!\.\w)",  # main.py, Node.js
    ),
    ("time", r"(?<![0-9:])[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?![0-9:])"),
    (
        "date",
        r"(?<![0-9])(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})(?![0-9])",
    ),
    (
        "phone",
        r"(?<!\w)(?:\+[0-9]{1,3}[ -])?(?:\([0-9]{3}\)[ ]?|[0-9]{3}-)[0-9]{3}-[0-9]{4}(?![0-9])"
        r"|(?<!\w)[0-9]{3}-[0-9]{4}(?![0-9])",
    ),
    ("height", r"(?<![\w'’])[0-9]{1,2}['’′][0-9]{1,2}(?![0-9])[\"”″]?"),
    ("money", rf"(?<!\w)[-−]?{CURRENCY}[ ]?{NUMBER}(?:(?:[kKmMbBT]|bn|tn)\b)?"),
    ("money_after", rf"(?<!\w){NUMBER}[ ]?[€£₩₹¥](?![0-9])"),
    ("ordinal", r"(?<![\w.])[0-9][0-9,]{0,11}(?:st|nd|rd|th)\b"),
    ("decade", r"(?<![\w.])(?:[0-9]{3}0|['’]?[0-9]0)['’]?s\b"),
    ("fraction", r"(?<![\w/.])[0-9]{1,2}/[0-9]{1,3}(?![\w/])"),
    ("range", rf"(?<![\w.-]){NUMBER}[-–]{NUMBER}(?:%|(?![\w-]))"),
    ("version", r"(?<![\w.])v?[0-9]{1,4}(?:\.[0-9]{1,6}){2,}(?!\w)"),
    ("number", rf"(?<![\w.])[-−+]?{NUMBER}(?:%|(?:{_UNIT}))?(?!\w)"),
    ("model", r"(?<!\w)[A-Za-z]+-?[0-9]{1,4}\.[0-9]{1,4}(?![\w.]*[0-9])"),
    ("digits", r"[0-9]{16,}"),
    ("grade", r"(?<!\w)[A-Z](?:\+\+|[+#])(?!\w)|(?<!\w)[A-F][-−](?=[\s.,;!?)])"),
    (
        "dotted",
        r"(?<![A-Za-z])(?:[A-Za-z]\.){2,}|(?<!\w)[eEiI]\.[eEgG]\b|(?<!\w)[ap]\.m\b"
        r"|\b[A-Za-z]+\.(?=\s|$|[,;:!?)\]\"”])",
    ),
    (
        "word",
        rf"\b(?:w/o|w/)(?=\s)|['’](?:tis|twas|em|cause|til|bout|n)\b['’]?"
        rf"|[^\W_]+(?:['’]{_LETTERS}+)*(?:(?<=s)['’](?!\w))?"
        rf"(?:[-‐‑/&][^\W_]+(?:['’]{_LETTERS}+)*)*",
    ),
    ("mark", r"\.{2,}|(?![-=]>)[,.?!…—–-]+|[;:，。？！、；：]"),
    ("symbol", r"[-=]>|\^[23](?![0-9])|°[CF]?|[&+=@%×÷±≈<>≤≥→#©½¼¾℃²³]"),
)
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS))


class Token(NamedTuple):
    """A piece of written text: a word of some kind, or a mark."""

    kind: str
    text: str
    gap: bool
    """Whether white space stands before it."""


def tokens(text: str) -> list[Token]:
    """Cut a text into words, numbers and marks; what nobody can say is left out."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        assert match.lastgroup is not None
        gap = match.start() == 0 or text[match.start() - 1].isspace()
        found.append(Token(match.lastgroup, match.group(), gap))
    return found


class Context(NamedTuple):
    """What stands beside a token."""

    before: Token | None
    after: Token | None
    shouted: bool
    """The whole text is in capitals, so capitals say nothing about acronyms."""

    @property
    def next_text(self) -> str:
        """The following token as written, or nothing."""
        return self.after.text if self.after else ""

    @property
    def previous_text(self) -> str:
        """The token before as written, or nothing."""
        return self.before.text if self.before else ""

    def after_kind(self, *kinds: str) -> bool:
        """Whether the following token is of one of these kinds."""
        return self.after is not None and self.after.kind in kinds

    def before_kind(self, *kinds: str) -> bool:
        """Whether the token before is of one of these kinds."""
        return self.before is not None and self.before.kind in kinds
