"""Permission: may this voice speak? Stock voices may; a person's needs a receipt that holds.

Asked at the one door to a voice, `voices.find_voice`. Knows nothing about how consent is given.
"""

from datetime import UTC, datetime

import numpy as np

from selftalk.stream.errors import ConsentError
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.trust.receipts import Receipt, read_receipt

SAME_SPEAKER = 0.72
"""Lowest cosine of two recordings of one person: of eight readers 3.6 % of genuine sentences are
refused and none of 540 foreign ones passes (benchmarks/consent.py)."""
SAME_VOICE = 0.60
"""Lowest cosine of a voice and the person who agreed to it: a voice may have been fine-tuned."""

STOCK_ORIGINS = ("stock", "nano corpus")
"""How `about["origin"]` begins in voices that were mixed and belong to nobody."""


def is_stock(about: dict[str, str]) -> bool:
    """Whether a voice that came with a bundle says that it belongs to nobody."""
    return about.get("origin", "").startswith(STOCK_ORIGINS)


def require_consent(
    name: str, about: dict[str, str], speaker: Float32Array, now: datetime | None = None
) -> Receipt:
    """Return the receipt that allows a personal voice to speak.

    Args:
        name: of the voice.
        about: its facts; `receipt` is the number of its receipt.
        speaker: its embedding, compared with the owner's when both are of the same encoder.
        now: in place of the present.

    Raises:
        ConsentError: there is no receipt that holds for this voice; one sentence.
    """
    try:
        receipt = _receipt_of(about)
        _check(receipt, name, speaker, now or datetime.now(UTC))
    except ConsentError as error:
        raise ConsentError(
            f"voice '{name}' may not speak: {error}; its owner can agree with"
            f" `selftalk consent give {name}`"
        ) from error
    return receipt


def may_speak(name: str, about: dict[str, str], speaker: Float32Array) -> None:
    """Ask again for a voice that was loaded: consent may have ended since.

    Raises:
        ConsentError: it is a person's voice, and no receipt of consent holds.
    """
    if not is_stock(about):
        require_consent(name, about, speaker)


def _receipt_of(about: dict[str, str]) -> Receipt:
    receipt_id = about.get("receipt", "")
    if not receipt_id:
        raise ConsentError("it is a person's voice without a receipt of consent")
    return read_receipt(receipt_id)


def _check(receipt: Receipt, name: str, speaker: Float32Array, now: datetime) -> None:
    if receipt.voice != name:
        raise ConsentError(f"its receipt of consent is that of voice '{receipt.voice}'")
    if receipt.expired(now):
        raise ConsentError(f"its consent expired on {receipt.expires_at:%Y-%m-%d}")
    owner = receipt.embedding
    if speaker.shape != owner.shape:
        return  # another encoder's: only the name ties them
    similarity = float(np.dot(speaker, owner) / max(float(np.linalg.norm(speaker)), 1e-9))
    if similarity < SAME_VOICE:
        raise ConsentError(
            f"its receipt of consent is that of another speaker (similarity {similarity:.2f},"
            f" {SAME_VOICE:.2f} is needed)"
        )
