from itertools import islice, pairwise

import numpy as np
import pytest

from selftalk.models.training import render
from selftalk.models.training.corpus import SHARD_LINES, Corpus, read_manifest, shard_path
from selftalk.models.training.render import Planner, _often, main, plan, render_line, work
from selftalk.models.training.styles import StyleBank
from selftalk.models.training.teacher import STYLE_SIZE, UNIT_SAMPLES, Prosody, Speech
from selftalk.stream.errors import ConfigError

NAMES = ("af_a", "af_b", "am_c", "am_d", "bf_e", "bm_f", "zf_g", "zm_i")


class FakeTeacher:
    """Every character lasts one unit; the sound tells the style and is too loud."""

    def __init__(self):
        self.spoken = 0

    def speak(self, characters, style, speed=1.0):
        self.spoken += 1
        durations = np.array([4, *[1] * len(characters), 2], np.int64)
        units = int(durations.sum())
        samples = np.full(units * UNIT_SAMPLES, 2 * style[0], np.float32)
        prosody = np.full(2 * units, style[-1], np.float32)
        return Speech(samples, Prosody(durations, prosody, prosody))


@pytest.fixture
def bank():
    random = np.random.default_rng(0)
    return StyleBank({name: random.random((8, STYLE_SIZE), np.float32) for name in NAMES})


@pytest.fixture
def teacher():
    return FakeTeacher()


def planned(bank, count, first=0):
    texts = (("en", f"{word} is here.") for word in ["Ann", "Tom", "Sue"] * 100)
    return list(islice(Planner(bank, 20, seed=1).plan(texts, first), count))


def test_plans_are_reproducible(bank):
    assert planned(bank, 40) == planned(bank, 40)


def test_pairs_differ_in_timbre_alone(bank):
    lines = planned(bank, 200)
    pairs = [(a, b) for a, b in pairwise(lines) if a.pair == b.pair >= 0]
    assert 25 < len(pairs) < 70
    for first, second in pairs:
        assert first.speaker != second.speaker
        assert (first.runs, first.prosody, first.speed) == (
            second.runs,
            second.prosody,
            second.speed,
        )


def test_lines_are_said_once_where_no_pairs_are_wanted(bank):
    texts = [("en", f"There are {number} of them.") for number in range(60)]
    lines = list(Planner(bank, 20, seed=1, pairs=0.0).plan(texts, 0))
    assert [line.text for line in lines] == [text for _, text in texts]
    assert all(line.pair == -1 for line in lines)


def test_a_pair_is_numbered_by_its_first_line(bank):
    for index, line in enumerate(planned(bank, 60, first=500), start=500):
        assert line.pair in (-1, index, index - 1)


def test_what_cannot_be_spoken_is_skipped(bank, caplog):
    texts = [("en", "..."), ("en", "word " * 300), ("en", "Hello.")]
    lines = list(Planner(bank, 5, seed=1).plan(texts, 0))
    assert {line.text for line in lines} == {"Hello."}
    assert "skipped" in caplog.text


def test_numbers_are_read_with_spaces(bank):
    symbols, script = render.read_aloud("It costs $3.50.", "en")
    assert script.characters == "ɪt kˈɑsts θɹˈi dˈɑləɹz ənd fˈɪfti sˈɛnts."
    assert len(symbols) == len(script.runs)


def test_an_utterance_is_as_long_as_its_durations(bank, teacher):
    utterance = render_line(teacher, bank, planned(bank, 1)[0], 3)
    assert utterance.index == 3
    assert len(utterance.audio) == int(utterance.durations.sum()) * UNIT_SAMPLES
    assert len(utterance.pitch_hz) == len(utterance.energy) == 2 * utterance.durations.sum()
    assert len(utterance.durations) == len(utterance.symbols) + 2
    assert np.abs(utterance.audio).max() <= 32767


def test_planning_again_only_adds(tmp_path, bank):
    assert plan(tmp_path, Planner(bank, 10, seed=1), 30, {"en": 1}, seed=1) == SHARD_LINES
    before = read_manifest(tmp_path)
    assert plan(tmp_path, Planner(bank, 10, seed=1), 80, {"en": 1}, seed=1) == 2 * SHARD_LINES
    after = read_manifest(tmp_path)
    assert after[:SHARD_LINES] == before
    assert plan(tmp_path, Planner(bank, 10, seed=1), 10, {"en": 1}, seed=1) == 2 * SHARD_LINES


def test_workers_share_the_shards_and_leave_finished_ones_alone(tmp_path, bank, teacher):
    plan(tmp_path, Planner(bank, 10, seed=1), 3 * SHARD_LINES, {"en": 1}, seed=1)
    work(tmp_path, teacher, bank, worker=1, workers=2, hours=9)
    assert Corpus(tmp_path).shards == (1,)
    work(tmp_path, teacher, bank, worker=0, workers=2, hours=9)
    assert Corpus(tmp_path).shards == (0, 1, 2)
    content = shard_path(tmp_path, 0).read_bytes()
    hours = work(tmp_path, teacher, bank, worker=0, workers=1, hours=9)
    assert teacher.spoken == 3 * SHARD_LINES
    assert hours * 3600 == pytest.approx(sum(u.duration_seconds for u in Corpus(tmp_path)))

    shard_path(tmp_path, 0).unlink()
    work(tmp_path, teacher, bank, worker=0, workers=1, hours=9)
    assert shard_path(tmp_path, 0).read_bytes() == content


def test_a_worker_stops_at_its_hours(tmp_path, bank, teacher):
    plan(tmp_path, Planner(bank, 10, seed=1), 3 * SHARD_LINES, {"en": 1}, seed=1)
    work(tmp_path, teacher, bank, worker=0, workers=1, hours=0.001)
    assert Corpus(tmp_path).shards == (0,)


@pytest.mark.parametrize("worker", ["2/2", "x", "-1/2", "1"])
def test_a_worker_out_of_range_is_refused(worker):
    with pytest.raises(ConfigError, match="0/2"):
        render._worker(worker)


def test_shares_are_read_and_checked():
    assert render._shares("en=65,zh=35") == {"en": 65, "zh": 35}
    with pytest.raises(ConfigError, match="en=65,zh=35"):
        render._shares("en")


def test_missing_voices_are_one_sentence_and_exit_2(tmp_path, caplog):
    arguments = ["plan", "--out", str(tmp_path), "--voices", str(tmp_path / "none")]
    assert main(arguments) == 2
    assert "no teacher voices" in caplog.text


def test_shipped_speakers_say_most_lines(bank):
    often = _often(bank, "3:1,4")
    planner = Planner(bank, 20, seed=1, often=often)
    lines = list(islice(planner.plan((("en", f"Number {n}.") for n in range(300)), 0), 200))
    share = sum(line.speaker in ("s0001-3", "s0004-3") for line in lines) / len(lines)
    assert 0.4 < share < 0.75
    assert often[1].timbre == list(bank.speakers(5, 3))[4].timbre


@pytest.mark.parametrize("text", ["79", "1:", "x:1", "1:2,b"])
def test_unclear_speakers_are_refused(bank, text):
    with pytest.raises(ConfigError, match="1:79,145"):
        _often(bank, text)
