"""Mirror: a listener made of rules, which always works and needs nothing.

It says back what it heard and asks one question, comes back to what was said before, and
never uses the same words twice in a row. A reply depends only on the conversation and the
seed, so that a reply begun too early can be thrown away. Knows nothing about models.
"""

import hashlib
import re
import unicodedata
import zlib
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from itertools import product

from selftalk.stream.dialogue.conversation import Message
from selftalk.stream.minds.mirror_rules import RULED_LANGUAGES, Rule, Rules, load_rules
from selftalk.stream.minds.reply_guard import count_words
from selftalk.stream.minds.second_person import core, turn_around
from selftalk.stream.text.language_guess import guess_language

LIMIT_WORDS = 20
CATCH_WORDS = 7
MEMORY_WORDS = 9
ECHO_WORDS = 4
OPENING_WORDS = 3
RECENT_REPLIES = 6
"""A wording is not used again while it is among the last so many replies."""

# After these an earlier word of the user's is worth more than another question about nothing.
THIN_TOPICS = frozenset(["don't know", "yes", "no", "sound", "because", "opinion"])
# Nobody wants to hear of these again.
PASSING_TOPICS = frozenset(
    ["greeting", "goodbye", "thanks", "sorry", "request", "fact", "now", "number"]
)
PASSING_TOPICS |= frozenset(["crisis", "complaint", "you", "don't talk", "food", "help"])

FILLERS = re.compile(
    r"^(?:(?:well|um+|uh+|so|oh|hm+|honestly|actually|you know|look|like|and|but|嗯+|呃+|那个|其实)"
    r"[,，\s]+)+(?=\S)",
    re.IGNORECASE,
)
SENTENCES = re.compile(r"[.!?…。！？\n]+")
EMPTY_CATCHES = frozenset("it this that them him her you me us something anything one so".split())
SAID_EN = re.compile(r"\b(?:i|we|my) [^.!?;:,]+", re.IGNORECASE)
SAID_ZH = re.compile("(?:^|(?<=[，。！？,.!?\\s]))我[^。！？；：，,.!?;:\\s]{3,}")
ASKED = re.compile(r"[?？]|\b(?:do|can|will|would|should) (?:i|you)\b|吗$", re.IGNORECASE)


Openings = Mapping[str, Mapping[str, tuple[str, ...]]]


