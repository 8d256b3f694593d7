import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from msgspec import Meta

from selftalk.stream.config import SECTIONS, SHIPPED, TalkConfig, load_config
from selftalk.stream.errors import ConfigError
from selftalk.stream.strict_toml import build, describe, merge, read_override, setting_types


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


class TestShipped:
    def test_the_default_file_says_what_the_code_says(self):
        assert load_config() == TalkConfig()

    def test_the_default_file_holds_every_setting_there_is(self):
        path = Path(__file__).parents[2] / "configs" / "default.toml"
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        assert {name: list(table) for name, table in tables.items()} == {
            name: list(setting_types(section)) for name, section in SECTIONS.items()
        }

    @pytest.mark.parametrize("name", SHIPPED)
    def test_all_load(self, name):
        assert isinstance(load_config(name), TalkConfig)

    def test_they_differ_from_the_default_where_they_say(self):
        assert load_config("cpu").agent.speculate_speech is False
        assert load_config("low_latency").turns.usual_wait_ms < load_config().turns.usual_wait_ms


class TestOrder:
    def test_the_command_line_wins_over_the_file_and_the_file_over_the_default(self, written):
        path = written("[agent]\nlead_ms = 1000\nduck_db = 6.0\n")
        config = load_config(path, ["agent.lead_ms=1500"])
        assert config.agent.lead_ms == 1500
        assert config.agent.duck_db == 6.0
        assert config.agent.interrupt_after_ms == TalkConfig().agent.interrupt_after_ms

    @pytest.mark.parametrize(
        ("assignment", "value"),
        [
            ("voice.name=my own voice", "my own voice"),
            ('voice.name="quoted"', "quoted"),
            ("voice.name=", ""),
            ("agent.apology=a=b", "a=b"),
        ],
    )
    def test_text_needs_no_quotes_on_the_command_line(self, assignment, value):
        [(_, table)] = read_override(assignment).items()
        assert list(table.values()) == [value]

    def test_whole_numbers_are_numbers_and_truth_is_truth(self):
        config = load_config(overrides=["agent.duck_db=9", "agent.barge_in=false"])
        assert config.agent.duck_db == 9.0
        assert config.agent.barge_in is False

    def test_later_layers_win_key_by_key(self):
        assert merge({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}, "b": {}}) == {
            "a": {"x": 1, "y": 3},
            "b": {},
        }


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("[vaod]\n", r"unknown table \[vaod\] in '.*mine.toml'; did you mean 'vad'\? known: a"),
            ("[agent]\nduckdb = 1\n", r"unknown key 'duckdb' in \[agent\] of .*mean 'duck_db'\?"),
            ("[agent]\nzzz = 1\n", r"unknown key 'zzz' in \[agent\].*; known: barge_in, duck_db"),
            ("[recognizer]\nvoice = 1\n", r"unknown key 'voice' in \[recognizer\].*known: engine"),
            (
                "[agent]\nduck_db = 'loud'\n",
                r"^agent.duck_db is 'loud'; it must be a number from 0 to 60$",
            ),
            ("[agent]\nlead_ms = 1.5\n", r"agent.lead_ms is 1.5; it must be a whole number from"),
            ("[agent]\nbarge_in = 1\n", r"agent.barge_in is 1; it must be true or false"),
            ("[agent]\nlead_ms = true\n", r"agent.lead_ms is true; it must be a whole number"),
            ("[agent]\nduck_db = 99\n", r"agent.duck_db is 99; it must be a number from 0 to 60"),
            ("[vad]\nengine = 'ears'\n", r'vad.engine is \'ears\'; .* one of "silero", "webrtc"'),
            ("[voice]\nname = 3\n", r"voice.name is 3; it must be text"),
            ("[recognizer]\nthreads = 'x'\n", r"recognizer.threads is 'x'; .* a whole number"),
            ("[turns]\npause_ms = 900\n", r"turn detection needs pause_ms <= shortest_wait_ms"),
            ("[agent\n", r"mine.toml' is not valid TOML: .*line 1"),
            ("lead_ms = 3\n", r"setting 'lead_ms' stands outside of a \[table\]"),
        ],
    )
    def test_in_a_file_get_one_sentence(self, written, text, sentence):
        with pytest.raises(ConfigError, match=sentence) as caught:
            load_config(written(text))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("assignment", ["agent", "agent.lead_ms", "=3", "lead_ms=3", ".x=1"])
    def test_of_form_on_the_command_line(self, assignment):
        with pytest.raises(ConfigError, match=r"is not of the form table.key=value"):
            load_config(overrides=[assignment])

    def test_of_name_on_the_command_line(self):
        with pytest.raises(
            ConfigError, match=r"unknown key 'lead' in \[agent\] of the command line"
        ):
            load_config(overrides=["agent.lead=3"])

    def test_a_config_that_is_not_there(self):
        with pytest.raises(ConfigError, match=r"'fast' is neither .*: default, low_latency, cpu"):
            load_config("fast")

    def test_a_file_that_is_no_text(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ConfigError, match="is not UTF-8 text"):
            load_config(path)
        path.write_bytes(b"#" * 1_000_001)
        with pytest.raises(ConfigError, match="too large"):
            load_config(path)


def test_sections_may_be_any_frozen_dataclass():
    @dataclass(frozen=True)
    class Tea:
        minutes: Annotated[int, Meta(ge=1)] = 3
        kind: Literal["green", "black"] = "green"

    assert build(Tea, {"minutes": 5}, "tea") == Tea(5)
    assert describe(Annotated[int, Meta(ge=1)]) == "a whole number of at least 1"
    with pytest.raises(ConfigError, match=r'tea.kind is .red.; it must be one of "green", "black"'):
        build(Tea, {"kind": "red"}, "tea")
