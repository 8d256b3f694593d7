import json
from dataclasses import replace

import fakes_sovits
import pytest

from selftalk.stream.cli import main, verify
from selftalk.stream.sovits.margins import WindowErrors, window_errors
from selftalk.stream.sovits.workers import SovitsWorkers
from selftalk.stream.synthesis.verification import ENOUGH_DB, ENOUGH_ROUNDED_DB


def test_wider_margins_are_more_exact_and_the_shipped_one_is_enough():
    bundle = fakes_sovits.bundle_of()
    style = fakes_sovits.somebody(bundle).reference.style
    found = window_errors(bundle, style, margins=(2, 16))
    shipped = int(bundle.manifest.numbers["right_margin_frames"])
    errors = found.margin_snr_db
    assert errors[2] < errors[shipped] < errors[16] + 1
    assert found.shipped_margin_frames == shipped
    assert found.shipped_db >= 40


def test_the_workers_of_an_imported_voice_work():
    workers = SovitsWorkers(fakes_sovits.bundle_of())
    workers.draw(3)
    for before in (0, 50, 50):
        workers.vocode(5, before)


@pytest.mark.parametrize(("wanted_db", "margin"), [(20, 4), (40, 8), (45, 16), (60, None)])
def test_the_smallest_margin_is_that_from_which_on_all_are_exact(wanted_db, margin):
    errors = WindowErrors({4: 21.0, 8: 44.0, 16: 48.0, 24: 50.0}, 8)
    assert errors.smallest_margin(wanted_db) == margin


@pytest.fixture
def bundle_with_a_voice(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    monkeypatch.setitem(verify.TEXTS, "zh", ("好。",))
    bundle = fakes_sovits.bundle_of()
    folder = bundle.voices_folder
    folder.mkdir(exist_ok=True)
    path = folder / "somebody.voice"
    replace(fakes_sovits.somebody(bundle), about={"origin": "stock"}).save(path)
    yield bundle
    path.unlink()


def test_what_the_encoder_cannot_know_is_told_apart_from_the_windows(bundle_with_a_voice, capsys):
    arguments = ["verify", str(bundle_with_a_voice.folder), "--wanted-db", "50"]
    code = main([*arguments, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["seams"] > 10
    assert found["streamed_vs_whole_snr_db"] >= ENOUGH_DB
    assert found["seam_jump"] <= found["seam_jump_limit"]
    assert found["passed"]
    assert found["as_heard_snr_db"] < ENOUGH_DB, "its weights are random: it looks everywhere"
    assert found["margin_snr_db"]["8"] >= ENOUGH_DB
    assert found["margin_snr_db"][str(found["smallest_margin_frames"])] >= 50
    assert main(arguments) == code == 0
    lines = capsys.readouterr().out
    assert f"{found['margin_snr_db']['8']:.1f} dB (shipped)" in lines
    assert f"as heard on this machine: {found['as_heard_snr_db']:.1f} dB; the encoder" in lines
    assert "chunks leave no trace; tokens that were not known in time leave one" in lines


def test_what_rounds_is_not_asked_to_be_as_near_as_what_does_not():
    exact, rounded = (fakes_sovits.bundle_of(precision=each) for each in ("fp32", "int8"))
    assert verify.needed_db(exact) == ENOUGH_DB
    assert rounded.manifest.graphs["decoder"].precision == "int8"
    assert verify.needed_db(rounded) == ENOUGH_ROUNDED_DB
