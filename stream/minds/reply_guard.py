"""ReplyGuard: keeps a small model's reply short, in its role, and out of loops.

Of the first sentence it holds back a few words, of later ones the whole, because what was
given out is spoken and cannot be taken back. Knows nothing about models or prompts.
"""

import re
from collections.abc import Iterable

SOFT_LIMIT_WORDS = 24  # no further sentence is begun after so many
LIMIT_WORDS = 40
HELD_WORDS = 5  # the longest forbidden phrase, and enough to see that a reply repeats itself

SENTENCE_END = re.compile(r"[.!?…][\"'”’)]*(?=\s)|[。！？][”’」』）]*")
FORBIDDEN = re.compile(
    r"\b(an ai|helpful ai|as an? (ai|artificial|language|digital|machine|computer)"
    r"|(language|ai) (model|assistant)|artificial intelligence|smollm|hugging ?face"
    r"|i (can't|cannot|can not|am unable to) (assist|help|provide|fulfill)"
    r"|what('?s| is) your problem|i'?m (just|only) an? (ai|computer|program|machine|bot))\b"
    r"|作为(一个|一名)?(ai|人工智能|语言模型)|语言模型|人工智能助手",
    re.IGNORECASE,
)
SPEAKER_LABEL = re.compile(
    r"(?:^|\n)\s*(user|assistant|human|system|用户|助手)\s*[:：]", re.IGNORECASE
)
WORD = re.compile(r"[\w'’]+")
WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class ReplyGuard:
    """Lets the good part of one streamed reply through."""

    def __init__(
        self,
        said_before: Iterable[str] = (),
        *,
        opening: str = "",
        ends_at_question: bool = False,
        limit_words: int = LIMIT_WORDS,
        soft_limit_words: int = SOFT_LIMIT_WORDS,
    ) -> None:
        """Start a reply.

        Args:
            said_before: texts that the reply must not begin like (recent replies, the question).
            opening: what was said of the reply already, and counts, but is not repeated here.
            ends_at_question: whether the first real question ends the reply, as a listener's does.
            limit_words: never more words than these (two wide characters count as a word).
            soft_limit_words: no further sentence is begun after so many words.
        """
        self._openings = set(filter(None, map(_opening, said_before)))
        self._limit_words = limit_words
        self._soft_limit_words = soft_limit_words
        self._held = ""
        self._given = opening
        self._length_before = len(opening)
        self._ends_at_question = ends_at_question
        self.is_over = False
        """Whether nothing more will be let through: the model may stop."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was let through so far."""
        return len(self._given) == self._length_before

    def push(self, delta: str) -> str:
        """Add text of the model; return what may be spoken."""
        given = ""
        for character in delta:
            if self.is_over:
                break
            self._held += character
            given += self._step(character)
        return given

    def flush(self) -> str:
        """Return what is left; an unfinished sentence only if nothing else was said."""
        if self.is_over or self._is_bad(self._held):
            self.is_over = True
            return ""
        self.is_over = True
        complete = SENTENCE_END.search(self._held + " ") is not None
        begun = bool(self._given) and not _ends_sentence(self._given)
        unfinished = bool(self._given) and not (complete or begun)
        if unfinished or self._words_with(self._held) > self._limit_words:
            return ""
        return self._give(self._held.rstrip())

    def _step(self, character: str) -> str:
        if self.is_empty and not self._held.strip():
            self._held = ""
            return ""
        if not (character.isspace() or _is_wide(character) or character in "。！？"):
            return ""
        if character == "\n" or self._is_bad(self._held):
            return self._end(keep=not self._is_bad(self._held))
        end = _last_end(self._held)
        if end:
            return self._sentence(end)
        if self._words_with(self._held) > self._limit_words:
            return self._end(keep=False)
        if self._in_first_sentence and count_words(self._held) > HELD_WORDS:
            return self._give_all_but_held_words()
        return ""

    @property
    def _in_first_sentence(self) -> bool:
        return not _last_end(self._given + " ")

    def _sentence(self, end: int) -> str:
        sentence, rest = self._held[:end], self._held[end:]
        repeats = not self._in_first_sentence and _normal(sentence) in _normal(self._given)
        if repeats or self._words_with(sentence) > self._limit_words:
            return self._end(keep=False)
        self._held = rest
        given = self._give(sentence)
        asks = sentence.rstrip("\"'”’ ").endswith(("?", "？")) and count_words(sentence) > 2
        enough = count_words(self._given) >= self._soft_limit_words
        self.is_over = enough or (asks and self._ends_at_question)
        return given

    def _end(self, *, keep: bool) -> str:
        """Finish the reply, with or without what is held."""
        self.is_over = True
        kept = self._held.rstrip() if keep and count_words(self._held) else ""
        return self._give(kept) if self._words_with(kept) <= self._limit_words else ""

    def _give_all_but_held_words(self) -> str:
        starts = [match.start() for match in re.finditer(r"\S+", self._held)]
        if _is_wide(self._held[-1]):
            place = len(self._held) - HELD_WORDS
        else:
            place = starts[-HELD_WORDS] if len(starts) > HELD_WORDS else 0
        given, self._held = self._held[:place], self._held[place:]
        return self._give(given)

    def _give(self, text: str) -> str:
        if self.is_empty and self._given and text:
            text = " " + text
        self._given += text
        return text

    def _words_with(self, more: str) -> int:
        return count_words(self._given) + count_words(more)

    def _is_bad(self, held: str) -> bool:
        text = self._given[-40:] + held
        if FORBIDDEN.search(text) or SPEAKER_LABEL.search(text) or _loops(self._given + held):
            return True
        return self.is_empty and _opening(held) in self._openings


def _loops(text: str) -> bool:
    """Whether the last four words were said twice before."""
    words = WORD.findall(text.lower())
    grams = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    return bool(grams) and grams.count(grams[-1]) > 2


def _opening(text: str) -> str:
    """The first words of a text, by which repetitions are found; "" if it has too few."""
    words = WIDE.findall(text) or WORD.findall(text.lower())
    return " ".join(words[:HELD_WORDS]) if len(words) >= HELD_WORDS else ""


def _last_end(text: str) -> int:
    """Where the last whole sentence of a text ends; 0 if none does."""
    return max((match.end() for match in SENTENCE_END.finditer(text)), default=0)


def _ends_sentence(text: str) -> bool:
    return _last_end(text.rstrip() + " ") >= len(text.rstrip())


def _normal(text: str) -> str:
    return " ".join(WORD.findall(text.lower()))


def count_words(text: str) -> int:
    """The length of a text in words; two wide characters take as long as one."""
    wide = len(WIDE.findall(text))
    return (wide + 1) // 2 + len(WORD.findall(WIDE.sub(" ", text)))


def _is_wide(character: str) -> bool:
    return WIDE.fullmatch(character) is not None
