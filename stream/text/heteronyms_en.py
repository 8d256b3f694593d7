"""English words that are spelled alike and said differently, told apart by their neighbours.

I read it yesterday, a live stream, to record a record. A few words on each side decide, without a
parser. Knows nothing about phonemes beyond choosing among the dictionary's own pronunciations.
"""

from collections.abc import Callable, Mapping, Sequence

Arpabet = tuple[str, ...]
Lexicon = Mapping[str, Arpabet]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Nouns stress the first syllable, verbs the last: a RECord, to reCORD.
_STRESS_PAIRS = _words(
    "address attribute combat combine commune compact compound compress conduct confine conflict "
    "conscript console construct consult contest contract contrast converse convert convict defect "
    "desert detail digest discount escort exploit export extract implant import incense increase "
    "decrease insert insult intrigue invalid object permit pervert present produce progress "
    "project protest rebel recall record refund refuse reject relay research resume retard segment "
    "subject survey suspect torment transfer transport update upset impact concert"
)
_ATE_WORDS = _words(
    "advocate aggregate alternate appropriate approximate articulate associate coordinate delegate "
    "deliberate duplicate elaborate estimate graduate initiate intimate moderate separate "
    "subordinate"
)
_VOICED_VERBS = _words("use abuse excuse house")
# Said as the verb unless something marks a noun.
_MOSTLY_VERBS = _words(
    "combine confine construct consult convert exploit extract insert permit pervert produce "
    "recall refuse reject relay resume transfer use"
)

_TO = _words("to not never always often usually also please let's")
_MODALS = _words(
    "will would can could should shall may might must don't didn't doesn't won't wouldn't can't "
    "cannot couldn't shouldn't i'll you'll he'll she'll we'll they'll it'll i'd you'd we'd they'd "
    "do did does let"
)
_SUBJECTS = _words("i you we they who")
_SINGULAR_SUBJECTS = _words("he she it who that which this")
_BEFORE_VERBS = _TO | _MODALS | _SUBJECTS
_DETERMINERS = _words(
    "the a an this that these those my your his her its our their whose no any some each every of "
    "in on for with by at from about new old good bad great big small first last next current "
    "personal own more most much many several two three four five what which such another other "
    "same best fresh local clear direct public world only"
)
_OBJECTS = _words("the a an this that these those my your his her its our their it them me us him")
_BE = _words("am is are was were be been being i'm you're we're they're he's she's it's")
_PERFECT = _words(
    "have has had having i've you've we've they've he'd she'd been be was were is are"
)
_PAST_TIME = _words("yesterday ago last earlier previously once already")
_ON_AIR = _words(
    "music stream streaming streams show shows concert demo broadcast event events performance "
    "audience chat tv television coverage session updates video from band feed call recording "
    "version view wire"
)


class _Place:
    """A word among its neighbours, all in lower case."""

    def __init__(self, words: Sequence[str], at: int) -> None:
        self.words = [word.lower() for word in words]
        self.at = at
        self.written = words[at]
        self.before, self.after = self.near(-1), self.near(1)

    def near(self, offset: int) -> str:
        place = self.at + offset
        return self.words[place] if 0 <= place < len(self.words) else ""

    def is_verb(self, *, plural: bool = False) -> bool | None:
        """Whether the word stands as a verb; None where nothing tells."""
        if plural:
            told = self.before in _SINGULAR_SUBJECTS and self.after not in ("", ".")
            return True if told else None
        if self.before in _BEFORE_VERBS:
            return not (self.before == "to" and self.near(-2) in ("according", "due", "access"))
        if self.before in _DETERMINERS or self.before.endswith("'s"):
            return False
        starts = self.before in ("", "and", "then", "or", "but", *",.?!…-")
        return True if starts and self.after in _OBJECTS else None


def choose(words: Sequence[str], at: int, lexicon: Lexicon) -> Arpabet | None:
    """The pronunciation that fits here, or None if the word is no heteronym.

    Args:
        words: The spoken words as written; marks are one of ``,.?!…-``.
        at: Which of them.
        lexicon: Pronunciations by lower-case word; variants as ``word(2)``.
    """
    word = words[at].lower()
    special = _SPECIAL.get(word)
    if special is not None:
        return tuple(special(_Place(words, at)).split())
    plural = word.endswith("s") and word.removesuffix("s") in _PAIRS
    base = word.removesuffix("s") if plural else word
    if base not in _PAIRS:
        return None
    variants = _variants(word, lexicon)
    if len(variants) < 2:
        return None
    verb = _Place(words, at).is_verb(plural=plural)
    return _variant(base, variants, verb=base in _MOSTLY_VERBS if verb is None else verb)


_PAIRS = _STRESS_PAIRS | _ATE_WORDS | _VOICED_VERBS


def _variants(word: str, lexicon: Lexicon) -> list[Arpabet]:
    names = [word, *(f"{word}({number})" for number in range(2, 6))]
    return [lexicon[name] for name in names if name in lexicon]