class Mirror:
    """The rule-based responder."""

    def __init__(self, seed: int = 0, openings: Openings | None = None) -> None:
        """Start a listener.

        Args:
            seed: another one, other words.
            openings: first sentences by language and topic, in the manner of a self.
        """
        self._seed = seed
        self._openings = openings or {}

    @classmethod
    def of_self(cls, name: str, openings: Openings) -> "Mirror":
        """The listener of a self: each has favourite words of its own."""
        return cls(zlib.crc32(name.encode()), openings)

    async def reply(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """Stream the reply to a conversation, in one piece."""
        yield self.answer(messages)

    async def warm_up(self) -> None:
        """Read and compile the rules of the languages that have some."""
        for language in RULED_LANGUAGES:
            load_rules(language)

    async def close(self) -> None:
        """Nothing to give back."""

    def answer(self, messages: Sequence[Message]) -> str:
        """Return the whole reply to a conversation."""
        said, fresh = _said(messages) or ["hello"], _Fresh(messages)
        listener = _Listener.of(said[-1], self._openings)
        for group in listener.candidates(said, fresh):
            if found := self._first(group, said, fresh):
                return found
        return min(listener.last_resort(said[-1]), key=fresh.age)

    def opening(self, messages: Sequence[Message]) -> str:
        """Return a first sentence that shows it was heard; "" where there is nothing to show."""
        said, fresh = _said(messages), _Fresh(messages)
        return (
            self._first(_Listener.of(said[-1], self._openings).openings(said[-1]), said, fresh)
            if said
            else ""
        )

    def question(self, messages: Sequence[Message]) -> str:
        """Return a question without a first sentence, for one that was already said."""
        said, fresh = _said(messages) or ["hello"], _Fresh(messages)
        listener = _Listener.of(said[-1], self._openings)
        asked = self._first(listener.questions(said[-1]), said, fresh)
        return asked or min(listener.last_resort(said[-1]), key=fresh.age)

    def _first(self, group: Iterable[str], said: Sequence[str], fresh: "_Fresh") -> str:
        ordered = sorted(group, key=lambda text: self._rank(text, said))
        return next(filter(fresh, ordered), "")

    def _rank(self, text: str, said: Sequence[str]) -> bytes:
        """A stable order that looks random and changes with every turn."""
        key = f"{self._seed}|{len(said)}|{said[-1]}|{text}".encode()
        return hashlib.blake2b(key, digest_size=8).digest()


def find_topic(text: str) -> str:
    """What a text is about, as far as the rules of its language tell; "" otherwise."""
    return _Listener.of(text, {}).topic(text)


def _said(messages: Sequence[Message]) -> list[str]:
    return [m.text for m in messages if m.role == "user" and m.text.strip()]


def is_crisis(text: str) -> bool:
    """Whether somebody may be speaking of harming themselves."""
    return any(
        rule.topic == "crisis" and _catch(rule, _clean(text)) is not None
        for language in RULED_LANGUAGES
        for rule in load_rules(language).rules[:1]
    )


class _Fresh:
    """Which wordings were not used lately."""

    def __init__(self, messages: Sequence[Message]) -> None:
        replies = [m.text for m in messages if m.role == "assistant"]
        self._recent = [_normal(reply) for reply in replies[-RECENT_REPLIES:]]
        self._openings = {_opening(reply) for reply in replies[-2:]}

    def __call__(self, text: str) -> bool:
        """Whether neither its sentences nor its first words were heard lately."""
        if count_words(text) > LIMIT_WORDS or _opening(text) in self._openings:
            return False
        last = [part for part in map(_normal, SENTENCES.split(text)) if part][-1:]
        return not any(map(self.was_said, last))

    def was_said(self, text: str) -> bool:
        """Whether a recent reply contains these words."""
        return any(_normal(text) in reply for reply in self._recent)

    def age(self, text: str) -> int:
        """The smaller, the longer ago; for when everything was used."""
        return max((i + 1 for i, r in enumerate(self._recent) if _normal(text) in r), default=0)


class _Listener:
    """Finds what could be answered in one language, best group first."""

    def __init__(self, language: str, rules: Rules, own: Mapping[str, tuple[str, ...]]) -> None:
        self._language = language
        self._rules = rules
        self._own = own

    @classmethod
    def of(cls, text: str, openings: Openings) -> "_Listener":
        """The listener for the language of a text."""
        foreign = any(character.isalpha() and not character.isascii() for character in text)
        language = guess_language(text, default="any" if foreign else "en")
        return cls(language, load_rules(language), openings.get(language, {}))

    def candidates(self, said: Sequence[str], fresh: _Fresh) -> Iterator[list[str]]:
        """Groups of replies to the last thing said."""
        text = _clean(said[-1])
        rule, caught = self._match(text)
        catch = self._said_back(caught)
        memories = list(self._memories(said, fresh))
        if rule is not None:
            questions = _filled(rule.questions, catch)
            openers = self._openers(rule, catch)
            yield [f"{opener}{self._gap}{ask}" for opener, ask in product(openers, questions)]
            yield questions + memories if rule.topic in THIN_TOPICS else questions
        elif echo := self._echo(text):
            yield _filled([t.replace("{words}", "{x}") for t in self._rules.echoes], echo)
        if rule is None or rule.topic != "crisis":
            yield self._any_question() + memories

    def topic(self, text: str) -> str:
        """The topic of the rule that answers; "" if none does."""
        rule, _ = self._match(_clean(text))
        return rule.topic if rule else ""

    def openings(self, text: str) -> list[str]:
        """First sentences for a feeling that was told."""
        rule, caught = self._match(_clean(text))
        return self._openers(rule, self._said_back(caught)) if rule else []

    def _openers(self, rule: Rule, catch: str) -> list[str]:
        return _filled(self._own.get(rule.topic, rule.openers), catch)

    def questions(self, text: str) -> list[str]:
        """Questions that fit what was said, with or without a first sentence before them."""
        rule, caught = self._match(_clean(text))
        return _filled(rule.questions, self._said_back(caught)) if rule else self._any_question()

    def last_resort(self, text: str) -> Sequence[str]:
        """What can be said when all that fits was said lately."""
        rule, _ = self._match(_clean(text))
        return rule.questions if rule and rule.topic == "crisis" else self._any_question()

    def _any_question(self) -> list[str]:
        return [*self._rules.questions, *_filled(self._rules.echoes, "")]

    @property
    def _gap(self) -> str:
        return "" if self._language == "zh" else " "

    def _match(self, text: str) -> tuple[Rule | None, str]:
        for rule in self._rules.rules:
            caught = _catch(rule, text)
            if caught is not None:
                return rule, caught
        return None, ""

    def _said_back(self, caught: str) -> str:
        """What a pattern caught, as it can be put into a template; "" if it had better not."""
        phrase = core(caught, self._language)
        if not phrase or phrase.lower() in EMPTY_CATCHES or count_words(phrase) > CATCH_WORDS:
            return ""
        return turn_around(phrase, self._language)

    def _echo(self, text: str) -> str:
        """The user's last words, for languages without rules."""
        if not self._rules.echoes:
            return ""
        last = [part.strip() for part in SENTENCES.split(text) if part.strip()][-1:]
        words = last[0].split() if last else []
        if len(words) <= 1:
            return "".join(words) if len("".join(words)) <= 12 else ""
        return " ".join(words[-ECHO_WORDS:])

    def _memories(self, said: Sequence[str], fresh: _Fresh) -> Iterator[str]:
        """What was said two turns ago or a little earlier, brought back."""
        pattern = SAID_ZH if self._language == "zh" else SAID_EN
        for earlier in reversed(said[:-2]):
            found = pattern.search(_clean(earlier))
            if not found or ASKED.search(earlier) or guess_language(earlier) != self._language:
                continue
            clause = core(found.group(), self._language)
            rule, _ = self._match(_clean(earlier))
            passing = rule is not None and rule.topic in PASSING_TOPICS
            memory = turn_around(clause, self._language)
            if (
                3 <= count_words(clause) <= MEMORY_WORDS
                and not passing
                and not fresh.was_said(memory)
            ):
                yield from (text.replace("{memory}", memory) for text in self._rules.memory)
                return


def _catch(rule: Rule, text: str) -> str | None:
    """What a rule's patterns caught in a text; None if they do not match."""
    sentences = [part.strip() for part in SENTENCES.split(text) if part.strip()]
    parts, plain = [text, *reversed(sentences)], re.sub(r"[,，、]\s*", " ", text)
    for pattern in rule.patterns:
        whole_only = pattern.pattern.startswith("^") and pattern.pattern.endswith("$")
        for part in [plain] if whole_only else parts:
            if found := pattern.search(part):
                return found.groupdict().get("x") or ""
    return None


def _filled(templates: Iterable[str], catch: str) -> list[str]:
    """The templates that can be filled."""
    filled = [t.replace("{x}", catch) for t in templates if catch or "{" not in t]
    return [text[:1].upper() + text[1:] for text in filled]


def _clean(text: str) -> str:
    """A text as the patterns expect it."""
    plain = unicodedata.normalize("NFC", text).replace("’", "'")
    # Braces are no speech, and would look like a template that was not filled.
    plain = re.sub(r"[\s{}]+", " ", plain).strip(' .!?…。！？,，;；:："“”')
    plain = FILLERS.sub("", plain)
    return re.sub(r"\b([Ii])'?m\b", r"\1 am", re.sub(r"\b([Ii])'ve\b", r"\1 have", plain))


def _normal(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _opening(text: str) -> str:
    words = re.findall(r"[\w']+", text.lower())
    return " ".join(words[:OPENING_WORDS]) if len(words) >= OPENING_WORDS else _normal(text)[:4]
