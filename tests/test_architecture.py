"""Who may import whom, as a test: the rules of the house in executable form."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {  # what a folder may import of selftalk
    "stream": {"stream", "configs"},
    "stream/cli": {"stream", "configs"},
    "stream/dialogue": {"stream", "configs"},
    "stream/echo": {"stream", "configs"},
    "stream/fetching": {"stream", "configs"},
    "stream/graphs": {"stream", "configs"},
    "stream/listening": {"stream", "configs"},
    "stream/minds": {"stream", "configs"},
    "stream/nano": {"stream", "configs"},
    "stream/sound": {"stream", "configs"},
    "stream/synthesis": {"stream", "configs"},
    "stream/evaluation": {"stream", "configs"},
    "stream/protocol": {"stream.protocol", "stream.errors"},
    "stream/server": {"stream"},
    "stream/sovits": {"stream"},
    "stream/studio": {"stream", "configs"},
    "stream/text": {"stream.text", "stream.errors", "stream.home"},
    "stream/trust": {"stream", "configs"},
    "clients": {"clients", "stream.protocol"},
    "models": {"models"},
    "models/training": {"models", "models.training", "stream"},
    "export": {"export", "models", "stream", "configs"},
    "configs": set(),
}
IO_AND_CLOCKS = {"asyncio", "threading", "time", "queue", "socket", "os", "pathlib", "onnxruntime"}
FOREIGN = {  # libraries a folder must not touch at all
    "stream": {"torch", "onnx", "transformers"},
    "stream/cli": {"torch", "onnx", "transformers"},
    "stream/dialogue": {"torch", "onnx", "transformers", *IO_AND_CLOCKS},
    "stream/echo": {"torch", "onnx", "transformers"},
    "stream/fetching": {"torch", "onnx", "transformers"},
    "stream/graphs": {"torch", "onnx", "transformers"},
    "stream/listening": {"torch", "onnx", "transformers"},
    "stream/minds": {"torch", "onnx", "transformers"},
    "stream/nano": {"torch", "onnx", "transformers"},
    "stream/sound": {"torch", "onnx", "transformers"},
    "stream/synthesis": {"torch", "onnx", "transformers"},
    "stream/evaluation": {"torch", "onnx", "transformers"},
    "stream/server": {"torch", "onnx", "transformers"},
    "stream/sovits": {"torch", "onnx", "transformers"},
    "stream/studio": {"torch", "onnx", "transformers"},
    "stream/text": {"torch", "onnx", "onnxruntime", "transformers"},
    "stream/trust": {"torch", "onnx", "transformers"},
    "clients": {"torch", "onnx", "onnxruntime"},
    "models": {"onnxruntime", "soundfile", "websockets"},
}
LARGEST_FILE_LINES = 400
LONGEST_FUNCTION_LINES = 60


def modules(folder):
    return sorted((ROOT / folder).glob("*.py"))


def test_every_folder_has_its_rules():
    folders = {
        path.parent
        for top in ("stream", "models", "export", "clients", "configs")
        for path in (ROOT / top).rglob("*.py")
    }
    assert {str(folder.relative_to(ROOT)) for folder in folders} == set(ALLOWED)


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("folder", ALLOWED)
def test_folders_import_only_what_they_may(folder):
    for path in modules(folder):
        for name in imported(ast.parse(path.read_text())):
            if name.startswith("selftalk."):
                inner = name.removeprefix("selftalk.")
                allowed = any(
                    inner == permitted or inner.startswith(permitted + ".")
                    for permitted in ALLOWED[folder]
                )
                assert allowed, f"{path.relative_to(ROOT)} imports {name}"
            library = name.split(".")[0]
            assert library not in FOREIGN.get(folder, set()), (
                f"{path.relative_to(ROOT)} imports {library}"
            )


def test_the_runtime_loads_no_torch():
    names = [
        "selftalk." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "stream").rglob("*.py"))
        if path.stem != "__main__"
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print(sorted(name for name in ('torch', 'onnx', 'sounddevice') if name in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("folder", [*ALLOWED, "benchmarks"])
def test_files_and_functions_stay_small(folder):
    for path in modules(folder):
        source = path.read_text()
        assert source.count("\n") <= LARGEST_FILE_LINES, path.relative_to(ROOT)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = node.end_lineno - node.lineno + 1
                assert length <= LONGEST_FUNCTION_LINES, f"{path.name}: {node.name}"


@pytest.mark.parametrize("folder", ALLOWED)
def test_every_module_says_what_it_is(folder):
    for path in modules(folder):
        assert ast.get_docstring(ast.parse(path.read_text())), path.relative_to(ROOT)
