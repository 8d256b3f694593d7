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


@pytest.fixture
def asker(tmp_path, address):
    """The page before somebody who asks, and asks again and again, into the answer or after it."""
    question, rate_hz = soundfile.read(QUESTION_FILE, dtype="float32")
    once = np.concatenate([np.zeros(rate_hz // 2, np.float32), question, np.zeros(3 * rate_hz)])
    soundfile.write(tmp_path / "microphone.wav", np.tile(once, 10), rate_hz)
    with browser(tmp_path, tmp_path / "microphone.wav") as opened:
        page = opened(f"http://{address}/", reduced_motion=True)
        page.wait("document.documentElement.dataset.state === 'ready'")
        yield page


def test_a_question_is_heard_and_answered(asker):
    asker.click("#microphone")
    asker.wait("document.querySelector('#self-caption .now')")
    assert asker.text("#you-caption").startswith("Go somewhere")
    asker.wait("document.querySelectorAll('#transcript .you').length === 2")
    asker.wait("document.querySelectorAll('#turns dt').length > 2")
    assert asker.text("#transcript .self .text")
    assert asker.errors == []


def write(page, text):
    page.press("/", "/")
    page.write(text)
    page.press("Enter", "\r")
    page.evaluate("document.activeElement.blur()")


def test_speaking_silences_the_other_self_at_once(open_page, address):
    page = open_page(f"http://{address}/", reduced_motion=True)
    page.wait("document.documentElement.dataset.state === 'ready'")
    switch(page, "document.documentElement.dataset.microphone === 'live'", twice=True)
    write(page, "I cannot decide whether I should stay or go, and it makes me tired.")
    switch(page, f"document.querySelector('#self-caption .heard') && {BELOW_THE_LINE}")
    page.wait("document.querySelector('#transcript .self .note').textContent === 'interrupted'")
    page.click("#microphone")
    heard = page.text("#transcript .self .text")
    page.wait("document.querySelectorAll('#transcript .self').length === 2")
    assert page.text("#transcript .self .text") == heard
    assert page.errors == []


def switch(page, when, twice=False):
    """Press the microphone `when` it is time, and before if `twice`; the page does it at once."""
    page.evaluate(
        f"""(async () => {{
          const microphone = document.querySelector('#microphone');
          if ({json.dumps(twice)}) microphone.click();
          while (!({when})) await new Promise((done) => setTimeout(done, 20));
          microphone.click();
        }})()"""
    )


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
