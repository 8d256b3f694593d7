"""Trust without a person or a library: a receipt for any voice, and an MP4 file with one text."""

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


def atom(name, *parts):
    """A box of an MP4 file."""
    body = b"".join(parts)
    return (8 + len(body)).to_bytes(4) + name + body


def mp4_with(name, text, *, quick_time=False):
    """An MP4 file without sound whose metadata hold a title and one text under a name."""
    version = b"" if quick_time else bytes(4)
    handler = atom(b"hdlr", bytes(8), b"mdta", bytes(13))
    names = [atom(b"mdta", one.encode()) for one in ("title", name)]
    texts = [atom(b"data", (1).to_bytes(4), bytes(4), one.encode()) for one in ("A book", text)]
    items = [atom(number.to_bytes(4), one) for number, one in enumerate(texts, start=1)]
    keys = atom(b"keys", bytes(4), len(names).to_bytes(4), *names)
    meta = atom(b"meta", version, handler, keys, atom(b"ilst", *items))
    moov = atom(b"moov", atom(b"mvhd", bytes(100)), atom(b"udta", meta))
    return atom(b"ftyp", b"isom", bytes(4)) + atom(b"mdat", b"sound") + moov
