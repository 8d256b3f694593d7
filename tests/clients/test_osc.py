import struct

import pytest

from selftalk.clients.osc import bundle, message


def test_a_message_byte_by_byte():
    assert message("/VMC/Ext/Blend/Val", "A", 0.5) == (
        b"/VMC/Ext/Blend/Val\0\0" + b",sf\0" + b"A\0\0\0" + struct.pack(">f", 0.5)
    )
    assert message("/VMC/Ext/OK", 1) == b"/VMC/Ext/OK\0" + b",i\0\0" + b"\0\0\0\1"
    assert message("/VMC/Ext/Blend/Apply") == b"/VMC/Ext/Blend/Apply\0\0\0\0" + b",\0\0\0"


@pytest.mark.parametrize("text", ["", "a", "abc", "abcd", "abcdefg"])
def test_strings_end_in_zero_at_a_multiple_of_four(text):
    raw = message("/x", text)
    assert len(raw) % 4 == 0
    assert raw.endswith(b"\0")


def test_a_bundle_holds_sizes_and_messages():
    one, two = message("/one", 1), message("/two", "b")
    assert bundle([one, two]) == (
        b"#bundle\0" + b"\0\0\0\0\0\0\0\1"
        + struct.pack(">i", len(one)) + one + struct.pack(">i", len(two)) + two
    )  # fmt: skip
