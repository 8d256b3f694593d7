"""load_responder: the first of what the settings allow and the machine has."""

from pathlib import Path

import pytest

from selftalk.stream.config import ResponderConfig
from selftalk.stream.errors import ConfigError, ResponderError, WeightsError
from selftalk.stream.fetching import weights
from selftalk.stream.minds import ollama
from selftalk.stream.minds.chat_client import ChatClient
from selftalk.stream.minds.mirror import Mirror
from selftalk.stream.minds.responder import load_responder
from selftalk.stream.minds.small_llm import SmallLlm
from selftalk.stream.selves import Self

ME = Self("Me", "You are me.", "Short.", {"en": "Hi."})
KEY = "sk-secret-canary"


class Machine:
    """What there is on the machine of a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ollama: ollama.Ollama | None = None
        self.weights: Path | None = None
        self.llama = True
        monkeypatch.setattr(ollama, "find_ollama", lambda: self.ollama)
        monkeypatch.setattr(weights, "resolve", self.resolve)
        monkeypatch.setattr(weights, "find", lambda name: self.weights)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: self.llama or None)
        for variable in ("SELFTALK_CHAT_URL", "SELFTALK_CHAT_MODEL"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def resolve(self, name: str, progress: object = None) -> Path:
        if self.weights is None:
            raise WeightsError(f"no {name}")
        return self.weights / f"{name}.gguf"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def load(**settings: object) -> object:
    return load_responder(ResponderConfig(**settings), ME).responder  # type: ignore[arg-type]


def test_the_mirror_is_what_always_remains(machine: Machine) -> None:
    assert isinstance(load(), Mirror)
    machine.weights, machine.llama = Path("w"), False
    assert isinstance(load(), Mirror)
    assert "mirror" in load_responder(ResponderConfig(engine="mirror"), ME).description


def test_the_embedded_model_is_never_fetched_unasked(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "resolve", lambda name, progress=None: pytest.fail("fetched"))
    assert isinstance(load(), Mirror)


def test_the_embedded_model_comes_before_the_mirror(machine: Machine) -> None:
    machine.weights = Path("w")
    found = load_responder(ResponderConfig(), ME)
    assert isinstance(found.responder, SmallLlm)
    assert found.description == "smollm2-135m, embedded"


def test_a_local_ollama_comes_first_and_gets_no_key(machine: Machine) -> None:
    machine.weights = Path("w")
    machine.ollama = ollama.Ollama("http://127.0.0.1:11434/v1", ("llama3:8b", "qwen3:8b"))
    found = load_responder(ResponderConfig(), ME)
    assert isinstance(found.responder, ChatClient)
    assert found.description == "llama3:8b at http://127.0.0.1:11434/v1"
    assert found.responder._endpoint.key is None
    chosen = load_responder(ResponderConfig(model="qwen3:8b"), ME)
    assert chosen.description.startswith("qwen3:8b at")
    assert isinstance(load(engine="embedded"), SmallLlm)


def test_a_server_of_the_settings_comes_before_all(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.ollama = ollama.Ollama("http://127.0.0.1:11434/v1", ("llama3:8b",))
    client = load(base_url="http://127.0.0.1:8000/v1/", model="m")
    assert isinstance(client, ChatClient)
    assert client._endpoint.base_url == "http://127.0.0.1:8000/v1"
    assert client._endpoint.key == KEY
    monkeypatch.setenv("SELFTALK_CHAT_URL", "http://127.0.0.1:9000/v1")
    monkeypatch.setenv("SELFTALK_CHAT_MODEL", "n")
    found = load_responder(ResponderConfig(), ME)
    assert found.description == "n at http://127.0.0.1:9000/v1"


def test_a_gguf_of_the_user_is_run_with_instructions(machine: Machine, tmp_path: Path) -> None:
    path = tmp_path / "big.gguf"
    path.write_bytes(b"GGUF")
    machine.ollama = ollama.Ollama("http://127.0.0.1:11434/v1", ("llama3:8b",))
    for engine in ("auto", "embedded"):
        llm = load(engine=engine, model=str(path), threads=2)
        assert isinstance(llm, SmallLlm)
        assert llm._config.follows_instructions
        assert llm._config.n_threads == 2
        assert llm._config.languages is None


@pytest.mark.parametrize(
    ("settings", "error", "sentence"),
    [
        ({"engine": "chat"}, ResponderError, "start Ollama .* or set responder.base_url"),
        ({"engine": "embedded"}, WeightsError, "no smollm2-135m"),
        ({"model": "missing.gguf"}, ResponderError, "no model file 'missing.gguf'"),
        ({"base_url": "nonsense"}, ConfigError, "is not a URL"),
        ({"base_url": "http://169.254.169.254/"}, ConfigError, "no service has"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    machine: Machine, settings: dict[str, object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        load(**settings)


def test_without_llama_the_way_out_is_told(machine: Machine) -> None:
    machine.llama = False
    with pytest.raises(ResponderError, match=r"selftalk\[local\]"):
        load(engine="embedded")
