"""docs/clients.md and the pages of each client: their examples run, and what they name is real."""

import io
import re
import subprocess
import sys
import urllib.request
import wave
from pathlib import Path

import pytest
from fakes_server import RATE_HZ, make_context, running, speech

from selftalk.stream import cli

ROOT = Path(__file__).parent.parent
ANSWER = "w0 w1 w2. w3 w4 w5."


def page(name):
    return (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", page("clients"), re.S | re.M)


@pytest.fixture(scope="module")
def server():
    with running(make_context()) as one:
        yield one


@pytest.fixture
def run(server, tmp_path):
    """Run a program as if our server were at the usual address."""
    with wave.open(str(tmp_path / "question.wav"), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(speech(0.5))

    def run_here(block):
        here = block.replace("127.0.0.1:8765", f"127.0.0.1:{server.port}")
        assert here != block
        command = [sys.executable, "-W", "ignore", "-c", here]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_here


def test_a_conversation_in_writing(run):
    assert run(blocks("python")[0]).strip() == ANSWER


def test_a_conversation_by_voice(run, tmp_path):
    you, *words = run(blocks("python")[1]).splitlines()
    assert re.fullmatch(r"you: utterance \d+", you)
    assert [word.split()[-1] for word in words] == ANSWER.split()
    with wave.open(str(tmp_path / "answer.wav")) as file:
        assert file.getnframes() > 0.1 * RATE_HZ


def test_the_console_can_stand_in_a_pipe(server, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\n"))
    (_, command) = blocks("sh")[0].splitlines()
    words = command.replace("8765", str(server.port)).split()
    assert words[0] == "selftalk"
    assert cli.main(words[1:]) == 0
    assert capsys.readouterr().out == f"self: {ANSWER} \n"


def test_every_page_for_obs_is_served(server):
    addresses = re.findall(r"http://127\.0\.0\.1:8765(/overlay/\w+)`", page("overlay"))
    assert len(addresses) == 3
    for address in addresses:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{address}") as answer:
            assert b"badge" in answer.read()


def first_cells(name):
    """The first column of the tables of a page."""
    return re.findall(r"^\| ([^|]+?) \|", page(name), re.M)


def test_every_option_of_the_overlays_is_told():
    read = {
        name
        for file in (ROOT / "clients/overlay").glob("*.js")
        for name in re.findall(r'\boption\("(\w+)"', file.read_text(encoding="utf-8"))
    }
    told = set(re.findall(r"`(\w+)(?:=on)?`", " ".join(first_cells("overlay"))))
    assert read <= told | set(re.findall(r"#(\w+)=…", page("overlay")))
    assert {"badge", "lines", "lead", "token"} <= read


def test_every_key_of_the_page_is_told():
    script = (ROOT / "clients/web/app.js").read_text(encoding="utf-8")
    keys = set(re.findall(r'event\.key === "(.+?)"', script))
    told = [cell for cell in first_cells("web") if cell != "key"]
    assert {{"space": " ", "Esc": "Escape"}.get(key, key) for key in told} == keys
