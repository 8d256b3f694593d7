"""The examples of docs/http.md run as they stand, against a server; only the ports differ."""

import asyncio
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import soundfile
from fakes_http import ToneSynthesizer, make_context, noise, serving

from selftalk.stream.server import wyoming
from selftalk.stream.server.app import build_api_v2_app, build_app

PAGE = (Path(__file__).parent.parent / "docs/http.md").read_text(encoding="utf-8")


def blocks(language):
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.S | re.M)
    return [pytest.param(block, id=f"{language} {n}") for n, block in enumerate(found, 1)]


@pytest.fixture(scope="module")
def ports():
    """The ports of the page, and those of a server here."""
    context = make_context(ToneSynthesizer())
    with serving(build_app(context)) as main, serving(build_api_v2_app(context)) as api_v2:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        starting = wyoming.start(context, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
        yield {
            "8765": str(urlsplit(main).port),
            "9880": str(urlsplit(api_v2).port),
            "10300": str(server.sockets[0].getsockname()[1]),
        }
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def run(ports, tmp_path):
    soundfile.write(tmp_path / "question.wav", noise(-0.5, 1.5, -1.0), 16_000)

    def run_here(*command):
        words = list(command)
        for theirs, ours in ports.items():
            words[-1] = re.sub(rf"\b{theirs}\b", ours, words[-1])
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        spoken = list(tmp_path.glob("hello.*"))
        assert all(soundfile.info(path).duration > 0.05 for path in spoken)
        return done.stdout, bool(spoken)

    return run_here


@pytest.mark.parametrize("block", blocks("python"))
def test_python_examples_run(block, run):
    said, spoken = run(sys.executable, "-W", "ignore", "-c", block)
    assert spoken or said.strip()
    if "transcriptions" in block:
        assert said.split("\n")[0] == "1.5 seconds"
    if "start_ms" in block:
        assert said.split()[:2] == ["0", "It"]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("block", blocks("bash"))
def test_shell_examples_run(block, run):
    said, spoken = run("bash", "-euc", block)
    assert spoken or "1.5 seconds" in said


def test_every_port_of_the_page_is_the_default():
    from selftalk.stream.server_config import ServerConfig

    server = ServerConfig()
    table = re.findall(r"^\| (\d+) \|", PAGE, re.M)
    assert table == [str(server.port), str(server.api_v2_port), str(server.wyoming_port)]


def test_every_field_and_limit_of_the_page_is_real():
    from selftalk.stream.server.speech import LONGEST_INPUT, OFFERED, SpeechRequest

    table = "".join(re.findall(r"^\| `.*$", PAGE, re.M))
    assert set(SpeechRequest.__struct_fields__) <= set(re.findall(r"`(\w+)`", table))
    assert set(OFFERED) <= set(re.findall(r"`(\w+)`", table))
    assert str(LONGEST_INPUT) in table
