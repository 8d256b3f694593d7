import numpy as np
import pytest

from selftalk.stream.errors import WeightsError
from selftalk.stream.listening.whisper_encoder import (
    FRAME_SAMPLES,
    TAIL_FRAMES,
    WINDOW_FRAMES,
    WhisperEncoder,
    listening_window,
)


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (320, 1), (321, 2), (16_000, 50)])
def test_an_utterance_is_heard_whole_and_with_silence_after_it(samples, frames):
    window = listening_window(np.ones(samples, np.float32))
    assert len(window) == (frames + TAIL_FRAMES) * FRAME_SAMPLES
    assert window.sum() == samples
    assert window[:samples].all()


def test_what_exceeds_thirty_seconds_is_left_out():
    for samples in (WINDOW_FRAMES * FRAME_SAMPLES - 5, WINDOW_FRAMES * FRAME_SAMPLES + 999):
        window = listening_window(np.ones(samples, np.float32))
        assert len(window) == WINDOW_FRAMES * FRAME_SAMPLES


def test_a_folder_without_a_model_is_refused(tmp_path):
    pytest.importorskip("ctranslate2")
    with pytest.raises(WeightsError, match="no whisper model"):
        WhisperEncoder(tmp_path)
