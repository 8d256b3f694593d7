import hashlib

import numpy as np
import pytest

from selftalk.stream.text.symbols import SYMBOLS_V1, SYMBOLS_V2, symbol_ids


def checksum(table: tuple[str, ...]) -> str:
    return hashlib.sha256(" ".join(table).encode()).hexdigest()


def test_the_official_tables_are_reproduced():
    assert len(SYMBOLS_V1) == 322
    assert len(SYMBOLS_V2) == 732
    assert len(set(SYMBOLS_V2)) == 732
    assert SYMBOLS_V2[:322] == SYMBOLS_V1
    assert checksum(SYMBOLS_V1).startswith("b85339cb1cfe2bb3")
    assert checksum(SYMBOLS_V2).startswith("a91aea0994bc55f1")


@pytest.mark.parametrize(
    ("symbol", "number"),
    [
        *[("!", 0), (",", 1), ("-", 2), (".", 3), ("?", 4), ("AA", 5), ("UNK", 86), ("_", 95)],
        *[("zh", 320), ("…", 321), ("[", 322), ("]", 323), ("ㄱ", 324), ("停", 351), ("空", 352)],
        *[("Ya", 353), ("Yz", 731)],
    ],
)
def test_known_ids(symbol, number):
    assert symbol_ids([symbol]).tolist() == [number]


def test_unknown_symbols_become_unk():
    ids = symbol_ids(["HH", "not a phone", "Yaa1"], SYMBOLS_V1)
    assert ids.dtype == np.int64
    assert ids.tolist() == [SYMBOLS_V1.index("HH"), 86, 86]
