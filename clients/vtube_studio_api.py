"""VTube Studio's public API over a WebSocket: requests whose answer is awaited, and injections.

An injection is sent every 60th of a second, and its answer may take longer than that: so these
answers are read beside, by `follow`. Knows the messages of the API, and nothing about mouths.
"""

import itertools
import json
from collections.abc import Mapping
from typing import Any, Protocol

from selftalk.clients.failures import ClientError

PLUGIN = {"pluginName": "selftalk mouth", "pluginDeveloper": "selftalk"}
DENIED = 50
"""The number of the error when the user does not let a plugin in."""
NOT_ITSELF = -1  # our own number
MOST_UNANSWERED = 12
"""Injections on their way; beyond them VTube Studio is behind, and newer values serve it better."""


class VtubeStudioError(ClientError):
    """VTube Studio refused a request; the text is its own."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(f"VTube Studio: {message} (error {number})")
        self.number = number


class TextSocket(Protocol):
    """What is asked of a WebSocket."""

    async def send(self, message: str) -> None:
        """Send a text."""
        ...

    async def recv(self) -> str | bytes:
        """Wait for the next message."""
        ...


class VtubeStudioApi:
    """A connection to VTube Studio: first requests, one at a time; then injections."""

    def __init__(self, socket: TextSocket) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._unanswered = 0  # injections

    async def request(
        self, message_type: str, content: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask, and return the answer's data.

        Raises:
            VtubeStudioError: the request was refused.
        """
        request_id = await self._send(message_type, content)
        while True:
            answer = await self._receive()
            if answer.get("requestID") == request_id:  # events of the API have none of ours
                return answer.get("data") or {}

    async def _send(self, message_type: str, content: Mapping[str, Any] | None) -> str:
        request_id = f"selftalk-{next(self._numbers)}"
        envelope = {
            "apiName": "VTubeStudioPublicAPI",
            "apiVersion": "1.0",
            "requestID": request_id,
            "messageType": message_type,
            **({"data": content} if content is not None else {}),
        }
        await self._socket.send(json.dumps(envelope))
        return request_id

    async def _receive(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(await self._socket.recv())
            kind, told = answer["messageType"], answer.get("data") or {}
        except (ValueError, KeyError, TypeError):
            raise VtubeStudioError(NOT_ITSELF, "this is not VTube Studio's API") from None
        if kind == "APIError":
            raise VtubeStudioError(told.get("errorID", 0), told.get("message", "no reason given"))
        return answer

    async def authenticate(self, token: str) -> str:
        """Be let in; return the token to keep for the next time.

        Args:
            token: the one kept from before; "" asks the user, who has to answer a window.

        Raises:
            VtubeStudioError: the user said no.
        """
        if token and await self._accepts(token):
            return token
        asked = await self.request("AuthenticationTokenRequest", PLUGIN)
        token = str(asked["authenticationToken"])
        if not await self._accepts(token):
            raise VtubeStudioError(DENIED, "the new token was not accepted")
        return token

    async def _accepts(self, token: str) -> bool:
        answer = await self.request(
            "AuthenticationRequest", {**PLUGIN, "authenticationToken": token}
        )
        return bool(answer.get("authenticated"))

    async def parameters(self) -> set[str]:
        """The names of all input parameters; one unknown name spoils a whole injection."""
        told = await self.request("InputParameterListRequest")
        lists = [*told.get("defaultParameters", ()), *told.get("customParameters", ())]
        return {str(parameter["name"]) for parameter in lists}

    async def inject(self, values: Mapping[str, float]) -> None:
        """Set parameters; to be sent again at least once a second, or the face takes them back.

        Does not wait for the answer; while `follow` saw too few of them, nothing is sent.
        """
        if self._unanswered >= MOST_UNANSWERED:
            return
        self._unanswered += 1
        listed = [{"id": name, "value": round(value, 4)} for name, value in values.items()]
        await self._send(
            "InjectParameterDataRequest",
            {"faceFound": False, "mode": "set", "parameterValues": listed},
        )

    async def follow(self) -> None:
        """Read the answers to injections until one is a refusal.

        Raises:
            VtubeStudioError: another plugin holds a parameter, or the user takes leave back.
        """
        while True:
            answer = await self._receive()
            if answer["messageType"] == "InjectParameterDataResponse":
                self._unanswered -= 1
