"""What newcomers read is true: commands exist, examples run, links lead somewhere, tables agree."""

import importlib.util
import re
import shlex
import subprocess
import tomllib
from argparse import _SubParsersAction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fakes_trust import agreed

from selftalk.stream import selves
from selftalk.stream.cli import build_parser
from selftalk.stream.config import load_config
from selftalk.stream.dialogue import metrics
from selftalk.stream.fetching.weights_table import weights_table
from selftalk.stream.synthesis import bundle as bundle_module
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.voices import Voice

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh.md")
WEIGHTS = weights_table()
BINARY = {
    ".bin",
    ".ckpt",
    ".flac",
    ".npz",
    ".onnx",
    ".pth",
    ".safetensors",
    ".voice",
    ".wav",
    ".xz",
}
ELSEWHERE = {"TaskGroup", "grandmother.toml", "mine.toml"}  # of the standard library, of the user
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.~-])/(?:work|root|home|tmp|mnt|Users)/",
    "a registry's host": r"pypi\.org|pythonhosted\.org|npmjs|deb\.debian",
    "something unfinished": r"\b(?:TODO|FIXME|TBD|XXX)\b|(?i:lorem ipsum)",
    "the number of a ticket": r"\b[Ii]ssue #?\d",
}
PROMISE = r"(?i:\bplanned\b|coming soon|not yet implemented)|即将|敬请期待|计划中"


def git_files(*patterns):
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


DOCUMENTS = git_files("*.md")
NEEDS_A_SERVER = {
    "docs/clients.md",
    "docs/http.md",
    "docs/serving.md",
}  # see test_clients_docs.py, test_http_docs.py and test_serving_docs.py


@cache
def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name, language):
    return re.findall(rf"^```{language}\n(.*?)^```", read(name), re.S | re.M)


def prose(name):
    return re.sub(r"^```.*?^```", "", read(name), flags=re.S | re.M)


def code_spans(name):
    return re.findall(r"`([^`\n]+)`", prose(name))


def shell_commands(name):
    """Each line of the shell blocks as words, without comments and variables before it."""
    lines = [line for block in blocks(name, "sh") for line in block.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines]
    return [
        words[next(i for i, w in enumerate(words) if "=" not in w) :] for words in commands if words
    ]


def examples(language):
    """The blocks of all documents, each once; those that need a server are run by others."""
    found = {
        block: name
        for name in DOCUMENTS
        if name not in NEEDS_A_SERVER
        for block in blocks(name, language)
    }
    return [pytest.param(block, id=name) for block, name in found.items()]


def anchors(name):
    headings = re.findall(r"^#+ +(.+)$", prose(name), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# --- commands ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parser():
    return build_parser()


def check_selftalk(words, parser):
    try:
        parser.parse_args(words)
    except SystemExit:
        pytest.fail(f"selftalk {shlex.join(words)} is no command")


def check_python(words, parser):
    del parser
    if words[0] != "-m":
        assert (ROOT / words[0]).is_file(), words[0]
        return
    spec = importlib.util.find_spec(words[1])
    assert spec is not None, words[1]
    if words[1].startswith("selftalk."):
        source = Path(spec.origin).read_text(encoding="utf-8")
        for option in [word for word in words if word.startswith("--")]:
            assert f'"{option}"' in source, f"{words[1]} has no {option}"


def check_make(words, parser):
    del parser
    targets = re.findall(r"^([a-z]+):", read("Makefile"), re.M)
    assert set(words) <= set(targets), words


CHECKS = {
    "selftalk": check_selftalk,
    "python": check_python,
    ".venv/bin/python": check_python,
    "make": check_make,
    "source": lambda words, parser: None,
    "export": lambda words, parser: None,
}


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if "```sh" in read(name)])
def test_commands_in_blocks_exist(name, parser):
    for program, *words in shell_commands(name):
        assert program in CHECKS, f"nothing here is called {program}"
        CHECKS[program](words, parser)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_in_sentences_exist(name, parser):
    for span in code_spans(name):
        if not span.startswith("selftalk "):
            continue
        level = parser
        for word in shlex.split(span)[1:]:
            kinds = [one for one in level._actions if isinstance(one, _SubParsersAction)]
            if word.startswith("-"):
                assert word in level._option_string_actions, span
            elif kinds and not word.isupper():  # capitals stand for something
                assert word in kinds[0].choices, span
                level = kinds[0].choices[word]


# --- examples ------------------------------------------------------------------------------------


@pytest.fixture
def tiny_voice(tmp_path, monkeypatch):
    """A whole voice model of random numbers in place of the shipped one."""
    tiny = Bundle.load(ROOT / "tests/data/bundle_tiny")
    monkeypatch.setattr(bundle_module, "default_bundle", lambda: tiny)
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    (tmp_path / "voices").mkdir()
    speaker = np.full(256, 1 / 16, np.float32)
    voice = Voice("default", speaker, float(np.log(170)))
    agreed(voice).save(tmp_path / "voices/default.voice")


@pytest.mark.parametrize("block", examples("python"))
def test_python_examples_run(block, tiny_voice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "example", "exec"), {"__name__": "__main__"})
    if "hello.wav" in block:
        assert (tmp_path / "hello.wav").stat().st_size > 1000


@pytest.mark.parametrize("block", examples("toml"))
def test_toml_examples_are_accepted(block, tmp_path):
    if "persona" in tomllib.loads(block):
        selves.parse_self(block, "the example")
    else:
        path = tmp_path / "mine.toml"
        path.write_text(block, encoding="utf-8")
        load_config(path)


# --- both READMEs --------------------------------------------------------------------------------


