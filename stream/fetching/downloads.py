"""Download one file over HTTPS: resumed where it broke off, never longer than promised.

Knows nothing about hashes, weights or the cache: the caller decides whether to use the file.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from selftalk.stream.errors import WeightsError

Progress = Callable[[int], None]
"""Called with the number of bytes that are there now."""

ATTEMPTS = 4
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class UnreachableError(WeightsError):
    """A host cannot be reached at all, so its other files need not be tried."""


def host_of(url: str) -> str:
    """The host a URL points to, for messages."""
    return urlsplit(url).hostname or url


def download(url: str, path: Path, size_bytes: int, progress: Progress) -> None:
    """Fill a file from a URL, keeping the bytes that are already in it.

    Args:
        url: https only; http is allowed on this machine itself.
        path: the unfinished file; it stays after an error, so that the next call goes on there.
        size_bytes: the exact length of the whole file.
        progress: told after every piece.

    Raises:
        UnreachableError: no connection could be made.
        WeightsError: the host refused, or broke off too often, or sent too much.
    """
    for _ in range(ATTEMPTS):
        try:
            _continue_download(url, path, size_bytes, progress)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise UnreachableError(f"{host_of(url)} cannot be reached") from error
        except httpx.TransportError:
            continue  # what has arrived stays in the file and the next attempt goes on after it
        if _length(path) == size_bytes:
            return
    raise WeightsError(
        f"{host_of(url)} broke off {ATTEMPTS} times at {_length(path)} of {size_bytes} bytes"
    )


def _continue_download(url: str, path: Path, size_bytes: int, progress: Progress) -> None:
    start = _length(path)
    if start == size_bytes:
        return
    headers = {"Accept-Encoding": "identity"}  # the length and Range count the file's own bytes
    if 0 < start < size_bytes:
        headers["Range"] = f"bytes={start}-"
    with (
        httpx.Client(event_hooks={"request": [_refuse_plain_http]}, timeout=TIMEOUT) as client,
        client.stream("GET", url, headers=headers, follow_redirects=True) as response,
    ):
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            path.unlink(missing_ok=True)
            return
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise WeightsError(f"{host_of(url)} answered {response.status_code}")
        _write_body(response, path, size_bytes, progress)


def _write_body(response: httpx.Response, path: Path, size_bytes: int, progress: Progress) -> None:
    begins_at = f"bytes {_length(path)}-"
    resumed = response.headers.get("Content-Range", "").startswith(begins_at)
    if response.status_code == httpx.codes.PARTIAL_CONTENT and not resumed:
        path.unlink(missing_ok=True)  # another range than the one asked for is of no use
        return
    with path.open("ab" if resumed else "wb") as file:
        for piece in response.iter_raw():
            if file.tell() + len(piece) > size_bytes:
                file.truncate(0)
                raise WeightsError(f"{response.url.host} sent more than {size_bytes} bytes")
            file.write(piece)
            progress(file.tell())


def _refuse_plain_http(request: httpx.Request) -> None:
    """Checked for every redirect too: nobody between here and the host may choose the bytes."""
    if request.url.scheme != "https" and request.url.host not in LOOPBACK:
        raise WeightsError(f"{request.url.host} is not asked over plain http; https is allowed")


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
