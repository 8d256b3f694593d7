"""All events that a server sends."""

from selftalk.stream.protocol.reply_events import (
    ContentPartAdded,
    ContentPartDone,
    FunctionCallArgumentsDelta,
    FunctionCallArgumentsDone,
    InputTokens,
    OutputAudioDelta,
    OutputAudioDone,
    OutputAudioTranscriptDelta,
    OutputAudioTranscriptDone,
    OutputItemAdded,
    OutputItemDone,
    OutputTextDelta,
    OutputTextDone,
    OutputTokens,
    PartBase,
    Response,
    ResponseAudio,
    ResponseAudioOutput,
    ResponseCreated,
    ResponseDone,
    StatusDetails,
    StatusError,
    Usage,
    Word,
)
from selftalk.stream.protocol.session_events import (
    Cleared,
    Committed,
    DurationUsage,
    Error,
    ErrorDetails,
    IgnoredEvent,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    ItemRetrieved,
    ItemTruncated,
    PartialEvent,
    ResumedEvent,
    ServerBase,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    StateEvent,
    TimeoutTriggered,
    TranscriptionCompleted,
    TranscriptionDelta,
    TranscriptionFailed,
    TurnReported,
)

ServerEvent = (
    SessionCreated
    | SessionUpdated
    | Error
    | SpeechStarted
    | SpeechStopped
    | Committed
    | Cleared
    | TimeoutTriggered
    | TranscriptionDelta
    | TranscriptionCompleted
    | TranscriptionFailed
    | ItemAdded
    | ItemDone
    | ItemRetrieved
    | ItemDeleted
    | ItemTruncated
    | ResponseCreated
    | ResponseDone
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | OutputAudioDelta
    | OutputAudioDone
    | OutputAudioTranscriptDelta
    | OutputAudioTranscriptDone
    | OutputTextDelta
    | OutputTextDone
    | FunctionCallArgumentsDelta
    | FunctionCallArgumentsDone
    | StateEvent
    | PartialEvent
    | IgnoredEvent
    | TurnReported
    | ResumedEvent
)

__all__ = [
    "Cleared",
    "Committed",
    "ContentPartAdded",
    "ContentPartDone",
    "DurationUsage",
    "Error",
    "ErrorDetails",
    "FunctionCallArgumentsDelta",
    "FunctionCallArgumentsDone",
    "IgnoredEvent",
    "InputTokens",
    "ItemAdded",
    "ItemDeleted",
    "ItemDone",
    "ItemRetrieved",
    "ItemTruncated",
    "OutputAudioDelta",
    "OutputAudioDone",
    "OutputAudioTranscriptDelta",
    "OutputAudioTranscriptDone",
    "OutputItemAdded",
    "OutputItemDone",
    "OutputTextDelta",
    "OutputTextDone",
    "OutputTokens",
    "PartBase",
    "PartialEvent",
    "Response",
    "ResponseAudio",
    "ResponseAudioOutput",
    "ResponseCreated",
    "ResponseDone",
    "ResumedEvent",
    "ServerBase",
    "ServerEvent",
    "SessionCreated",
    "SessionUpdated",
    "SpeechStarted",
    "SpeechStopped",
    "StateEvent",
    "StatusDetails",
    "StatusError",
    "TimeoutTriggered",
    "TranscriptionCompleted",
    "TranscriptionDelta",
    "TranscriptionFailed",
    "TurnReported",
    "Usage",
    "Word",
]