def test_both_readmes_have_the_same_commands_and_examples():
    english, chinese = READMES
    assert shell_commands(english) == shell_commands(chinese)
    assert blocks(english, "python") == blocks(chinese, "python")
    assert [tomllib.loads(block) for block in blocks(english, "toml")] == [
        tomllib.loads(block) for block in blocks(chinese, "toml")
    ]


def test_both_readmes_say_the_same_in_the_same_order():
    shapes = [re.findall(r"^(#+|```\w+|\||<!--.*-->)", read(name), re.M) for name in READMES]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", READMES)
def test_the_tree_of_the_readme_stands(name):
    (tree,) = blocks(name, "text")
    folder = ROOT
    for line in tree.splitlines():
        entry = line.split()[0]
        if not line.startswith(" "):
            folder = ROOT / entry
        assert (ROOT / entry if folder == ROOT / entry else folder / entry).exists(), line


@pytest.mark.parametrize("name", [*READMES, "docs/selves.md"])
def test_every_shipped_self_is_named(name):
    shipped = {Path(file).stem for file in git_files("configs/selves/*.toml")}
    assert shipped <= set(code_spans(name))


def test_every_key_of_a_self_is_explained():
    assert set(selves.KEYS) <= set(code_spans("docs/selves.md"))


def test_every_stage_of_a_turn_is_explained():
    explained = re.findall(r"^\| ([a-z ]+) \|", prose("docs/architecture.md"), re.M)
    stages = [*(stage.name for stage in metrics.STAGES), metrics.PIPELINE]
    assert explained == ["stage", *(name.replace("_", " ") for name in stages)]


# --- weights and notices -------------------------------------------------------------------------


def weights_row(name, artefact):
    mark = " †" if artefact.origin == "third-party-copy" else ""
    size = f"{artefact.size_bytes / 2**20:.1f} MiB"
    cells = (f"`{name}`{mark}", artefact.task, artefact.set, size, artefact.licence)
    return f"| {' | '.join(cells)} | [{artefact.publisher}]({artefact.homepage}) |"


def test_the_table_of_weights_is_that_of_the_program():
    between = r"<!-- weights: begin -->\n(.*?)<!-- weights: end -->"
    (table,) = re.findall(between, read("docs/weights.md"), re.S)
    rows = [weights_row(name, artefact) for name, artefact in WEIGHTS.items()]
    assert table.splitlines()[2:] == rows


@pytest.mark.parametrize("name", READMES)
def test_sizes_and_licences_in_the_readmes_are_right(name):
    rows = {
        artefact: line
        for line in read(name).splitlines()
        for artefact in WEIGHTS
        if line.startswith("|") and f"`{artefact}`" in line
    }
    assert {one for one, artefact in WEIGHTS.items() if artefact.set == "default"} <= set(rows)
    for artefact, line in rows.items():
        assert f"| {WEIGHTS[artefact].size_bytes / 2**20:.1f} MiB |" in line
        assert f"| {WEIGHTS[artefact].licence} |" in line
    (told,) = re.findall(r"(\d+) MB (?:of weights|的权重)", read(name))
    fetched = sum(one.size_bytes for one in WEIGHTS.values() if one.set == "default") / 1e6
    assert abs(int(told) - fetched) < 10


def test_every_weight_is_in_the_notices():
    rows = [line for line in read("THIRD_PARTY_NOTICES.md").splitlines() if line.startswith("| `")]
    for name, artefact in WEIGHTS.items():
        (row,) = [row for row in rows if row.startswith(f"| `{name}` |")]
        assert row.endswith(f"| {artefact.licence} |")


def test_every_binary_file_is_in_the_notices():
    named = set(code_spans("THIRD_PARTY_NOTICES.md"))
    for name in git_files():
        path = Path(name)
        if path.suffix in BINARY:
            assert named & {name, *map(str, path.parents)}, f"whose is {name}?"


# --- all documents -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(name)):
        if target.startswith("https://"):
            continue
        place, _, anchor = target.partition("#")
        path = (ROOT / name).parent / place if place else ROOT / name
        assert path.exists(), f"{name} links to {target}"
        if anchor:
            assert anchor in anchors(path.resolve().relative_to(ROOT)), f"{name}: {target}"


def test_every_page_is_reached_from_the_readmes():
    for start in READMES:
        reached, waiting = set(), [ROOT / start]
        while waiting:
            page = waiting.pop()
            reached.add(page)
            links = re.findall(r"\]\(([^)#\s]+\.md)", prose(page.relative_to(ROOT)))
            local = {(page.parent / link).resolve() for link in links if "://" not in link}
            waiting.extend(local - reached)
        assert {ROOT / name for name in git_files("docs/*.md")} <= reached


@cache
def source():
    return "\n".join(map(read, git_files("*.py")))


@cache
def known_names():
    """Classes, and the names of files."""
    files = {Path(file).name for file in git_files("*.py", "*.toml")}
    return files | set(re.findall(r"^class (\w+)", source(), re.M)) | ELSEWHERE


@pytest.mark.parametrize("name", DOCUMENTS)
def test_names_in_documents_exist(name):
    for span in code_spans(name):
        word = span.partition("(")[0]
        if re.fullmatch(r"(?:[A-Z][a-z]+){2,}|\w+\.(?:py|toml)", word):
            assert word in known_names(), f"{name}: there is no {word}"
    for variable in re.findall(r"SELFTALK_[A-Z_]+", read(name)):
        assert variable in source(), f"{name}: nothing reads {variable}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_is_in_documents_that_should_not_be(name):
    for what, pattern in FORBIDDEN.items():
        found = re.search(pattern, read(name))
        assert not found, f"{name} holds {what}: {found and found.group()}"
    if name != "docs/roadmap.md":
        assert not re.search(PROMISE, read(name)), f"{name} promises; docs/roadmap.md is for that"
