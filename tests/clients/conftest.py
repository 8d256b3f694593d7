import fakes_realtime
import numpy as np
import pytest
import soundfile
from chromium import browser


@pytest.fixture(scope="session")
def microphone_file(tmp_path_factory):
    """Somebody who does not even stop to breathe: a page hears them while its microphone is on."""
    speech, rate_hz = soundfile.read(fakes_realtime.QUESTION_FILE, dtype="float32")
    frames = speech[: len(speech) // 320 * 320].reshape(-1, 320)
    speech = frames[np.abs(frames).max(axis=1) > 3 * fakes_realtime.LOUD].ravel()
    path = tmp_path_factory.mktemp("microphone") / "microphone.wav"
    soundfile.write(path, np.tile(speech, 100), rate_hz)
    return path


@pytest.fixture(scope="session")
def chromium(tmp_path_factory, microphone_file):
    """One Chromium for all tests."""
    with browser(tmp_path_factory.mktemp("chromium"), microphone_file) as opened:
        yield opened


@pytest.fixture
def open_page(chromium):
    """Open a page; it is closed when the test is over: pages draw as long as they are open."""
    pages = []

    def opened(*where, **looks):
        pages.append(chromium(*where, **looks))
        return pages[-1]

    yield opened
    for page in pages:
        page.close()


@pytest.fixture
def fake():
    return fakes_realtime.FakeRealtime()


@pytest.fixture
def address(fake):
    with fakes_realtime.running(fake) as place:
        yield place
