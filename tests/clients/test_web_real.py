"""The page with the real server and the real models: a question, an answer, a barge-in."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.weights]
STARTING_SECONDS = 120


@contextlib.contextmanager
def served():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "selftalk.stream", "serve", "--port", str(port),
        "--responder", "mirror",
        "--set", "server.api_v2_port=0", "--set", "server.wyoming_port=0",
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + STARTING_SECONDS
        while not answers(f"http://127.0.0.1:{port}/readyz"):
            assert process.poll() is None, "the server ended at once"
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.2)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def test_a_question_is_heard_answered_and_interrupted(open_page):
    with served() as address:
        page = open_page(f"http://{address}/", reduced_motion=True)
        captions = open_page(f"http://{address}/overlay/captions", 800, 300)
        page.wait("document.documentElement.dataset.state === 'ready'")
        page.click("#microphone")
        page.wait("document.querySelector('#self-caption .now')")
        assert page.text("#you-caption").startswith("Go somewhere")
        captions.wait("document.querySelector('#lines .heard, #lines .now')")
        page.wait("document.querySelectorAll('#transcript .you').length === 2")
        page.wait("document.querySelectorAll('#turns dt').length > 4")
        assert page.text("#transcript .self .text")
        assert page.errors == captions.errors == []
