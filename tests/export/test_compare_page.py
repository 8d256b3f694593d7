import base64
import io
import re

import numpy as np
import soundfile

from selftalk.export.compare_page import Row, Sound, compare_page
from selftalk.stream.sound.audio import AudioChunk


def test_the_page_holds_sounds_and_figures():
    sound = AudioChunk(np.linspace(-0.5, 0.5, 2400, dtype=np.float32), 24_000)
    page = compare_page(
        "The voice <me>", "Listen & compare.", ["recording", "cloned"],
        [Row('a & "b"', [None, Sound(sound, "<c>")])], [("similarity", "0.60", "0.80")],
    ).decode()  # fmt: skip
    assert "The voice &lt;me&gt;" in page
    assert "a &amp; &quot;b&quot;" in page
    assert 'aria-label="cloned: a &amp; &quot;b&quot;"' in page
    assert "<small>&lt;c&gt;</small>" in page
    assert "Listen &amp; compare." in page
    assert "<td>0.60<td>0.80" in page
    (encoded,) = re.findall(r'data:audio/flac;base64,([^"]+)"', page)
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(encoded)), dtype="float32")
    assert rate == 24_000
    np.testing.assert_allclose(heard, sound.samples, atol=1e-4)


def test_nothing_is_fetched():
    page = compare_page("x", "", [], [], []).decode()
    assert "http" not in page
    assert "<script" not in page
