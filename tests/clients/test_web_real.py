"""The page with the real server and the real models: a question, an answer, a barge-in."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
import soundfile
from chromium import browser
from fakes_realtime import QUESTION_FILE
from websockets.sync.client import connect

pytestmark = [pytest.mark.browser, pytest.mark.weights]
STARTING_SECONDS = 120
SAID = "document.querySelectorAll('#transcript li:not([hidden])')"


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


@pytest.fixture
def talker(tmp_path, address):
    """The page before somebody who, after two seconds, does not stop talking."""
    speech, rate_hz = soundfile.read(QUESTION_FILE, dtype="float32")
    sound = np.concatenate([np.zeros(2 * rate_hz, np.float32), np.tile(speech, 30)])
    soundfile.write(tmp_path / "microphone.wav", sound, rate_hz)
    with browser(tmp_path, tmp_path / "microphone.wav") as opened:
        page = opened(f"http://{address}/", reduced_motion=True)
        page.wait("document.documentElement.dataset.state === 'ready'")
        yield page


def write(page, text):
    page.press("/", "/")
    page.write(text)
    page.press("Enter", "\r")
    page.evaluate("document.activeElement.blur()")


def test_speaking_silences_the_other_self_at_once(talker):
    talker.press(" ", " ")
    talker.wait("document.documentElement.dataset.microphone === 'live'")
    talker.press(" ", " ")
    write(talker, "I cannot decide whether I should stay or go, and it makes me tired.")
    talker.wait(f"document.querySelector('#self-caption .heard') && {BELOW_THE_LINE}")
    talker.press(" ", " ")
    talker.wait("document.documentElement.dataset.state === 'hearing'")
    talker.wait("document.querySelector('#transcript .self .note').textContent === 'interrupted'")
    heard = talker.text("#transcript .self .text")
    talker.press(" ", " ")
    talker.wait("document.querySelectorAll('#transcript .self').length === 2")
    assert talker.text("#transcript .self .text") == heard
    assert talker.errors == []


# The other self's sound is drawn: below the middle of the picture something is seen.
BELOW_THE_LINE = """(() => {
  const { width, height } = document.querySelector("#waves");
  const pen = document.querySelector("#waves").getContext("2d");
  return pen.getImageData(width / 2, height / 2 + height / 8, 1, 1).data[3] > 0;
})()"""


def test_voice_and_self_are_chosen_and_the_conversation_goes_on(open_page, address):
    page = open_page(f"http://{address}/", reduced_motion=True)
    page.wait("document.querySelector('#voice').options.length > 2")
    first, second = page.evaluate(
        "[...document.querySelector('#voice').options].slice(1, 3).map((one) => one.value)"
    )
    with connect(f"ws://{address}/v1/realtime/observe", max_queue=None) as observer:
        choose(page, "self", "Coach")
        for number, voice in enumerate((first, second), 1):
            page.evaluate("document.querySelector('#transcript li')?.classList.add('old')")
            choose(page, "voice", voice)
            page.wait(f"!document.querySelector('.old') && {SAID}.length === {2 * number - 2}")
            write(page, f"I am tired, for the reason number {number}.")
            assert voice_of_the_next_reply(observer) == voice
            page.wait(f"{SAID}.length === {2 * number}")
            page.wait("document.documentElement.dataset.state === 'ready'")
    names = "[...document.querySelectorAll('#transcript .name')].map((one) => one.textContent)"
    assert page.evaluate(names) == ["You", "Coach", "You", "Coach"]
    assert page.errors == []


def choose(page, which, value):
    page.evaluate(
        f"(() => {{ const box = document.querySelector('#{which}'); box.value = '{value}';"
        " box.dispatchEvent(new Event('change')); })()"
    )


def voice_of_the_next_reply(observer):
    while True:
        event = json.loads(observer.recv(timeout=60))
        if event["type"] == "response.created":
            return event["response"]["audio"]["output"]["voice"]


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
