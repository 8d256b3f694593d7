"""Clip: of a recording of any length the seconds a voice is made of, and what is said in them."""

from collections.abc import Callable
from dataclasses import dataclass

from selftalk.stream.errors import SelftalkError
from selftalk.stream.listening.passage import passage_of
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.excerpt import best_excerpt

Hear = Callable[[AudioChunk], str]
"""Writes down what is said."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What a reference is made of."""

    audio: AudioChunk
    text: str
    """What is said in it; nothing where that cannot be known."""
    remark: str = ""
    """What was done to get it, in a sentence."""


def best_clip(recording: AudioChunk, text: str, hear: Hear) -> Clip:
    """The best seconds of a recording with their words.

    Args:
        recording: of one person.
        text: what is said in all of it, if that is known.
        hear: asked where the text is not known, or is of more than the excerpt.
    """
    audio = best_excerpt(recording)
    text = text.strip()
    if audio is recording and text:
        return Clip(audio, text)
    chosen = "" if audio is recording else f"the best {audio.duration_seconds:.1f} s were chosen; "
    try:
        heard = hear(audio).strip()
    except SelftalkError as error:
        return Clip(audio, "", f"{chosen}what is said in them is not known: {error}")
    if not text:
        return Clip(audio, heard, f"{chosen}heard: '{heard}'; if that is wrong, give --text")
    passage = passage_of(text, heard)
    if passage:
        return Clip(audio, passage, f"{chosen}of the text: '{passage}'")
    return Clip(audio, heard, f"{chosen}heard: '{heard}', which is nowhere in the text")
