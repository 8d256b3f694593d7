"""ChatClient: any OpenAI-compatible chat server as a responder (Ollama, llama.cpp, vLLM, cloud).

The reply is read as it is written; closing the stream closes the connection, and the server
stops. Knows nothing about audio, sentences, or which server it is.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx

from selftalk.stream.dialogue.conversation import Message
from selftalk.stream.errors import ResponderError
from selftalk.stream.minds.endpoint import Endpoint
from selftalk.stream.minds.pinned_transport import PinnedTransport
from selftalk.stream.minds.sse import EventStream
from selftalk.stream.selves import Self
from selftalk.stream.text.language_guess import guess_language

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 60.0  # a server may load its model before the first word
LONGEST_ERROR_CHARACTERS = 200
LISTED_MODELS = 8


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a call that the model asks for; pieces with one index belong together."""

    index: int
    call_id: str
    """Empty except in the first piece."""
    name: str
    """Empty except in the first piece."""
    arguments: str


@dataclass(frozen=True, slots=True)
class UsageDelta:
    """What a reply took, from servers that tell it without being asked."""

    read_tokens: int
    written_tokens: int


Delta = TextDelta | ToolCallDelta | UsageDelta


class ChatClient:
    """Asks one model of one server, in the role of one self."""

    def __init__(
        self,
        endpoint: Endpoint,
        self_: Self,
        *,
        model: str = "",
        temperature: float = 0.7,
        max_tokens: int = 300,
        extra: Mapping[str, Any] | None = None,
        preload: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Take note of a server; nothing is sent yet.

        Args:
            endpoint: where to ask.
            self_: the role to play.
            model: empty for the only one that the server has.
            temperature: of the sampling, unless the self has its own.
            max_tokens: of a reply.
            extra: further fields of each request, which only this server knows.
            preload: let `warm_up` ask for one token, so that the server loads the model.
            transport: how to connect (for tests).
        """
        self._endpoint = endpoint
        self._self = self_
        self._model = model
        self._temperature = temperature if self_.temperature is None else self_.temperature
        self._max_tokens = max_tokens
        self._extra = dict(extra or {})
        self._preload = preload
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def reply(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """Stream the text of a reply.

        Raises:
            ResponderError: the server cannot be reached, refuses, or breaks off.
        """
        async with aclosing(self.stream(messages)) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    yield delta.text

    async def stream(
        self,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        options: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Stream a reply with the tool calls in it.

        Args:
            messages: the conversation; a system message of its own replaces the self's.
            tools: function descriptions as the chat API wants them.
            options: further fields of this request, such as `tool_choice`.

        Raises:
            ResponderError: the server cannot be reached, refuses, or breaks off.
        """
        request = self._request(messages, await self._model_name()) | dict(options or {})
        if tools:
            request["tools"] = list(tools)
        async with aclosing(self._ask(request)) as deltas:
            async for delta in deltas:
                yield delta

    async def warm_up(self) -> None:
        """Connect, find the model, and let the server load it if that was wanted.

        Raises:
            ResponderError: the server cannot be reached or has no such model.
        """
        model = await self._model_name()
        if self._preload:
            request = self._request([Message("user", "Hi.")], model) | {"max_tokens": 1}
            async with aclosing(self._ask(request)) as deltas:
                async for _ in deltas:
                    pass

    async def close(self) -> None:
        """Close the connections that were kept open."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _ask(self, request: dict[str, Any]) -> AsyncGenerator[Delta, None]:
        events = EventStream()
        with self._errors_named():
            async with self._opened().stream("POST", "chat/completions", json=request) as response:
                await self._check_status(response)
                async for content in response.aiter_bytes():
                    for event in events.push(content):
                        for delta in self._deltas(event):
                            yield delta
                for event in events.flush():
                    for delta in self._deltas(event):
                        yield delta

    def _request(self, messages: Sequence[Message], model: str) -> dict[str, Any]:
        said = [_chat_message(message) for message in messages]
        if not any(m.role == "system" for m in messages):
            last = messages[-1].text if messages else ""
            system = self._self.instructions(examples_in=guess_language(last))
            said.insert(0, {"role": "system", "content": system})
        return {
            "model": model,
            "messages": said,
            "stream": True,
            "temperature": self._temperature,
            "max_tokens": self._max_tokens,
            **self._extra,
        }

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            key = self._endpoint.key
            self._client = httpx.AsyncClient(
                base_url=self._endpoint.base_url,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
                transport=self._transport or PinnedTransport(),
                follow_redirects=False,
                trust_env=False,
            )
        return self._client

    async def _model_name(self) -> str:
        """The chosen model, or the only one there is."""
        if not self._model:
            with self._errors_named():
                response = await self._opened().get("models")
                await self._check_status(response)
                names = _model_names(response.content)
            if len(names) != 1:
                listed = ", ".join(names[:LISTED_MODELS]) or "none"
                raise ResponderError(f"choose a model of {self._where}: it has {listed}")
            self._model = names[0]
        return self._model

    @property
    def _where(self) -> str:
        return self._endpoint.base_url

    def _deltas(self, event: str) -> list[Delta]:
        if event.strip() in ("", "[DONE]"):
            return []
        try:
            chunk = json.loads(event)
            if error := chunk.get("error"):
                raise ResponderError(f"{self._where} broke off: {self._quoted(error)}")
            choices = chunk.get("choices") or []
            deltas = [delta for choice in choices for delta in _parts(choice.get("delta") or {})]
            return [*deltas, *_usage(chunk.get("usage") or {})]
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            raise ResponderError(f"{self._where} does not answer as a chat server does") from error

    async def _check_status(self, response: httpx.Response) -> None:
        code = response.status_code
        if code == httpx.codes.OK:
            return
        if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise ResponderError(f"{self._where} wants a valid key ({code})")
        if response.is_redirect:
            raise ResponderError(f"{self._where} redirects elsewhere, which is not followed")
        detail = self._quoted(await _read_some(response))
        if code == httpx.codes.NOT_FOUND:
            raise ResponderError(f"{self._where} has no chat or no model '{self._model}': {detail}")
        raise ResponderError(f"{self._where} answered {code}: {detail}")

    def _quoted(self, error: Any) -> str:
        """What a server says about an error, short, on one line, and without the key."""
        text = error.get("message", error) if isinstance(error, dict) else error
        line = " ".join(str(text).split())
        if self._endpoint.key:
            line = line.replace(self._endpoint.key, "…")
        return line[:LONGEST_ERROR_CHARACTERS] or "nothing said"

    def _errors_named(self) -> "_ErrorsNamed":
        return _ErrorsNamed(self._where)


class _ErrorsNamed:
    """Turns what httpx raises into one sentence."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            raise ResponderError(f"no chat server answers at {self._where}") from error
        if isinstance(error, httpx.TimeoutException):
            raise ResponderError(f"{self._where} did not answer in time") from error
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL):
            kind_of_error = type(error).__name__
            raise ResponderError(f"{self._where} broke off ({kind_of_error})") from error


