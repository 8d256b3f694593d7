"""Every error a user can meet, as one tree.

SelftalkError
├── ConfigError        a setting is unknown, of the wrong type, or out of range
├── AudioFileError     an audio file cannot be read or written
├── DeviceError        no sound card, no PortAudio, or the device went away
├── WeightsError       a model file is missing, damaged, or refused
├── BundleError        an exported bundle does not fit this version or is damaged
├── VoiceError         a voice does not exist or its file is damaged
│   └── ConsentError   its owner's consent is missing, or was refused
│       └── MisheardError  other words than the sentence were understood: one may try again
├── LabelError         a label or the log of what was made cannot be written
├── TextError          a text cannot be spoken
├── RecognizerError    speech could not be transcribed
├── ResponderError     no reply could be had
├── SynthesisError     speech could not be generated
└── CheckpointError    a foreign checkpoint was refused

The message is one sentence for a person: what is wrong, where, and what is allowed.
The command line prints it and exits with 2; a traceback means a bug.
"""


class SelftalkError(Exception):
    """Base of all errors whose message is meant for the user."""


class ConfigError(SelftalkError, ValueError):
    """A setting is unknown, of the wrong type, or out of range."""


class AudioFileError(SelftalkError, ValueError):
    """An audio file cannot be read or written."""


class DeviceError(SelftalkError, RuntimeError):
    """No sound card, no PortAudio, or the device went away."""


class WeightsError(SelftalkError, RuntimeError):
    """A model file is missing, damaged, or refused."""


class BundleError(SelftalkError, ValueError):
    """An exported bundle does not fit this version or is damaged."""


class VoiceError(SelftalkError, ValueError):
    """A voice does not exist or its file is damaged."""


class ConsentError(VoiceError):
    """The consent of a voice's owner is missing, or was refused."""


class MisheardError(ConsentError):
    """Other words than the sentence of consent were understood; one may try again."""


class LabelError(SelftalkError, RuntimeError):
    """A label, or the log of what was made, cannot be written."""


class TextError(SelftalkError, ValueError):
    """A text cannot be spoken."""


class RecognizerError(SelftalkError, RuntimeError):
    """Speech could not be transcribed."""


class ResponderError(SelftalkError, RuntimeError):
    """No reply could be had."""


class SynthesisError(SelftalkError, RuntimeError):
    """Speech could not be generated."""


class CheckpointError(SelftalkError, ValueError):
    """A foreign checkpoint was refused."""
