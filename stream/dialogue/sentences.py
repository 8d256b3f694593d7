"""SentenceSplitter: streamed reply text → pieces worth speaking one after another.

The first piece is released at the first comma, so that the voice can start early; the others
are whole sentences. Knows nothing about voices or languages beyond their punctuation.

Like the filter before it, it looks at one character at a time, and each piece ends where the
character after it shows that it does: "3." may go on as "3.14", "Dr." as a name.
"""

import unicodedata

from selftalk.stream.dialogue.speakable import Speakable

# Lengths are counted in weights: 1 for a letter, 3 for a Chinese, Japanese or Korean one,
# which takes about as long to say as three letters.
WIDE_WEIGHT = 3
FIRST_CLAUSE_WORDS = 3
FIRST_CLAUSE_WEIGHT = 10
SENTENCE_WEIGHT = 4  # shorter ones ("Oh.") sound better together with the next
FIRST_LIMIT_WEIGHT = 90  # a first piece without any comma is cut here
LIMIT_WEIGHT = 200

WIDE_ENDS = frozenset("。！？｡～")
LATIN_ENDS = frozenset(".!?…।؟۔")
SENTENCE_ENDS = WIDE_ENDS | LATIN_ENDS
WIDE_CLAUSE_ENDS = frozenset("，；：､")
CLAUSE_ENDS = frozenset(",;:—–、") | WIDE_CLAUSE_ENDS
CLOSERS = frozenset("\"'”’»)]）」』】》〉")
QUOTES = frozenset("\"'”’»」』")

# Never the end of a sentence, and the end of one only before a capital letter.
TITLES_TEXT = """
    dr mr mrs ms mx prof st mt no nos fig figs vol pp vs cf eg ie gen col sgt capt lt rev hon
    approx ca dept est e.g i.e sr. hr fr nr bzw z.b d.h ing sra dra
"""
ABBREVIATIONS_TEXT = "etc jr sr inc ltd co corp a.m p.m am pm ph.d b.c a.d min max al ave blvd"
CONJUNCTIONS = (" and ", " but ", " because ", " so ", " or ", " which ", " when ", " while ")
TITLES = frozenset(TITLES_TEXT.split())
ABBREVIATIONS = frozenset(ABBREVIATIONS_TEXT.split())


class SentenceSplitter:
    """Cuts the deltas of one reply into pieces for the synthesizer."""

    def __init__(self) -> None:
        self._speakable = Speakable()
        self.reset()

    def reset(self) -> None:
        """Forget the reply under way; the next piece counts as a first one again."""
        self._speakable.reset()
        self._buffer = ""
        self._weight = 0
        self._is_first = True

    def push(self, delta: str) -> list[str]:
        """Add reply text as written; return the pieces that are now complete."""
        return self._split(self._speakable.push(delta))

    def cut(self) -> list[str]:
        """Return what was said of the reply so far as a piece of its own; the reply goes on."""
        said = self._cut(len(self._buffer)) if _can_be_heard(self._buffer) else ""
        return [said] if said else []

    def flush(self) -> list[str]:
        """Return what is left of the reply, at most a few pieces, and start afresh."""
        pieces = self._split(self._speakable.flush())
        rest = _on_one_line(self._buffer)
        if _can_be_heard(rest):
            pieces.append(rest)
        self.reset()
        return pieces

    def _split(self, text: str) -> list[str]:
        pieces = []
        for character in text:
            if self._ends_before(character):
                pieces.append(self._cut(len(self._buffer)))
            self._buffer += character
            self._weight += _weight(character)
            if self._ends_with(character):
                pieces.append(self._cut(len(self._buffer)))
            limit = FIRST_LIMIT_WEIGHT if self._is_first else LIMIT_WEIGHT
            if self._weight > limit and (place := _best_cut(self._buffer)):
                pieces.append(self._cut(place))
        return pieces

    def _cut(self, place: int) -> str:
        piece, self._buffer = _on_one_line(self._buffer[:place]), self._buffer[place:]
        self._weight = sum(map(_weight, self._buffer))
        self._is_first = False
        return piece

    def _ends_before(self, character: str) -> bool:
        """Whether a piece ends in front of this character."""
        said = self._buffer.rstrip()
        if character == "\n":
            return _can_be_heard(said)
        spaced = len(said) < len(self._buffer)
        if character.isspace() or not said or (character in CLOSERS and not spaced):
            return False
        apart = spaced or _is_wide(character) or _is_wide(said[-1]) or character in "「『“《（"
        if self._is_first and apart and said[-1] in CLAUSE_ENDS:
            return _is_worth_a_start(said)
        return _is_sentence(said, character, apart) and _weight_of(said) >= SENTENCE_WEIGHT

    def _ends_with(self, character: str) -> bool:
        """Whether a first clause ends with this character, whatever follows."""
        early = self._is_first and character in WIDE_CLAUSE_ENDS
        return early and _is_worth_a_start(self._buffer)


def _is_sentence(said: str, following: str, apart: bool) -> bool:
    """Whether text that ends before `following` is a whole sentence."""
    core = said.rstrip("".join(CLOSERS))
    if not core or core[-1] not in SENTENCE_ENDS or following in SENTENCE_ENDS:
        return False
    if core[-1] in WIDE_ENDS:
        return not (said[-1] in QUOTES and following in CLAUSE_ENDS)
    if not apart:
        return False
    continues = following.islower() or following in CLAUSE_ENDS
    if said[-1] in QUOTES and continues:
        return False
    if core.endswith(("..", "…")):
        return following.isupper() or following in "\"'“«¿¡("
    return core[-1] != "." or _full_stop_ends(core, continues)


def _full_stop_ends(core: str, continues: bool) -> bool:
    """Whether the full stop that `core` ends with ends a sentence too."""
    word = core[:-1].split()[-1].lstrip("(\"'“‘[") if core[:-1].split() else ""
    lowered = word.lower()
    if core[:-1].strip().isdigit():  # the number of a list item
        return False
    if lowered in TITLES or (len(word) == 1 and word.isalpha() and word != "I"):
        return False
    if lowered in ABBREVIATIONS:
        return not continues
    return not ("." in word and all(len(part) == 1 for part in word.split(".")))


def _is_worth_a_start(said: str) -> bool:
    weight = _weight_of(said)
    words = sum(map(_can_be_heard, said.split()))
    return weight >= FIRST_CLAUSE_WEIGHT or words >= FIRST_CLAUSE_WORDS


def _best_cut(text: str) -> int:
    """Where to cut a run-on: after a clause, before a conjunction, at a space, or at its end."""
    earliest = len(text) * 2 // 5
    clauses = [
        i + 1
        for i, character in enumerate(text[:-1])
        if character in WIDE_CLAUSE_ENDS or (character in CLAUSE_ENDS and text[i + 1].isspace())
    ]
    if clauses and clauses[-1] > earliest:
        return clauses[-1]
    conjunction = max(text.rfind(word) for word in CONJUNCTIONS)
    if conjunction > earliest:
        return conjunction
    space = text.rstrip().rfind(" ")
    if space > earliest:
        return space
    return 0 if unicodedata.combining(text[-1]) else len(text) - 1


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _weight(character: str) -> int:
    if not character.isalnum():
        return 0
    return WIDE_WEIGHT if _is_wide(character) else 1


def _weight_of(text: str) -> int:
    return sum(map(_weight, text))


def _can_be_heard(text: str) -> bool:
    return any(character.isalnum() for character in text)
