"""guess_language: which language a short text is in, by its script and commonest words.

Knows nothing about meaning; made for single spoken sentences.
"""

import re

# Cantonese writes these where Mandarin has other characters.
CANTONESE = re.compile("[嘅咗唔佢哋冇嚟啲咁嗰噉瞓攞喺睇]")

SCRIPTS = (
    ("ja", re.compile("[\u3041-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af\u1100-\u11ff]")),
    ("yue", CANTONESE),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
)

COMMON_WORDS = {
    "en": """the a i you is are am my me it that to of and in what do not i'm don't have was hi
        hello yes no thanks how why can feel so this for with""",
    "es": """el la los las que de no es un una mi me estoy soy tengo y en por qué cómo hola
        gracias muy yo con para pero sí""",
    "fr": """le la les je suis ne pas que de un une mon ma et est j'ai c'est très bonjour merci
        oui non pour avec mais vous tu au""",
    "de": """der die das ich bin nicht ist ein eine mein meine und zu es habe mir mich sehr hallo
        danke ja nein wie was mit aber auf""",
    "it": """il lo la gli che di non è un una mio mia sono ho e per ciao grazie molto sì con ma
        mi io come""",
    "pt": """o a os as que de não é um uma meu minha eu estou sou tenho e em por olá obrigado
        obrigada muito sim com mas""",
    "nl": """de het een ik ben niet is mijn en van dat heb je hallo dank ja nee met maar wat
        hoe""",
}
WORD_SETS = {language: frozenset(words.split()) for language, words in COMMON_WORDS.items()}
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def guess_language(text: str, default: str = "en") -> str:
    """Return the code of the most likely language, `default` if nothing speaks for any.

    A text in Latin letters counts as `default` unless another language is clearly ahead.
    """
    for language, script in SCRIPTS:
        if _dominates(script, text):
            return language
    words = [word.replace("’", "'") for word in WORD.findall(text.lower())]
    votes = {code: sum(word in known for word in words) for code, known in WORD_SETS.items()}
    best = max(votes, key=lambda code: votes[code])
    return best if votes[best] > votes.get(default, 0) else default


def _dominates(script: re.Pattern[str], text: str) -> bool:
    """Whether a script is there at all, and not just as one foreign word in a Latin sentence."""
    found = len(script.findall(text))
    return found > 0 and found * 2 >= len(WORD.findall(re.sub("[^\u0000-\u024f]", " ", text)))
