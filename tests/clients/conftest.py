import fakes_realtime
import numpy as np
import pytest
import soundfile
from chromium import browser


@pytest.fixture(scope="session")
def microphone_file(tmp_path_factory):
    """A question, and the same again three seconds later, into the answer."""
    question, rate_hz = soundfile.read(fakes_realtime.QUESTION_FILE, dtype="float32")
    pauses = [np.zeros(int(seconds * rate_hz), np.float32) for seconds in (0.5, 3.5, 2)]
    path = tmp_path_factory.mktemp("microphone") / "microphone.wav"
    soundfile.write(
        path, np.concatenate([pauses[0], question, pauses[1], question, pauses[2]]), rate_hz
    )
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
