"""What a VoiceAgent is told, what it asks for, and what it tells everybody.

    told:    the user (SpeechStarted … TextInput), the jobs (TranscriptReady … StageFailed),
             the loudspeaker (PlayedTo, PlaybackFinished, PlaybackStopped)
    asks:    commands to the session (Transcribe, Respond, Synthesize, Play …)
    tells:   notices (StateChanged, UserSaid, TurnFinished …), and of the above ReplyDelta …

Values only. `turn_id` is the generation number: what carries an old one is dropped.
"""

from dataclasses import dataclass
from enum import Enum

from selftalk.stream.dialogue.conversation import Message, ToolCall
from selftalk.stream.dialogue.leading import Answer, SetManner, SpeechDiscarded, UtteranceGiven
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.speech import WordTime
from selftalk.stream.synthesis.styles import Style


class AgentState(Enum):
    """What the agent is doing."""

    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


class Stage(Enum):
    """Where a failure came from."""

    RECOGNIZER = "recognizer"
    RESPONDER = "responder"
    SYNTHESIZER = "synthesizer"
    PLAYBACK = "playback"


# --- told: the user ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechSuspected:
    """Perhaps the user begins to speak; or not, after all."""

    suspected: bool


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The user seems to speak."""

    at_samples: int


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """The user fell silent; this may be the end."""

    at_samples: int
    audio: AudioChunk
    """The utterance so far, 16 kHz."""


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """The pause was not the end."""

    at_samples: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The user has finished."""

    at_samples: int
    """Where the speech ended, not where that became certain."""
    audio: AudioChunk


@dataclass(frozen=True, slots=True)
class TextInput:
    """The user typed a message instead of speaking it."""

    text: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The user wants silence without saying so: a key, a client's cancel."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this, without asking the responder: a greeting, a notice."""

    text: str


# --- told: the jobs ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TranscriptReady:
    """A transcription is done; its text may be empty."""

    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """The next piece of the reply's text, in a style from here on if the mind asked for one."""

    turn_id: int
    text: str
    style: Style | None = None


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The responder wants a function to be called, and its result in the conversation."""

    turn_id: int
    call: ToolCall


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The responder has nothing more to say."""

    turn_id: int


@dataclass(frozen=True, slots=True)
class AudioReady:
    """The next piece of the reply's audio."""

    turn_id: int
    sentence: int
    audio: AudioChunk
    words: tuple[WordTime, ...] = ()
    """Timed from the start of the sentence."""


@dataclass(frozen=True, slots=True)
class SynthesisFinished:
    """All audio of a sentence is there."""

    turn_id: int
    sentence: int


@dataclass(frozen=True, slots=True)
class StageFailed:
    """A job ended with an error; `message` is one sentence for a person."""

    stage: Stage
    message: str
    turn_id: int = 0
    revision: int = 0


# --- told: the loudspeaker -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayedTo:
    """So much of the reply was heard so far."""

    turn_id: int
    played_samples: int


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """The last sample of the reply was heard."""

    turn_id: int


@dataclass(frozen=True, slots=True)
class PlaybackStopped:
    """Playback was cut, and so much of the reply was heard, fade included."""

    turn_id: int
    played_samples: int


# --- asks: commands to the session -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Recognise this."""

    revision: int
    audio: AudioChunk
    replaces: int = 0
    """The revision whose result is not wanted any more."""


@dataclass(frozen=True, slots=True)
class Respond:
    """Start a turn: ask the responder."""

    turn_id: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class StopResponding:
    """The reply is long enough: stop the responder, speak what there is."""

    turn_id: int


@dataclass(frozen=True, slots=True)
class Synthesize:
    """Speak a sentence, without a style as the voice was chosen; one at a time is under way."""

    turn_id: int
    sentence: int
    text: str
    style: Style | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """Send audio to the loudspeaker."""

    turn_id: int
    audio: AudioChunk


@dataclass(frozen=True, slots=True)
class FinishPlayback:
    """No more audio follows: report when the last sample was heard."""

    turn_id: int


@dataclass(frozen=True, slots=True)
class SetGain:
    """Lower the voice while the user may be speaking, or raise it again."""

    gain: float


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """Silence the reply at once and report how much of it was heard."""

    turn_id: int


@dataclass(frozen=True, slots=True)
class CancelTurn:
    """Stop every job of this turn."""

    turn_id: int


@dataclass(frozen=True, slots=True)
class EndTurn:
    """The turn is over and has no job left."""

    turn_id: int


# --- tells: notices to listeners -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The agent does something else now."""

    state: AgentState


@dataclass(frozen=True, slots=True)
class PartialTranscript:
    """What the user seems to have said so far; may still change."""

    text: str


@dataclass(frozen=True, slots=True)
class UserSaid:
    """What the user said."""

    text: str


@dataclass(frozen=True, slots=True)
class SpeechIgnored:
    """The user's sound was not answered, and why: nothing understood, echo, backchannel."""

    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """A reply is being made to this; `transcript` is empty if the agent speaks by itself."""

    turn_id: int
    transcript: str


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A sentence is going to be spoken."""

    turn_id: int
    sentence: int
    text: str


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The reply was spoken to its end."""

    turn_id: int
    transcript: str
    reply: str
    heard: str


@dataclass(frozen=True, slots=True)
class TurnCancelled:
    """The reply was cut off, by the user or by a failure; `heard` is what was heard of it."""

    turn_id: int
    transcript: str
    reply: str
    heard: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Something failed; the conversation goes on."""

    stage: Stage
    message: str


InputEvent = (
    SpeechSuspected
    | SpeechStarted
    | SpeechPaused
    | SpeechResumed
    | SpeechEnded
    | SpeechDiscarded
    | UtteranceGiven
    | TextInput
    | Answer
    | SetManner
    | Interrupt
    | Say
    | TranscriptReady
    | ReplyDelta
    | ToolCalled
    | ReplyFinished
    | AudioReady
    | SynthesisFinished
    | StageFailed
    | PlayedTo
    | PlaybackFinished
    | PlaybackStopped
)
Command = (
    Transcribe
    | Respond
    | StopResponding
    | Synthesize
    | Play
    | FinishPlayback
    | SetGain
    | StopPlayback
    | CancelTurn
    | EndTurn
)
Notice = (
    StateChanged
    | SpeechStarted
    | SpeechEnded
    | PartialTranscript
    | UserSaid
    | SpeechIgnored
    | TurnStarted
    | ReplyDelta
    | ToolCalled
    | SentenceReady
    | AudioReady
    | PlayedTo
    | TurnFinished
    | TurnCancelled
    | Failure
)
Output = Command | Notice
