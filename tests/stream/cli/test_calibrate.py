"""`selftalk calibrate`: what it measures is kept, and whoever speaks next goes by it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from selftalk.stream.cli import calibrate, main
from selftalk.stream.config import EngineConfig, TalkConfig, load_config
from selftalk.stream.graphs.graph import ON_ONE_CORE
from selftalk.stream.graphs.onnx import CPU_PROVIDERS, PROVIDERS
from selftalk.stream.nano import synthesizer as nano_synthesizer
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.schedule import Costs, Machine, solve
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.talk import run_options

TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"
QUICK = Machine(Costs(0.001, 0.002, 0.001), Costs(0.002, 0.004, 0.002), 3)
SLOW = Machine(Costs(0.01, 0.03, 0.01), Costs(0.021, 0.065, 0.023), 3)


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "home"))
    folder = Path(shutil.copytree(TINY, tmp_path / "bundle"))
    (folder / "voices").mkdir()
    stock = Voice("default", np.full(256, 1 / 16, np.float32), 5.0, {"origin": "stock"})
    stock.save(folder / "voices/default.voice")
    return folder


@pytest.fixture
def schedules(monkeypatch):
    """What every utterance was planned by."""
    plan_chunks, seen = nano_synthesizer.plan_chunks, []

    def watched(lengths, schedule):
        seen.append(schedule)
        return plan_chunks(lengths, schedule)

    monkeypatch.setattr(nano_synthesizer, "plan_chunks", watched)
    return seen


def measured(monkeypatch, machine):
    monkeypatch.setattr(calibrate, "measure", lambda _workers, _clock: machine)


def say(bundle, tmp_path):
    assert main(["say", "Hello.", "--bundle", str(bundle), "-o", str(tmp_path / "a.wav")]) == 0


@pytest.mark.parametrize("machine", [QUICK, SLOW])
def test_speech_is_cut_as_the_machine_allows(bundle, tmp_path, monkeypatch, schedules, machine):
    measured(monkeypatch, machine)
    say(bundle, tmp_path)
    assert set(schedules) == {None}
    schedules.clear()
    assert main(["calibrate", str(bundle)]) == 0
    say(bundle, tmp_path)
    assert set(schedules) == {solve(machine)}


def test_it_tells_the_plan_as_json(bundle, monkeypatch, capsys):
    measured(monkeypatch, QUICK)
    assert main(["calibrate", str(bundle), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["machine"]["best"]["token_seconds"] == 0.001
    assert told["chunks"][0] == told["first_tokens"] == solve(QUICK).first_tokens
    assert sum(told["chunks"]) >= calibrate.SHOWN_TOKENS
    assert Path(told["path"]).is_file()
    assert "cores of" in told["hardware"]


def test_it_tells_how_much_is_known_ahead_where_that_is_of_use(bundle, monkeypatch, capsys):
    measured(monkeypatch, QUICK)
    assert main(["calibrate", str(bundle)]) == 0
    assert "wait for the next chunk" not in capsys.readouterr().out
    worst = replace(QUICK.worst, known_token_seconds=0.0002)
    measured(monkeypatch, replace(QUICK, worst=worst, useful_lookahead_tokens=20))
    assert main(["calibrate", str(bundle)]) == 0
    told = capsys.readouterr().out
    assert "0.20 ms for each before" in told
    ahead = told.partition("of which ")[2].partition(" wait for the next chunk")[0].split(", ")
    assert (ahead[0], ahead[-1]) == ("3", "20")


def test_it_says_when_a_machine_has_to_wait(bundle, monkeypatch, capsys):
    measured(monkeypatch, SLOW)
    assert main(["calibrate", str(bundle)]) == 0
    assert "too slow to begin at once" in capsys.readouterr().out


def test_a_machine_is_measured_in_earnest(bundle, capsys):
    assert main(["calibrate", str(bundle), "--cpu-time", "--json"]) == 0
    best = json.loads(capsys.readouterr().out)["machine"]["best"]
    assert best["token_seconds"] > 0
    assert best["chunk_token_seconds"] >= 0


def test_a_bundle_that_is_not_there_is_one_sentence(tmp_path, capsys):
    assert main(["calibrate", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_calibrate_and_say_run_a_model_in_the_same_way():
    tiny = Bundle.load(TINY)
    assert run_options(load_config().engine, tiny) == (ON_ONE_CORE, ON_ONE_CORE)
    assert run_options(TalkConfig().engine, tiny) == (ON_ONE_CORE, ON_ONE_CORE)


@pytest.mark.parametrize("kind", ["nano", "sovits"])
def test_openvino_is_kept_from_windows_that_it_would_spoil(monkeypatch, kind):
    there = PROVIDERS["openvino"]
    monkeypatch.setattr("selftalk.stream.graphs.onnx.available_providers", lambda: there)
    tiny = Bundle.load(TINY)
    bundle = replace(tiny, manifest=msgspec.structs.replace(tiny.manifest, kind=kind))
    told: list[str] = []
    runs = run_options(EngineConfig(provider="openvino"), bundle, told.append)
    kept_from = kind == "sovits"
    assert {run.providers for run in runs} == {CPU_PROVIDERS if kept_from else there}
    assert len(told) == kept_from


@pytest.mark.parametrize("provider", ["cuda", "directml", "coreml"])
@pytest.mark.parametrize(
    ("kind", "precision", "drawn_by_processor"),
    [("sovits", "int8", True), ("sovits", "fp32", True), ("sovits", "fp16", False),
     ("nano", "int8", False)],
)  # fmt: skip
def test_attention_in_float32_stays_with_the_processor_and_says_so(
    monkeypatch, provider, kind, precision, drawn_by_processor
):
    there = PROVIDERS[provider]
    monkeypatch.setattr("selftalk.stream.graphs.onnx.available_providers", lambda: there)
    tiny = Bundle.load(TINY)
    step = msgspec.structs.replace(tiny.manifest.graphs["t2s_step"], precision=precision)
    graphs = tiny.manifest.graphs | {"t2s_step": step}
    manifest = msgspec.structs.replace(tiny.manifest, kind=kind, graphs=graphs)
    told: list[str] = []
    drawing, vocoding = run_options(
        EngineConfig(provider=provider), replace(tiny, manifest=manifest), told.append
    )
    assert drawing.providers == (CPU_PROVIDERS if drawn_by_processor else there)
    assert vocoding.providers == there
    assert [("processor draws" in line, there[0] in line) for line in told] == (
        [(True, True)] if drawn_by_processor else []
    )
