"""find_ollama: a server that is there, one that is not, and one that is something else."""

import asyncio
from typing import Any

import pytest
from fakes_chat import FakeChatServer

from selftalk.stream.minds.ollama import Ollama, find_ollama


def found(lists: dict[str, Any], status: int = 404) -> Ollama | None:
    async def run() -> Ollama | None:
        server = FakeChatServer(["no"], status=status, lists=lists)
        async with server.running():
            url = f"http://127.0.0.1:{server.port}"
            answer = await asyncio.to_thread(find_ollama, url, 5.0)
        assert answer is None or answer.base_url == f"{url}/v1"
        return answer

    return asyncio.run(run())


def models(*names: str) -> dict[str, Any]:
    return {"models": [{"name": name} for name in names]}


def test_a_loaded_model_comes_first_and_embeddings_never() -> None:
    lists = {
        "/api/tags": models(
            "nomic-embed-text:latest", "gpt-oss:120b-cloud", "qwen3:8b", "llama3:8b"
        ),
        "/api/ps": models("llama3:8b"),
    }
    ollama = found(lists)
    assert ollama is not None
    assert ollama.models == ("llama3:8b", "qwen3:8b")


@pytest.mark.parametrize(
    "lists",
    [
        {},
        {"/api/tags": models()},
        {"/api/tags": models("bge-m3")},
        {"/api/tags": {"models": "no list"}},
        {"/api/tags": ["something else"]},
    ],
)
def test_nothing_to_talk_with(lists: dict[str, Any]) -> None:
    assert found(lists) is None


def test_nobody_listens() -> None:
    assert find_ollama("http://127.0.0.1:1", 5.0) is None
