import numpy as np
import pytest

from selftalk.models.training.styles import ProsodyMix, StyleBank, Timbre
from selftalk.models.training.teacher import STYLE_SIZE, TIMBRE_SIZE
from selftalk.stream.errors import WeightsError

NAMES = ("af_a", "af_b", "am_c", "am_d", "bf_e", "bm_f", "zf_g", "zf_h", "zm_i", "zm_j")
LENGTHS = 6


@pytest.fixture
def voices():
    random = np.random.default_rng(0)
    table = random.standard_normal((len(NAMES), LENGTHS, STYLE_SIZE)).astype(np.float32)
    for row, name in enumerate(NAMES):
        table[row, :, 0] += 9 if name[1] == "f" else -9
    return dict(zip(NAMES, table, strict=True))


@pytest.fixture
def bank(voices):
    return StyleBank(voices)


def test_stock_timbre_and_mixed_prosody_fill_their_halves(bank, voices):
    style = bank.style(Timbre("stock", ("am_c",)), ProsodyMix(("af_a", "af_b")), length=3)
    assert style.shape == (STYLE_SIZE,)
    np.testing.assert_array_equal(style[:TIMBRE_SIZE], voices["am_c"][2, :TIMBRE_SIZE])
    mean = (voices["af_a"][2] + voices["af_b"][2]) / 2
    np.testing.assert_allclose(style[TIMBRE_SIZE:], mean[TIMBRE_SIZE:], rtol=1e-6)


def test_mixed_timbre_weighs_the_first_voice(bank, voices):
    timbre = Timbre("mix", ("af_a", "am_c"), weight=0.75)
    style = bank.style(timbre, ProsodyMix(("af_a", "af_a")), length=1)
    expected = 0.75 * voices["af_a"][0] + 0.25 * voices["am_c"][0]
    np.testing.assert_allclose(style[:TIMBRE_SIZE], expected[:TIMBRE_SIZE], rtol=1e-5)


def test_a_sampled_timbre_depends_on_its_seed_alone(bank):
    prosody = ProsodyMix(("af_a", "af_b"))
    first = bank.style(Timbre("sample", seed=5), prosody, 2)
    np.testing.assert_array_equal(first, bank.style(Timbre("sample", seed=5), prosody, 2))
    assert np.abs(first - bank.style(Timbre("sample", seed=6), prosody, 2)).max() > 0.1


def test_sampled_timbres_spread_like_the_stock_ones(bank, voices):
    prosody = ProsodyMix(("af_a", "af_b"))
    samples = [bank.style(Timbre("sample", seed=seed), prosody, 6) for seed in range(400)]
    sampled = np.stack(samples)[:, :TIMBRE_SIZE].std(axis=0).mean()
    stock = np.stack([voice[5, :TIMBRE_SIZE] for voice in voices.values()]).std(axis=0).mean()
    assert sampled == pytest.approx(stock, rel=0.1)


def test_a_text_longer_than_the_table_uses_its_last_row(bank):
    recipe = Timbre("stock", ("af_a",)), ProsodyMix(("af_a", "af_b"))
    np.testing.assert_array_equal(bank.style(*recipe, 400), bank.style(*recipe, LENGTHS))


def test_gender_of_stock_timbres(bank):
    assert {name: bank.gender(Timbre("stock", (name,))) for name in NAMES} == {
        name: name[1] for name in NAMES
    }


def test_speakers_are_reproducible_and_different(bank):
    speakers = list(bank.speakers(40, seed=3))
    assert speakers == list(bank.speakers(40, seed=3))
    assert speakers[:10] == list(bank.speakers(10, seed=3))
    assert len({str(speaker.timbre) for speaker in speakers}) > 30
    assert {speaker.timbre.kind for speaker in speakers} == {"stock", "mix", "sample"}


def test_prosody_never_crosses_languages(bank):
    for speaker in bank.speakers(60, seed=1):
        assert {name[0] for name in speaker.prosody["zh"].voices} == {"z"}
        english = {name[0] for name in speaker.prosody["en"].voices}
        assert english in ({"a"}, {"b"})
        assert "ja" not in speaker.prosody


def test_loading_needs_voices(tmp_path, voices):
    with pytest.raises(WeightsError, match="no teacher voices"):
        StyleBank.load(tmp_path)
    for name, table in voices.items():
        (tmp_path / f"{name}.bin").write_bytes(table.tobytes())
    assert StyleBank.load(tmp_path).names == tuple(sorted(NAMES))
