"""The label that machines read: what the standard GB 45438-2025 wants a file to say of its origin.

Seven fields of text in a fixed order, as one line of JSON in printable ASCII. Knows nothing about
file formats.
"""

import json
import re
import secrets
from dataclasses import asdict, dataclass

from selftalk.stream.errors import LabelError

SYNTHETIC = "1"
_ALLOWED = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]*")
"""Printable ASCII without space, quotation mark and backslash."""


@dataclass(frozen=True, slots=True)
class AigcLabel:
    """The fields, in the standard's order and with the standard's names."""

    Label: str
    """1: made by AI; 2: perhaps; 3: suspected."""
    ContentProducer: str
    ProduceID: str
    ReservedCode1: str
    ContentPropagator: str
    PropagateID: str
    ReservedCode2: str

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not _ALLOWED.fullmatch(value):
                raise LabelError(
                    f"the label's {name} '{value}' holds a character that is not allowed;"
                    ' printable ASCII without space, " and \\ is'
                )

    def to_json(self) -> str:
        """One line, without spaces."""
        return json.dumps(asdict(self), separators=(",", ":"))


def new_label(producer: str, produce_id: str | None = None) -> AigcLabel:
    """The label of something just made: who made it is also the first who passes it on.

    Raises:
        LabelError: the name holds characters that the standard does not allow.
    """
    produce_id = produce_id or secrets.token_hex(16)
    return AigcLabel(SYNTHETIC, producer, produce_id, "", producer, produce_id, "")


def parse_label(text: str) -> AigcLabel | None:
    """Read a label, bare or within `{"AIGC": …}`; None if it is none."""
    try:
        fields = json.loads(text)
        if isinstance(fields, dict) and isinstance(fields.get("AIGC"), dict):
            fields = fields["AIGC"]
        return AigcLabel(**fields)
    except (ValueError, TypeError, LabelError):
        return None
