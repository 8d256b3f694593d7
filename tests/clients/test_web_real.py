"""The page with the real server and the real models: a question, an answer, a barge-in."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from websockets.sync.client import connect

pytestmark = [pytest.mark.browser, pytest.mark.weights]
STARTING_SECONDS = 120


@pytest.fixture(scope="module")
def address():
    """Where the server is."""
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


def test_a_question_is_heard_answered_and_interrupted(open_page, address):
    page = open_page(f"http://{address}/", reduced_motion=True)
    page.wait("document.documentElement.dataset.state === 'ready'")
    page.click("#microphone")
    page.wait("document.querySelector('#self-caption .now')")
    assert page.text("#you-caption").startswith("Go somewhere")
    page.wait("document.querySelectorAll('#transcript .you').length === 2")
    page.wait("document.querySelectorAll('#turns dt').length > 4")
    assert page.text("#transcript .self .text")
    assert page.errors == []


def test_an_overlay_shows_what_is_said(open_page, address):
    captions = open_page(f"http://{address}/overlay/captions", 800, 300)
    captions.wait("document.readyState === 'complete'")
    with connect(f"ws://{address}/v1/realtime", max_queue=None) as client:
        content = [{"type": "input_text", "text": "I am tired."}]
        item = {"type": "message", "role": "user", "content": content}
        client.send(json.dumps({"type": "conversation.item.create", "item": item}))
        client.send(json.dumps({"type": "response.create"}))
        captions.wait("document.querySelector('#lines .now')")
    assert captions.errors == []
