from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from fakes_trust import agreed, receipt_for

from selftalk.stream.errors import ConsentError
from selftalk.stream.synthesis.voices import Voice, find_voice, voices_folder
from selftalk.stream.trust import signing
from selftalk.stream.trust.receipts import end_receipt, read_receipt, receipts_of, write_receipt


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "home"))
    (tmp_path / "home/voices").mkdir(parents=True)
    (tmp_path / "shipped").mkdir()


@pytest.fixture
def shipped(tmp_path):
    return tmp_path / "shipped"


def direction(seed):
    vector = np.random.default_rng(seed).standard_normal(256).astype(np.float32)
    return vector / np.linalg.norm(vector)


def own(voice):
    voice.save(voices_folder() / f"{voice.name}.voice")
    return voice


ME = Voice("me", direction(0), 5.0)


def test_a_stock_voice_needs_no_receipt(shipped):
    Voice("mila", direction(1), 5.0, {"origin": "stock"}).save(shipped / "mila.voice")
    assert find_voice("mila", shipped).name == "mila"


def test_a_voice_with_a_receipt_speaks(shipped):
    own(agreed(ME))
    assert find_voice("me", shipped).about["receipt"]


@pytest.mark.parametrize("about", [{}, {"origin": "stock"}, {"receipt": ""}])
def test_a_voice_of_the_user_never_speaks_without_a_receipt(shipped, about):
    own(replace(ME, about=about))
    with pytest.raises(ConsentError, match=r"'me' may not speak: .* without a receipt of consent"):
        find_voice("me", shipped)


def test_a_voice_that_came_with_a_model_must_say_that_it_is_nobodys(shipped):
    ME.save(shipped / "me.voice")
    with pytest.raises(ConsentError, match="without a receipt"):
        find_voice("me", shipped)


@pytest.mark.parametrize("number", ["0" * 32, "../../me", "x"])
def test_a_receipt_that_is_not_there(shipped, number):
    own(replace(ME, about={"receipt": number}))
    with pytest.raises(ConsentError, match="may not speak"):
        find_voice("me", shipped)


def test_an_expired_receipt(shipped):
    own(agreed(ME, expires_at=datetime(2026, 1, 1, tzinfo=UTC)))
    with pytest.raises(ConsentError, match="expired on 2026-01-01"):
        find_voice("me", shipped)


def test_a_receipt_holds_until_its_last_second(shipped):
    del shipped
    receipt = receipt_for(ME)
    assert not receipt.expired(receipt.expires_at - timedelta(seconds=1))
    assert receipt.expired(receipt.expires_at)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace(b'"person":"Ada"', b'"person":"Eve"'),
        lambda text: text.replace(b'"voice":"me"', b'"voice":"mine"'),
        lambda text: text.replace(b'"expires_at":"2', b'"expires_at":"3'),
        lambda text: text[:-20],
        lambda _: b"{}",
        lambda _: b"",
        lambda text: text.replace(b'"format":1', b'"format":1,"extra":1'),
    ],
)
def test_an_edited_receipt(shipped, edit):
    voice = own(agreed(ME))
    path = signing.trust_folder() / "receipts" / f"{voice.about['receipt']}.json"
    before = path.read_bytes()
    path.write_bytes(edit(before))
    assert path.read_bytes() != before
    with pytest.raises(ConsentError, match=r"may not speak: .* (was changed|is damaged)"):
        find_voice("me", shipped)


def test_a_receipt_of_another_voice(shipped):
    own(replace(agreed(ME, "other"), name="me"))
    with pytest.raises(ConsentError, match="that of voice 'other'"):
        find_voice("me", shipped)


def test_a_receipt_of_another_speaker(shipped):
    own(replace(agreed(ME), speaker=direction(7)))
    with pytest.raises(ConsentError, match="that of another speaker"):
        find_voice("me", shipped)


def test_a_receipt_copied_under_another_number(shipped):
    voice = agreed(ME)
    folder = signing.trust_folder() / "receipts"
    (folder / f"{'a' * 32}.json").write_bytes(
        (folder / f"{voice.about['receipt']}.json").read_bytes()
    )
    own(replace(voice, about={"receipt": "a" * 32}))
    with pytest.raises(ConsentError, match="was changed"):
        find_voice("me", shipped)


def test_a_receipt_of_another_installation(shipped):
    own(agreed(ME))
    (signing.trust_folder() / "key").write_bytes(bytes(32))
    with pytest.raises(ConsentError, match="another installation"):
        find_voice("me", shipped)


def test_a_withdrawn_receipt_says_when_it_ended(shipped):
    voice = own(agreed(ME))
    when = datetime(2026, 2, 3, tzinfo=UTC)
    end_receipt(voice.about["receipt"], "me", "withdrawn by its owner", when)
    with pytest.raises(ConsentError, match="ended on 2026-02-03: withdrawn by its owner"):
        find_voice("me", shipped)


def test_receipts_round_trip_and_are_listed():
    first, second = receipt_for(ME), receipt_for(ME)
    for receipt in (first, second, receipt_for(ME, "other")):
        write_receipt(receipt)
    assert read_receipt(first.id) == first
    assert {receipt.id for receipt in receipts_of("me")} == {first.id, second.id}


def test_the_key_is_the_users_alone():
    own(agreed(ME))
    assert (signing.trust_folder() / "key").stat().st_mode & 0o077 == 0
