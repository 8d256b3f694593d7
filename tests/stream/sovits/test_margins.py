import fakes_sovits
import pytest

from selftalk.stream.sovits.margins import margin_errors, smallest_margin
from selftalk.stream.sovits.workers import SovitsWorkers


def test_wider_margins_are_more_exact_and_the_shipped_one_is_enough():
    bundle = fakes_sovits.bundle_of()
    style = fakes_sovits.somebody(bundle).reference.style
    errors = margin_errors(bundle, style, margins=(2, 16))
    shipped = int(bundle.manifest.numbers["right_margin_frames"])
    assert errors[2] < errors[shipped] < errors[16] + 1
    assert errors[shipped] >= 40


def test_the_workers_of_an_imported_voice_work():
    workers = SovitsWorkers(fakes_sovits.bundle_of())
    workers.draw(3)
    workers.vocode(2)
    workers.vocode(5)


@pytest.mark.parametrize(("wanted_db", "margin"), [(20, 4), (40, 8), (45, 16), (60, None)])
def test_the_smallest_margin_is_that_from_which_on_all_are_exact(wanted_db, margin):
    assert smallest_margin({4: 21.0, 8: 44.0, 16: 48.0, 24: 50.0}, wanted_db) == margin
