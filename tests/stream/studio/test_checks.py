"""Each check fires on its own defect and is silent on clean recordings."""

import fakes_studio as fakes
import numpy as np
import pytest

from selftalk.stream.studio.engineer import CHECKS
from selftalk.stream.studio.level_checks import check_bandwidth, noise_dbfs, reach_hz
from selftalk.stream.studio.room_checks import burst_seconds, reverberation_seconds


@pytest.fixture(scope="module", params=fakes.CLEAN)
def clean(request):
    return fakes.clean_take(request.param)


def findings(take):
    return {finding.check: finding for finding in (check(take) for check in CHECKS)}


def test_a_clean_recording_is_good_in_every_respect(clean):
    for finding in findings(clean).values():
        assert finding.verdict == "good", finding
        assert not finding.advice


@pytest.mark.parametrize("defect", fakes.DEFECTS)
def test_a_defect_is_found_and_advice_is_given(clean, defect):
    finding = findings(fakes.DEFECTS[defect](clean))[defect]
    assert finding.verdict != "good", finding
    assert finding.sentence
    assert finding.advice


def test_there_is_a_defect_for_every_check(clean):
    assert set(findings(clean)) == set(fakes.DEFECTS)


def test_a_longer_tail_measures_longer(clean):
    dry, wet, wetter = (
        reverberation_seconds(take)
        for take in (clean, fakes.reverberant(clean, 0.5), fakes.reverberant(clean, 1.2))
    )
    assert dry < wet < wetter


def test_a_cough_is_found_where_it_is(clean):
    (place,) = burst_seconds(fakes.with_cough(clean))
    assert place == pytest.approx(len(clean.audio) / fakes.RATE + 0.5, abs=0.1)


def test_one_cough_in_a_short_file_does_not_spoil_it(clean):
    assert findings(fakes.with_cough(clean))["coughs"].verdict == "usable"


def test_noise_is_measured_in_the_pauses(clean):
    level = 0.15 * fakes.speech_level(clean)
    assert noise_dbfs(fakes.noisy(clean)) == pytest.approx(20 * np.log10(level), abs=1.5)


def test_a_telephone_ends_below_four_kilohertz(clean):
    voice, sound = reach_hz(fakes.telephone(clean))
    assert 3000 < voice == sound < 4000


def test_a_voice_that_noise_covers_is_no_telephone(clean):
    finding = check_bandwidth(fakes.noisy(fakes.with_pause(clean), 0.4))
    assert finding.verdict != "good"
    assert "noise" in finding.sentence
    assert "telephone" in check_bandwidth(fakes.telephone(clean)).sentence


def test_steady_noise_does_not_cough(clean):
    assert not burst_seconds(fakes.noisy(fakes.with_pause(clean), 0.4))


def test_the_room_after_a_word_does_not_cough(clean):
    assert not burst_seconds(fakes.reverberant(fakes.with_pause(clean), 2.0))
