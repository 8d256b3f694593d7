"""Server-sent events: bytes of an HTTP answer → the contents of its events.

Knows nothing about what the events mean.
"""

from selftalk.stream.errors import ResponderError

LONGEST_LINE_BYTES = 1 << 20


class EventStream:
    """Cuts a stream of bytes into events, each given by its joined `data:` lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: list[str] = []

    def push(self, content: bytes) -> list[str]:
        """Add bytes; return the events that are now complete.

        Raises:
            ResponderError: a line is longer than any event of a chat.
        """
        self._rest += content
        *lines, self._rest = self._rest.replace(b"\r\n", b"\n").split(b"\n")
        if len(self._rest) > LONGEST_LINE_BYTES:
            raise ResponderError("the chat server sent a line that never ends")
        events = []
        for line in lines:
            text = line.decode("utf-8", "replace").rstrip("\r")
            if text.startswith("data:"):
                self._fields.append(text.removeprefix("data:").removeprefix(" "))
            elif not text and self._fields:
                events.append(self._take())
        return events

    def flush(self) -> list[str]:
        """Return the last event of a server that ends without an empty line."""
        events = self.push(b"\n")
        return [*events, self._take()] if self._fields else events

    def _take(self) -> str:
        event, self._fields = "\n".join(self._fields), []
        return event