def _variant(base: str, variants: list[Arpabet], *, verb: bool) -> Arpabet:
    if base in _STRESS_PAIRS:
        return (max if verb else min)(variants, key=_stressed_at)
    if base in _ATE_WORDS:
        return next((v for v in variants if ("EY2" in v) == verb), variants[0])
    return next((v for v in variants if ("Z" in v[-2:]) == verb), variants[0])


def _stressed_at(variant: Arpabet) -> int:
    vowels = [symbol for symbol in variant if symbol[-1].isdigit()]
    return next((index for index, symbol in enumerate(vowels) if symbol.endswith("1")), 0)


def _read(place: _Place) -> str:
    if place.before in _TO | _MODALS:
        return "R IY1 D"
    nearby = {place.near(-3), place.near(-2), place.before}
    past = nearby & _PERFECT or place.before in ("he", "she", "it")
    return "R EH1 D" if past or _PAST_TIME & set(place.words) else "R IY1 D"


def _live(place: _Place) -> str:
    if place.before in _BEFORE_VERBS:
        return "L IH1 V"
    on_air = place.after in _ON_AIR or place.before in _words(
        "go going went goes gone streamed streaming performed now a the our this your"
    )
    on_air = on_air or (place.before in _BE and place.after != "in")
    return "L AY1 V" if on_air else "L IH1 V"


def _lives(place: _Place) -> str:
    noun = place.before in _DETERMINERS | _words("save saved saves lost human people's")
    return "L AY1 V Z" if noun else "L IH1 V Z"


def _lead(place: _Place) -> str:
    metal = place.after in _words("pipe pipes paint poisoning acid battery batteries bullet")
    return "L EH1 D" if metal or place.before in ("contains", "contain", "molten") else "L IY1 D"


def _wind(place: _Place) -> str:
    turned = place.before in _BEFORE_VERBS or place.after in ("up", "down")
    return "W AY1 N D" if turned else "W IH1 N D"


def _tear(place: _Place) -> str:
    ripped = place.before in _TO | _MODALS or (place.near(-2), place.before) == ("wear", "and")
    ripped = ripped or place.after in _OBJECTS | _words("up down apart off out through into away")
    return "T EH1 R" if ripped else "T IH1 R"


def _tears(place: _Place) -> str:
    return "T EH1 R Z" if place.before in _SINGULAR_SUBJECTS else "T IH1 R Z"


def _close(place: _Place) -> str:
    if place.after in _words("to by friend friends enough relationship together range call"):
        return "K L OW1 S"
    shut = place.is_verb() or (place.after in _OBJECTS and place.before not in _BE | {"so", "too"})
    return "K L OW1 Z" if shut else "K L OW1 S"


def _bass(place: _Place) -> str:
    nearby = {place.near(offset) for offset in (-2, -1, 1, 2)}
    fish = nearby & _words("fish fishing sea largemouth caught catch lake striped")
    return "B AE1 S" if fish else "B EY1 S"


def _bow(place: _Place) -> str:
    bent = place.before in _BEFORE_VERBS | {"ship's"} or place.after in ("down", "before")
    return "B AW1" if bent or place.near(-2) in ("take", "took") else "B OW1"


def _wound(place: _Place) -> str:
    return "W AW1 N D" if place.after in _words("up down around through") else "W UW1 N D"


def _dove(place: _Place) -> str:
    return "D OW1 V" if place.after in _words("into in deep off down right") else "D AH1 V"


def _minute(place: _Place) -> str:
    tiny = place.after in _words("details detail amounts amount differences particles")
    return "M AY0 N UW1 T" if tiny else "M IH1 N AH0 T"


def _polish(place: _Place) -> str:
    people = place.written[0].isupper() and (place.at > 0 or place.after not in _OBJECTS)
    return "P OW1 L IH0 SH" if people else "P AA1 L IH0 SH"


def _used(place: _Place) -> str:
    following = place.near(2)
    employed = place.before in _BE and following not in _OBJECTS and following[-3:] != "ing"
    return "Y UW1 S T" if place.after == "to" and not employed else "Y UW1 Z D"


def _content(place: _Place) -> str:
    pleased = place.before in _BE | _words("feel felt quite very perfectly")
    pleased = pleased and place.after in ("with", "to", "and", "", ".", ",", "!")
    return "K AH0 N T EH1 N T" if pleased else "K AA1 N T EH0 N T"


def _perfect(place: _Place) -> str:
    verb = place.is_verb() and place.before not in ("not", "always", "also")
    return "P ER0 F EH1 K T" if verb else "P ER1 F IH0 K T"


_SPECIAL: dict[str, Callable[[_Place], str]] = {
    "bass": _bass,
    "bow": _bow,
    "close": _close,
    "content": _content,
    "dove": _dove,
    "lead": _lead,
    "live": _live,
    "lives": _lives,
    "minute": _minute,
    "perfect": _perfect,
    "polish": _polish,
    "read": _read,
    "tear": _tear,
    "tears": _tears,
    "used": _used,
    "wind": _wind,
    "wound": _wound,
}
