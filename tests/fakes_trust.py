"""Consent without a person: a receipt of this installation for any voice, and how to spoil it."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from selftalk.stream.trust.receipts import Receipt, packed, write_receipt

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def receipt_for(voice, name=None, **changed):
    facts = {
        "id": secrets.token_hex(16),
        "voice": name or voice.name,
        "person": "Ada",
        "purpose": "a test",
        "scope": ("speech",),
        "language": "en",
        "issued_at": datetime.now(UTC),
        "expires_at": datetime.now(UTC) + timedelta(days=1),
        "statement_sha256": "0" * 64,
        "transcript": "I agree.",
        "clips_sha256": ("1" * 64,),
        "similarity": 0.9,
        "speaker": packed(voice.speaker),
    }
    return Receipt(**(facts | changed))


def agreed(voice, name=None, **changed):
    """The voice with a receipt of consent in this installation's folder."""
    receipt = receipt_for(voice, name, **changed)
    write_receipt(receipt)
    return replace(voice, about=voice.about | {"receipt": receipt.id})
