"""VTube Studio's public API: one request, one answer, over a WebSocket.

Knows the messages of the API, and nothing about mouths.
"""

import itertools
import json
from collections.abc import Mapping
from typing import Any, Protocol

PLUGIN = {"pluginName": "selftalk mouth", "pluginDeveloper": "selftalk"}
DENIED = 50
"""The number of the error when the user does not let a plugin in."""


class VtubeStudioError(Exception):
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
    """A connection to VTube Studio; one request at a time."""

    def __init__(self, socket: TextSocket) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def request(
        self, message_type: str, content: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask, and return the answer's data.

        Raises:
            VtubeStudioError: the request was refused.
        """
        request_id = f"selftalk-{next(self._numbers)}"
        envelope = {
            "apiName": "VTubeStudioPublicAPI",
            "apiVersion": "1.0",
            "requestID": request_id,
            "messageType": message_type,
            **({"data": content} if content is not None else {}),
        }
        await self._socket.send(json.dumps(envelope))
        while True:
            answer = json.loads(await self._socket.recv())
            if answer.get("requestID") == request_id:  # events of the API have none of ours
                break
        told: dict[str, Any] = answer.get("data") or {}
        if answer.get("messageType") == "APIError":
            raise VtubeStudioError(told.get("errorID", 0), told.get("message", "no reason given"))
        return told

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
        """Set parameters; to be sent again at least once a second, or the face takes them back."""
        listed = [{"id": name, "value": round(value, 4)} for name, value in values.items()]
        await self.request(
            "InjectParameterDataRequest",
            {"faceFound": False, "mode": "set", "parameterValues": listed},
        )
