"""Chromium without a window, told what to do over its own debugging protocol.

Enough of it for tests of pages: open, evaluate, wait, press keys, take a picture.
"""

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run "
    "--disable-component-update --use-fake-device-for-media-stream --disable-dev-shm-usage "
    "--use-fake-ui-for-media-stream --autoplay-policy=no-user-gesture-required --hide-scrollbars "
    "--remote-debugging-port=0 --no-proxy-server --force-color-profile=srgb --mute-audio "
    "--disable-renderer-backgrounding --disable-background-timer-throttling "
    "--disable-backgrounding-occluded-windows --disable-extensions --disable-sync "
    "--accept-lang=en"
).split()
PATIENCE_SECONDS = 60


def chromium_path():
    """Where Chromium is, or a skipped test."""
    for name in (os.environ.get("CHROMIUM", ""), *NAMES):
        if name and shutil.which(name):
            return shutil.which(name)
    pytest.skip("needs Chromium: apt-get install chromium, or CHROMIUM=path")


class PageError(AssertionError):
    """A page threw, or did not do in time what was awaited."""


@contextlib.contextmanager
def browser(profile: Path, microphone: Path | None = None):
    """Yield a function that opens a page: `open_page(url, width, height)`."""
    flags = [*FLAGS, f"--user-data-dir={profile}"]
    if microphone is not None:
        flags.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    process = subprocess.Popen(
        [chromium_path(), *flags, "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port = _debugging_port(profile, process)

        def open_page(url, width=1280, height=800, **looks):
            return Page(port, url, width, height, **looks)

        yield open_page
    finally:
        process.terminate()
        process.wait(10)


def _debugging_port(profile, process):
    port_file = profile / "DevToolsActivePort"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not port_file.is_file() or not port_file.read_text():
        assert process.poll() is None, "Chromium ended at once"
        assert time.monotonic() < deadline, "Chromium does not start"
        time.sleep(0.05)
    return int(port_file.read_text().split()[0])


class Page:
    """One page; every call waits for its answer."""

    def __init__(self, port, url, width, height, *, dark=False, reduced_motion=False):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT"
        )
        with urllib.request.urlopen(request) as answer:
            target = json.load(answer)
        self.stack = contextlib.ExitStack()
        self.socket = self.stack.enter_context(
            connect(
                target["webSocketDebuggerUrl"],
                max_size=None,
                compression=None,
                ping_interval=None,
            )
        )
        self.numbers = itertools.count(1)
        self.errors = []
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.call("Log.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if reduced_motion else "no-preference",
        }
        listed = [{"name": name, "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=listed)
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def call(self, method, **parameters):
        """Ask the browser; return its answer."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=2 * PATIENCE_SECONDS))
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                return message["result"]
            self._note(message)

    def _note(self, message):
        if message.get("method") == "Runtime.exceptionThrown":
            details = message["params"]["exceptionDetails"]
            thrown = details.get("exception", {}).get("description", details["text"])
            self.errors.append(thrown)
        elif message.get("method") == "Log.entryAdded":
            entry = message["params"]["entry"]
            if entry["level"] == "error":
                self.errors.append(f"{entry['text']} {entry.get('url', '')}")

    def evaluate(self, expression):
        """The value of an expression, which may be a promise."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True,
            userGesture=True,
        )  # fmt: skip
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def wait(self, expression, seconds=PATIENCE_SECONDS):
        """Wait until an expression is true; the page itself looks, so that nothing is missed."""
        looking = (
            "new Promise((found, lost) => { const until = performance.now() + %d;"
            " (function look() { let value = false;"
            " try { value = %s; } catch { /* not there yet */ }"
            " if (value) found(value); else if (performance.now() > until) lost('never true');"
            " else setTimeout(look, 20); })(); })"
        )
        try:
            return self.evaluate(looking % (1000 * seconds, expression))
        except PageError as error:
            raise PageError(f"{expression}: {error}; errors: {self.errors}") from None

    def text(self, selector):
        """The text of an element, as it is in the document."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent.trim()")

    def click(self, selector):
        """Click an element in its middle, as a mouse would."""
        x, y = self.evaluate(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key, text=""):
        """Press a key, such as "Escape", or " " with its text."""
        code = {" ": "Space"}.get(key, key)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=code, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code)

    def write(self, text):
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def picture(self, path, *, transparent=False):
        """Keep a picture of what is seen as a PNG file."""
        if transparent:
            self.call(
                "Emulation.setDefaultBackgroundColorOverride",
                color={"r": 0, "g": 0, "b": 0, "a": 0},
            )
        png = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        Path(path).write_bytes(png)
        return png

    def close(self):
        """Close the page."""
        with contextlib.suppress(Exception):
            self.call("Page.close")
        self.stack.close()
