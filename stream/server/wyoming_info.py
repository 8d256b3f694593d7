"""What a Wyoming server says about itself: programs, models, voices, languages."""

from importlib.metadata import version
from typing import Any

from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.models import model_names
from selftalk.stream.server.narration import synthesizer_of

ABOUT = {
    "attribution": {"name": "selftalk", "url": ""},
    "installed": True,
    "version": version("selftalk"),
}


def info(context: ServerContext) -> dict[str, Any]:
    """The data of an `info` event."""
    *_, recognizer = model_names(context)
    manifest = synthesizer_of(context).bundle.manifest
    voices = [
        {
            "name": name,
            "description": name,
            "languages": list(manifest.languages),
            "speakers": None,
            **ABOUT,
        }
        for name in context.voice_names()
    ]
    model = {
        "name": recognizer,
        "description": recognizer,
        "languages": [context.language],
        **ABOUT,
    }
    return {
        "asr": [
            {
                "name": "selftalk",
                "description": "hears",
                "models": [model],
                "supports_transcript_streaming": True,
                **ABOUT,
            }
        ],
        "tts": [
            {
                "name": "selftalk",
                "description": "speaks",
                "voices": voices,
                "supports_synthesize_streaming": True,
                **ABOUT,
            }
        ],
        **{kind: [] for kind in ("handle", "intent", "wake", "mic", "snd")},
    }
