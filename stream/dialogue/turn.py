"""Turn: one reply in the making, from the first delta of its text to its last sample heard.

Knows nothing about the user, about other turns, and about who does the work.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from selftalk.stream.dialogue.events import AudioReady, ToolCalled
from selftalk.stream.dialogue.reply import Reply
from selftalk.stream.synthesis.styles import Style


class Splitter(Protocol):
    """Cuts streamed text into pieces that can be spoken."""

    def push(self, delta: str) -> list[str]:
        """Add text; return the pieces that are now complete."""
        ...

    def cut(self) -> list[str]:
        """Return what was said so far as a piece of its own; the reply goes on."""
        ...

    def flush(self) -> list[str]:
        """Return the last piece, if there is one."""
        ...


MakeSplitter = Callable[[], Splitter]


@dataclass(slots=True)
class Turn:
    """What is known of a reply; the agent decides, this remembers."""

    turn_id: int
    transcript: str
    """What it answers; empty if the agent speaks by itself."""
    splitter: Splitter
    aside: bool = False
    """Whether it only reports a fault of ours."""
    voiced: bool = True
    """Whether it is spoken, or only written."""
    speculative: bool = False
    """Whether it was begun before the user had finished."""
    resumes: int = 0
    """How often this reply was taken up again after a false alarm."""
    committed: bool = False
    """Whether the user has finished, so that the reply may be heard."""
    cut: bool = False
    """Whether the listener broke in."""
    failed: bool = False
    """Whether a sentence of it could not be synthesised."""
    playing: bool = False
    text_finished: bool = False
    progress_at: int = 0
    """When the reply last came forward, in samples of the agent's clock."""
    text: str = ""
    calls: list[ToolCalled] = field(default_factory=list)
    reply: Reply = field(default_factory=Reply)
    held: list[AudioReady] = field(default_factory=list)
    in_synthesis: int | None = None
    playback_closed: bool = False
    style: Style | None = None
    """Of the sentences to come, if the mind asked for one."""
    _waiting: deque[int] = field(default_factory=deque)
    _sentences: list[str] = field(default_factory=list)
    _styles: list[Style | None] = field(default_factory=list)

    @property
    def sentences(self) -> Sequence[str]:
        """The speakable pieces so far."""
        return self._sentences

    @property
    def spoken_out(self) -> bool:
        """Whether all audio of the reply was generated."""
        return self.text_finished and self.in_synthesis is None and not self._waiting

    @property
    def waits_for_playback(self) -> bool:
        """Whether audio was sent to the loudspeaker and not heard yet."""
        return self.playing and self.reply.played_samples < self.reply.samples

    def push_text(self, delta: str, style: Style | None = None) -> list[int]:
        """Add a delta, in a style from here on; return the indices of sentences now complete."""
        before = [] if style is None else self.add_sentences(self.splitter.cut())
        self.style = style or self.style
        self.text += delta
        return before + self.add_sentences(self.splitter.push(delta))

    def finish_text(self) -> list[int]:
        """Say that the text is complete; return the index of its last sentence, if any is left."""
        self.text_finished = True
        return self.add_sentences(self.splitter.flush())

    def add_sentences(self, sentences: Sequence[str]) -> list[int]:
        """Queue sentences for synthesis; return their indices."""
        indices = [self.reply.add_sentence(sentence) for sentence in sentences]
        self._sentences.extend(sentences)
        self._styles += [self.style] * len(sentences)
        if self.voiced:
            self._waiting.extend(indices)
        return indices

    def take_sentence(self) -> tuple[int, str, Style | None] | None:
        """Return the sentence to be synthesised next and its style; None while one is under way."""
        if self.in_synthesis is not None or not self._waiting:
            return None
        index = self.in_synthesis = self._waiting.popleft()
        return index, self._sentences[index], self._styles[index]

    def style_of(self, index: int) -> Style | None:
        """In which style a sentence is said."""
        return self._styles[index]

    def finish_sentence(self, index: int) -> None:
        """Say that a sentence has all its audio, or will never have any."""
        self.reply.finish_sentence(index)
        if self.in_synthesis == index:
            self.in_synthesis = None
