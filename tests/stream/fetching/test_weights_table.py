import msgspec
import pytest

from selftalk.stream.fetching.packages import parse_member
from selftalk.stream.fetching.weights_table import Artefact, weights_table


@pytest.mark.parametrize("name", weights_table())
def test_every_file_has_a_source_that_can_be_read(name):
    artefact = weights_table()[name]
    for file in artefact.files:
        sources = artefact.sources_of(file)
        assert sources, f"{file.name} comes from nowhere"
        for parts in sources:
            if parts[0].startswith("https://"):
                assert len(parts) == 1
            else:
                assert all(parse_member(part).path for part in parts)
            assert not any("{name}" in part for part in parts)


def test_file_names_are_unique_inside_an_artefact():
    for artefact in weights_table().values():
        names = [file.name for file in artefact.files]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "abc"},
        {"name": "../escape"},
        {"name": ".hidden"},
        {"size_bytes": 0},
        {"colour": "red"},
    ],
)
def test_bad_rows_are_refused(change):
    row = {"name": "a.bin", "size_bytes": 1, "sha256": "0" * 64}
    fields = {"task": "", "set": "default", "licence": "", "publisher": "", "homepage": ""}
    fields |= {"origin": "publisher", "files": [row]}
    msgspec.convert(fields, Artefact)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields | {"files": [row | change]}, Artefact)


def test_what_cannot_be_checked_against_its_publisher_is_never_a_default():
    defaults = [artefact for artefact in weights_table().values() if artefact.set == "default"]
    assert {artefact.origin for artefact in defaults} == {"publisher"}
