"""The whole hostile corpus, read in one confined process: nothing runs, everything is refused."""

import json
import pickle
import random
import subprocess
import sys

import pytest
from fakes_checkpoints import voice_file
from fakes_hostile import corpus, hostile_pickles

from selftalk.export.checkpoint_worker import read_checkpoint_file
from selftalk.export.importer import read_checkpoint
from selftalk.stream.errors import CheckpointError

MOST_SECONDS = 5.0  # of the processor, so that a busy machine cannot fail the test
MOST_KIBIBYTES = 512 << 10

READ_ALL = """
import json, sys, time
from pathlib import Path
from selftalk.export.checkpoint_worker import confine, read_checkpoint_file
from selftalk.stream.errors import CheckpointError

paths = sorted(Path(sys.argv[1]).iterdir())
confine(8 << 20)
told = {}
for path in paths:
    started = time.process_time()
    try:
        read_checkpoint_file(path)
        sentence = None
    except CheckpointError as error:
        sentence = str(error)
    told[path.name] = (sentence, time.process_time() - started)
# getrusage would tell the peak of the process that started this one, if that is larger.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps([told, int(status["VmHWM"].split()[0])]))
"""


@pytest.fixture(scope="module")
def canary(tmp_path_factory):
    return tmp_path_factory.mktemp("canary") / "sings"


@pytest.fixture(scope="module")
def files(canary):
    return corpus(str(canary))


def test_the_payload_of_the_corpus_works_where_a_real_unpickler_meets_it(canary):
    raw = hostile_pickles(str(canary))["written by pickle.dumps, protocol 2"]
    pickle.loads(raw)  # our own canary, to prove that the corpus is not blank
    assert canary.exists()
    canary.unlink()


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
def test_every_file_is_refused_and_nothing_runs(files, canary, tmp_path):
    names = dict(enumerate(files))
    for number, name in names.items():
        (tmp_path / str(number)).write_bytes(files[name])
    finished = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    told, peak_kibibytes = json.loads(finished.stdout)
    assert len(told) == len(files) >= 60
    for number, (sentence, seconds) in told.items():
        name = names[int(number)]
        assert sentence is not None, f"{name} was accepted"
        assert 10 < len(sentence) < 300, name
        assert sentence.isprintable(), name
        assert seconds < MOST_SECONDS, name
    assert peak_kibibytes < MOST_KIBIBYTES
    assert not canary.exists()


@pytest.mark.parametrize(
    "attack",
    [
        "pickle: global posix.system",
        "pickle: a billion laughs",
        "zip: bomb of 20 MiB",
    ],
)
def test_the_importer_refuses_in_one_sentence_and_lives_on(attack, files, canary, tmp_path):
    path = tmp_path / "voice.pth"
    path.write_bytes(files[attack])
    with pytest.raises(CheckpointError) as refusal:
        read_checkpoint(path)
    assert str(refusal.value).startswith("'voice.pth' cannot be imported: ")
    assert "\n" not in str(refusal.value)
    assert not canary.exists()


def test_random_damage_is_refused_or_harmless(tmp_path):
    """Mutants may still be honest files (a weight's bit with its checksum is out of reach)."""
    honest = voice_file()
    path = tmp_path / "mutant.pth"
    randomness = random.Random(20)
    refused = 0
    for _ in range(300):
        mutant = bytearray(honest)
        for _ in range(randomness.choice((1, 1, 2, 8))):
            mutant[randomness.randrange(len(mutant))] = randomness.randrange(256)
        path.unlink(missing_ok=True)  # the old one may still be mapped
        path.write_bytes(mutant)
        try:
            read_checkpoint_file(path)
        except CheckpointError:
            refused += 1
    assert refused > 200
