"""The key of this installation: signs receipts and the audit log, and tells if they were changed.

An Ed25519 key, made once, readable by its user alone. Knows nothing about what is signed. Whoever
can read the key can sign anything: a signature shows that a file was not edited by accident or by
somebody without access to the account, no more.
"""

import base64
import os
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from selftalk.stream.errors import ConsentError
from selftalk.stream.home import data_folder

SEED_BYTES = 32


def trust_folder() -> Path:
    """Where receipts, tombstones, the log and the key are kept."""
    return data_folder() / "trust"


def sign(message: bytes) -> str:
    """The signature of this installation, in Base64; the key is made when there is none."""
    return base64.b64encode(_key().sign(message)).decode()


def is_ours(message: bytes, signature: str) -> bool:
    """Whether this installation signed exactly this message."""
    try:
        key = _read_key(trust_folder() / "key")
        key.public_key().verify(base64.b64decode(signature, validate=True), message)
    except (OSError, ValueError, InvalidSignature):
        return False
    return True


def _key() -> Ed25519PrivateKey:
    path = trust_folder() / "key"
    try:
        return _read_key(path)
    except FileNotFoundError:
        _make_key(path)
        return _read_key(path)
    except (OSError, ValueError) as error:
        raise ConsentError(f"the signing key '{path}' cannot be used: {error}") from error


def _read_key(path: Path) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def _make_key(path: Path) -> None:
    """Write a new key unless another process was faster; never a part of one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # readable by the user alone
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(SEED_BYTES))
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            Path(temporary).unlink()
    except OSError as error:
        raise ConsentError(f"no signing key can be made in '{path.parent}': {error}") from error
