"""Message: one thing said, by whom. Knows nothing about audio or models."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One utterance of the conversation, as text."""

    role: Role
    text: str
