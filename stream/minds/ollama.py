"""Finds an Ollama that runs on this machine, and which of its models to talk with.

Knows nothing about chats: those go through its OpenAI-compatible part.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

OLLAMA_URL = "http://127.0.0.1:11434"
PROBE_SECONDS = 0.3
LARGEST_LIST_BYTES = 1 << 20

# Switches off the thoughts of reasoning models: nobody waits half a minute for a spoken reply.
OLLAMA_EXTRA: Mapping[str, Any] = {"reasoning_effort": "none"}
NOT_TALKING = ("embed", "bert", "minilm", "bge", "rerank", "ocr")


@dataclass(frozen=True, slots=True)
class Ollama:
    """A running Ollama."""

    base_url: str
    """Of its OpenAI-compatible part."""
    models: tuple[str, ...]
    """Those that can talk, the best choice first: one that is loaded, else the newest."""


def find_ollama(url: str = OLLAMA_URL, timeout_seconds: float = PROBE_SECONDS) -> Ollama | None:
    """Return the Ollama of this machine; None if none runs or it has nothing to talk with."""
    try:
        with httpx.Client(timeout=timeout_seconds, trust_env=False) as client:
            installed = _names(client.get(f"{url}/api/tags"))
            loaded = _names(client.get(f"{url}/api/ps")) if installed else []
    except httpx.HTTPError:
        return None
    models = [name for name in dict.fromkeys([*loaded, *installed]) if _talks(name)]
    return Ollama(f"{url}/v1", tuple(models)) if models else None


def _names(response: httpx.Response) -> list[str]:
    if response.status_code != httpx.codes.OK or len(response.content) > LARGEST_LIST_BYTES:
        return []
    try:
        return [str(model["name"]) for model in json.loads(response.content)["models"]]
    except (ValueError, KeyError, TypeError):
        return []


def _talks(name: str) -> bool:
    return not any(word in name.lower() for word in NOT_TALKING) and not _is_remote(name)


def _is_remote(name: str) -> bool:
    """Whether Ollama would send the chat to its own servers: never without being asked."""
    return name.lower().endswith(("-cloud", ":cloud"))
