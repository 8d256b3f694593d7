import json

import pytest

from selftalk.stream.errors import LabelError
from selftalk.stream.trust import signing
from selftalk.stream.trust.audit import AuditLog


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))


@pytest.fixture
def log():
    log = AuditLog()
    for number in range(4):
        log.append("spoken", voice="me", characters=number)
    return log


def rewrite(log, change):
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(change(lines)))


def test_what_is_appended_stands_there_in_order(log):
    entries = [json.loads(line) for line in log.lines()]
    assert [entry["characters"] for entry in entries] == [0, 1, 2, 3]
    assert [entry["line"] for entry in entries] == [1, 2, 3, 4]
    assert log.verify() == (4, "")


def test_an_empty_log_is_unbroken():
    assert AuditLog().verify() == (0, "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda x: [x[0], x[1].replace(b'"me"', b'"ye"'), *x[2:]], "line 3 does not continue"),
        (lambda x: [*x[:3], x[3].replace(b"3,", b"9,")], "line 4 is not the one that was signed"),
        (lambda x: [x[0], *x[2:]], "line 2 has the number 3"),
        (lambda x: [x[0], x[2], x[1], x[3]], "line 2 has the number 3"),
        (lambda x: x[1:], "line 1 has the number 2"),
        (lambda x: x[:3], "ends after line 3, its head says line 4"),
        (lambda x: [], "ends after line 0, its head says line 4"),
        (lambda x: [*x, x[3]], "line 5 has the number 4"),
        (lambda x: [*x[:2], b"junk\n", *x[2:]], "line 3 is not JSON"),
    ],
)
def test_every_change_is_found(log, change, reason):
    rewrite(log, change)
    assert reason in log.verify()[1]


def test_a_head_that_was_made_up_is_found(log):
    (signing.trust_folder() / "key").write_bytes(bytes(32))
    assert "not signed by this installation" in log.verify()[1]


def test_a_log_without_its_head_is_found(log):
    (signing.trust_folder() / "audit.head").unlink()
    assert log.verify()[1] == "the log has lines but no head"


def test_a_crash_between_line_and_head_is_made_good(log):
    head = signing.trust_folder() / "audit.head"
    before = head.read_bytes()
    log.append("spoken", voice="me", characters=4)
    head.write_bytes(before)
    log.append("spoken", voice="me", characters=5)
    assert log.verify() == (6, "")


def test_a_crash_is_made_good_by_a_head_that_does_not_know_the_length(log):
    head_path = log.path.with_suffix(".head")
    head = json.loads(head_path.read_bytes())
    log.append("spoken", voice="me", characters=4)
    del head["length_bytes"]  # as older versions wrote it, and one line behind
    head_path.write_text(json.dumps(head))
    log.append("spoken", voice="me", characters=5)
    assert log.verify() == (6, "")


def test_a_line_is_added_without_reading_all_that_came_before(log, monkeypatch):
    def lines(_self):
        raise AssertionError("a log grows without end")

    with monkeypatch.context() as patch:
        patch.setattr(AuditLog, "lines", lines)
        log.append("spoken", voice="me", characters=4)
    assert log.verify() == (5, "")


def test_what_cannot_be_written_is_an_error():
    log = AuditLog()
    log.path.mkdir(parents=True)
    with pytest.raises(LabelError, match="cannot be written"):
        log.append("spoken")


def test_the_log_is_the_users_alone(log):
    assert log.path.stat().st_mode & 0o077 == 0
