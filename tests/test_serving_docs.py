"""The examples of docs/serving.md run as they stand, against a server; only the port differs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fakes_server import make_context, running

PAGE = (Path(__file__).parent.parent / "docs/serving.md").read_text(encoding="utf-8")
ANSWER = "w0 w1 w2. w3 w4 w5."
QUIET = os.environ | {"OPENAI_AGENTS_DISABLE_TRACING": "1"}  # or it reports to OpenAI at its end
SAYS = {"openai": ANSWER, "agents": "bytes of sound", "pipecat": ""}


def examples():
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)
    package = re.compile(r"^from (\w+)(?:\.\S+)? import [A-Z]", re.M)
    return [pytest.param(package.search(block)[1], block) for block in blocks]


@pytest.mark.parametrize(("package", "block"), examples())
def test_the_examples_run(package, block):
    pytest.importorskip(package)
    with running(make_context()) as server:
        here = block.replace("127.0.0.1:8765", f"127.0.0.1:{server.port}")
        assert here != block
        command = [sys.executable, "-W", "ignore", "-c", here]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=QUIET)
    assert done.returncode == 0, done.stderr
    assert SAYS[package] in done.stdout


def test_every_client_has_its_example():
    assert [parameters.values[0] for parameters in examples()] == list(SAYS)