def _chat_message(message: Message) -> dict[str, Any]:
    """A message as the chat API wants it."""
    said: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.call_id:
        said["tool_call_id"] = message.call_id
    if message.calls:
        said["tool_calls"] = [
            {
                "id": call.call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.calls
        ]
    return said


def _parts(delta: Mapping[str, Any]) -> list[Delta]:
    parts: list[Delta] = []
    if isinstance(text := delta.get("content"), str) and text:
        parts.append(TextDelta(text))
    for call in delta.get("tool_calls") or []:
        function = call.get("function") or {}
        parts.append(
            ToolCallDelta(
                int(call.get("index", 0)),
                str(call.get("id") or ""),
                str(function.get("name") or ""),
                str(function.get("arguments") or ""),
            )
        )
    return parts


async def _read_some(response: httpx.Response) -> Any:
    """The beginning of an error's body; its `error` if it is JSON."""
    content = b""
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > 1 << 14:
            break
    try:
        body = json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")
    return body.get("error", body) if isinstance(body, dict) else body


def _model_names(content: bytes) -> list[str]:
    try:
        return [str(model["id"]) for model in json.loads(content)["data"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ResponderError("the list of models is not one") from error


def _usage(told: Mapping[str, Any]) -> list[Delta]:
    read, written = told.get("prompt_tokens"), told.get("completion_tokens")
    if isinstance(read, int) and isinstance(written, int):
        return [UsageDelta(read, written)]
    return []
