"""Which words of a reply are stage directions: "*smiles warmly*", "(laughs)", "（微笑）".

Knows nothing about the marks around them.
"""

ACTIONS_TEXT = """
    beams blinks blushes bows chuckles claps clears coughs cries exhales frowns gasps giggles
    grins hugs inhales laughs leans listens looks nods pauses pats ponders raises reaches
    shakes shrugs sighs sits smiles smirks sniffs squeezes stares takes tilts thinks waves
    whispers winks yawns laugh laughing laughter pause sigh sighing smile smiling giggle
    giggling chuckle chuckling nodding whispering gently softly warmly quietly
"""
NOT_ACTIONS_TEXT = "always does hers its perhaps sometimes this thus thing things was"
ACTIONS_ZH_TEXT = """
    微笑 笑 轻笑 大笑 苦笑 叹气 叹了 叹息 轻叹 点头 点点头 点了 摇头 眨眼 眨了 挥手 拥抱 抱抱 抱住
    沉默 停顿 咳 皱眉 思考 沉思 歪头 歪着 拍拍 轻轻 温柔 小声 耸肩 鼓掌 哭
"""

ACTIONS = frozenset(ACTIONS_TEXT.split())
NOT_ACTIONS = frozenset(NOT_ACTIONS_TEXT.split())
ACTIONS_ZH = tuple(ACTIONS_ZH_TEXT.split())


def is_action(word: str, *, loose: bool = False) -> bool:
    """Whether an English stage direction may begin with this word.

    Args:
        word: letters only.
        loose: any lower-case verb form will do, not only the known ones.
    """
    lowered = word.lower()
    if lowered in ACTIONS:
        return True
    verb_form = len(word) > 3 and word.islower() and word.endswith(("s", "ing"))
    return loose and verb_form and lowered not in NOT_ACTIONS


def is_action_zh(text: str) -> bool:
    """Whether a Chinese stage direction begins here."""
    return text.startswith(ACTIONS_ZH)


def first_word(text: str) -> str:
    """The letters that a text begins with."""
    for position, character in enumerate(text):
        if not character.isalpha():
            return text[:position]
    return text
