import io

import pytest

from selftalk.models.training.progress import ProgressBar, spoken_time


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(out, seconds_per_step, steps=10):
    now = iter(float(1e6 + seconds_per_step * step) for step in range(steps))
    bar = ProgressBar("s1", out, clock=lambda: next(now))
    for step in range(1, steps + 1):
        bar(step, steps, {"loss": 1.5})
    return out.getvalue()


def test_a_terminal_has_one_line():
    shown = told(Terminal(), 60)
    assert shown.count("\n") == 1
    assert "1/10  loss 1.500" in shown  # one moment tells no speed
    assert "2/10  8 min left  loss 1.500" in shown
    assert shown.split("\r")[-1].startswith("\x1b[Ks1 ████████████████████████ 10/10  0 s left")


def test_a_file_has_a_line_now_and_then():
    assert told(io.StringIO(), 10).count("\n") == 4  # at 10, 40, 70 and 100 s


@pytest.mark.parametrize(
    ("seconds", "spoken"), [(0.4, "0 s"), (89, "89 s"), (200, "3 min"), (7500, "2 h 5 min")]
)
def test_spoken_time(seconds, spoken):
    assert spoken_time(seconds) == spoken
