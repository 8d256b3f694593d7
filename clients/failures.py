"""Failures: what can go wrong with a connection, in one sentence for a person.

0 done    2 nobody answers, or one is not let in    130 interrupted
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
)

TOKEN_VARIABLE = "SELFTALK_TOKEN"
EXIT_FAILED = 2
CONNECTION_ERRORS = (OSError, InvalidURI, InvalidHandshake, ConnectionClosed)
"""Whatever `websockets` raises when there is no connection."""


class ClientError(Exception):
    """A client cannot go on; the text is one sentence for a person."""


def is_final(error: Exception) -> bool:
    """Whether it would only happen again: the address is wrong, or the server does not want us."""
    if isinstance(error, InvalidStatus):
        return error.response.status_code < 500
    return isinstance(error, InvalidURI)


def reason(error: BaseException) -> str:
    """Why there is no connection; of several errors at once, the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    match error:
        case InvalidStatus() if error.response.status_code == 401:
            return f"it asks for a token, which goes in {TOKEN_VARIABLE}"
        case InvalidStatus():
            return f"it answers {error.response.status_code}"
        case InvalidURI():
            return "an address begins with ws:// or wss://"
        case ConnectionRefusedError():
            return "nobody listens there"
        case TimeoutError() | InvalidMessage():
            return "what listens there does not answer as it should"
        case OSError() if error.strerror:
            return error.strerror
    return str(error) or type(error).__name__


def run(program: Coroutine[Any, Any, None]) -> int:
    """Run a client to its end; return the status of the process."""
    try:
        asyncio.run(program)
    except ClientError as error:
        print(f"selftalk: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 130
    return 0
