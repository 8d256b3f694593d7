from dataclasses import replace

import numpy as np
import pytest

from selftalk.stream.errors import VoiceError
from selftalk.stream.graphs.graph_patch import GraphPatch


def pair(seed=0, size=5000):
    random = np.random.default_rng(seed)
    base = random.integers(0, 256, size, np.uint8)
    result = base.copy()
    for start in random.integers(0, size - 40, 6):
        result[start : start + 40] = random.integers(0, 256, 40, np.uint8)
    return base.tobytes(), result.tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_a_patch_makes_the_result_of_its_base(seed):
    base, result = pair(seed)
    patch = GraphPatch.between(base, result)
    assert patch.apply(base, "me") == result
    assert len(patch.content) < 500


@pytest.mark.parametrize(("base", "result"), [(b"abc", b"abcdef"), (b"abcdef", b"xb"), (b"", b"a")])
def test_files_of_other_lengths(base, result):
    assert GraphPatch.between(base, result).apply(base, "me") == result


def test_nothing_to_change():
    base, _ = pair()
    patch = GraphPatch.between(base, base)
    assert not len(patch.content)
    assert patch.apply(base, "me") == base


def test_it_is_kept_in_a_file(tmp_path):
    base, result = pair()
    GraphPatch.between(base, result).save(tmp_path / "vocoder.patch")
    assert GraphPatch.load(tmp_path / "vocoder.patch").apply(base, "me") == result


def test_another_base_is_refused():
    base, result = pair()
    with pytest.raises(VoiceError, match="learn it again: selftalk clone me"):
        GraphPatch.between(base, result).apply(base + b"x", "me")


def test_damage_is_noticed(tmp_path):
    base, result = pair()
    patch = GraphPatch.between(base, result)
    content = patch.content.copy()
    content[3] ^= 1
    broken = [
        replace(patch, content=content),
        replace(patch, content=content[:-1]),
        replace(patch, starts=patch.starts + 10**6),
        replace(patch, starts=-patch.starts - 1),
    ]
    for each in broken:
        with pytest.raises(VoiceError, match="damaged"):
            each.apply(base, "me")
    (tmp_path / "x.patch").write_bytes(b"no")
    with pytest.raises(VoiceError, match="not the learnt part"):
        GraphPatch.load(tmp_path / "x.patch")
