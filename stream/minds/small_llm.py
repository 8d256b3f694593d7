"""SmallLlm: an embedded language model that answers in the role of a self.

A model of 135 million parameters hardly follows instructions but imitates well, so the role
is given as example exchanges; their prompt is computed once and stays cached. The mirror
lends it an ear: where that has understood something, it says the first sentence, at once, and
the model goes on with a question. Facts the model answers out of its role, for it knows a few;
everything else is left to the mirror. A model that follows instructions answers all by itself.
Knows nothing about audio or sentences.
"""

import importlib
import secrets
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from selftalk.stream.dialogue.conversation import Message
from selftalk.stream.errors import ResponderError
from selftalk.stream.minds.mirror import Mirror, find_topic, is_crisis
from selftalk.stream.minds.reply_guard import ReplyGuard
from selftalk.stream.selves import Example, Self
from selftalk.stream.stop import StopFlag, Stopped
from selftalk.stream.text.language_guess import guess_language
from selftalk.stream.thread_stream import emit_in_thread

MAX_TOKENS = 72  # about 50 words; the guard ends a reply earlier
HISTORY_MESSAGES = 24
HISTORY_STEP = 20  # shortened by so many at once: each time the cache of the rest is lost
SHARED_REQUEST: Mapping[str, Any] = {
    "stream": True,
    "cache_prompt": True,
    "return_progress": True,  # calls back while the prompt is computed, so that it can stop
    "max_tokens": MAX_TOKENS,
}
BATCH_TOKENS = 64  # a stop flag is seen after so many tokens of prompt, or one of reply
LOCK_POLL_SECONDS = 0.05

# Where a tactless question would hurt, rules are better than a model that guesses.
TENDER_TOPICS = frozenset(["crisis", "loss", "missing", "breakup", "conflict", "lonely", "sad"])
TENDER_TOPICS |= frozenset(["guilt", "ill", "failure", "in love"])

# After a first sentence of the mirror's, a question that begins like this stays with the matter;
# left to itself the model begins to give advice.
NUDGE = " What"
UNNUDGED_TOPICS = frozenset(["food"])

# Asked for a fact, it answers best out of its role, greedily, after plain examples: 10 of 12
# simple questions right, against one in five when in the role of the critic.
FACT_TOPIC = "fact"
FACT_EXAMPLES = (
    Example("What is the largest ocean?", "The largest ocean is the Pacific."),
    Example("Who invented the telephone?", "I think it was Alexander Graham Bell."),
    Example("How many days are in a year?", "There are three hundred sixty-five days in a year."),
    Example("Where is Mount Everest?", "Mount Everest is in the Himalayas."),
)
ROLE_SLOT, FACT_SLOT = 0, 1  # each keeps the computed prompt of its examples

Chunk = dict[str, Any]


class ChatServer(Protocol):
    """What is used of `xllamacpp.Server`."""

    def handle_chat_completions(
        self, request: dict[str, Any], on_chunk: Callable[[Chunk], bool]
    ) -> None:
        """Answer a chat request; `on_chunk` gets each delta and returns whether to stop."""


@dataclass(frozen=True, slots=True)
class SmallLlmConfig:
    """How an embedded model is run."""

    n_threads: int = 1
    """More make it slower as soon as another stage is busy too: llama.cpp spins."""
    context_tokens: int = 2048
    temperature: float = 0.2
    repeat_penalty: float = 1.1
    repeat_tokens: int = 20
    """How far back words are penalised: the reply, not the examples before it."""
    top_p: float = 0.9
    languages: frozenset[str] | None = frozenset({"en"})
    """The languages it speaks; None for any."""
    follows_instructions: bool = False
    """Whether a system prompt helps it (the smallest models get worse by one), so that it can
    do without the mirror."""

    @classmethod
    def for_instruct_model(
        cls, n_threads: int, temperature: float, self_: Self
    ) -> "SmallLlmConfig":
        """How to run a model that is big enough to follow instructions."""
        return cls(
            n_threads=n_threads,
            context_tokens=4096,
            temperature=temperature if self_.temperature is None else self_.temperature,
            languages=None,
            follows_instructions=True,
        )


class SmallLlm:
    """A GGUF model in this process, one reply at a time."""

    def __init__(
        self,
        model_path: Path,
        self_: Self,
        config: SmallLlmConfig | None = None,
        *,
        mirror: Mirror | None = None,
        open_server: Callable[[Path, SmallLlmConfig], ChatServer] | None = None,
    ) -> None:
        """Take note of a model; it is loaded by `warm_up` or the first reply.

        Args:
            model_path: an instruct model in GGUF format.
            self_: the role to play.
            config: how to run it.
            mirror: what answers where the model cannot.
            open_server: loads the model (for tests).
        """
        self._model_path = model_path
        self._self = self_
        self._config = config or SmallLlmConfig()
        self._mirror = mirror or Mirror.of_self(self_.name, self_.openings)
        self._open_server = open_server or open_llama
        self._server: ChatServer | None = None
        self._busy = threading.Lock()

    async def reply(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """Stream the reply to a conversation; closing the stream stops the model.

        Raises:
            ResponderError: the model cannot be loaded or run.
        """
        question = next((m.text for m in reversed(messages) if m.role == "user"), "")
        if not self._may_answer(question):
            yield self._mirror.answer(messages)
            return
        guided = not self._config.follows_instructions
        topic = find_topic(question) if guided else ""
        opening = self._mirror.opening(messages) if guided and topic != FACT_TOPIC else ""
        if guided and not opening and topic != FACT_TOPIC:
            yield self._mirror.answer(messages)
            return
        nudge = NUDGE if opening and topic not in UNNUDGED_TOPICS else ""
        request = self._request(messages, opening + nudge)
        if topic == FACT_TOPIC:
            request = self._fact_request(question)
        guard = ReplyGuard(
            [question, *_last_replies(messages)], opening=opening, ends_at_question=guided
        )
        if opening:
            yield opening + "\n"  # so that it is spoken without waiting for the next word
            guard.push(nudge)
        async with aclosing(self._guarded(request, guard)) as pieces:
            async for piece in pieces:
                yield piece
        if guard.is_empty:
            yield self._mirror.question(messages) if opening else self._mirror.answer(messages)

    async def warm_up(self) -> None:
        """Load the model and compute the prompt that all replies share.

        Raises:
            ResponderError: the model cannot be loaded.
        """
        hello = [Message("user", "Hi.")]
        requests = [self._request(hello)]
        if not self._config.follows_instructions:
            requests.append(self._fact_request("Hi."))
        for request in requests:
            async with aclosing(self._deltas(request | {"max_tokens": 1})) as deltas:
                async for _ in deltas:
                    pass

    async def close(self) -> None:
        """Give the memory of the model back."""
        self._server = None

    async def _guarded(
        self, request: dict[str, Any], guard: ReplyGuard
    ) -> AsyncGenerator[str, None]:
        """What the guard lets through of the model's reply."""
        async with aclosing(self._deltas(request)) as deltas:
            async for delta in deltas:
                if text := guard.push(delta):
                    yield text
                if guard.is_over:
                    break
        if text := guard.flush():
            yield text

    def _may_answer(self, question: str) -> bool:
        languages = self._config.languages
        if is_crisis(question) or (languages and guess_language(question) not in languages):
            return False
        return self._config.follows_instructions or find_topic(question) not in TENDER_TOPICS

    def _request(self, messages: Sequence[Message], begun: str = "") -> dict[str, Any]:
        """The reply to a conversation, in the role, from what is already begun of it."""
        said_first = [{"role": "assistant", "content": begun}] if begun else []
        return {
            **SHARED_REQUEST,
            "messages": self._prompt(messages) + said_first,
            "id_slot": ROLE_SLOT,
            "temperature": self._config.temperature,
            "top_p": self._config.top_p,
            "repeat_penalty": self._config.repeat_penalty,
            "repeat_last_n": self._config.repeat_tokens,
            "seed": len(messages),
        }

    def _fact_request(self, question: str) -> dict[str, Any]:
        """The answer to a question about the world."""
        asked = [{"role": "user", "content": question}]
        messages = _shown(FACT_EXAMPLES) + asked
        return {**SHARED_REQUEST, "messages": messages, "id_slot": FACT_SLOT, "temperature": 0}

    def _prompt(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        """Role, example exchanges, and the recent messages, in the words of the chat format."""
        said = [m for m in messages if m.role != "system"]
        question = said[-1].text if said else ""
        told = [m for m in messages if m.role == "system"][:1]
        prompt = []
        if self._config.follows_instructions:
            system = told[0].text if told else self._self.instructions()
            prompt.append({"role": "system", "content": system})
        prompt += _shown(self._self.examples_in(guess_language(question)))
        return prompt + [{"role": m.role, "content": m.text} for m in _recent(said)]

    def _deltas(self, request: dict[str, Any]) -> AsyncGenerator[str, None]:
        stop = StopFlag()

        def produce(emit: Callable[[str], None]) -> None:
            self._acquire(stop)
            try:
                self._generate(request, emit, stop)
            finally:
                self._busy.release()

        return emit_in_thread(produce, stop, max_items=MAX_TOKENS, name="llm")

    def _acquire(self, stop: StopFlag) -> None:
        """Wait for the reply before this one, which was stopped, to leave the model."""
        while not self._busy.acquire(timeout=LOCK_POLL_SECONDS):
            stop.raise_if_set()

    def _generate(
        self, request: dict[str, Any], emit: Callable[[str], None], stop: StopFlag
    ) -> None:
        if self._server is None:
            self._server = self._open_server(self._model_path, self._config)
        stop.raise_if_set()
        failures: list[str] = []

        def on_chunk(chunk: Chunk) -> bool:
            if "error" in chunk:
                failures.append(str(chunk["error"].get("message", "unknown error")))
            try:
                for choice in chunk.get("choices", ()):
                    if content := choice.get("delta", {}).get("content"):
                        emit(content)
            except Stopped:
                return True
            return stop.is_set or bool(failures)

        self._server.handle_chat_completions(request, on_chunk)
        if failures:
            raise ResponderError(f"'{self._model_path.name}' cannot answer: {failures[0]}")


def _shown(examples: Sequence[Example]) -> list[dict[str, str]]:
    texts = [text for example in examples for text in (example.user, example.reply)]
    roles = ["user", "assistant"] * len(examples)
    return [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]


def _recent(said: Sequence[Message]) -> Sequence[Message]:
    """The last messages; the first of them stays the same for several turns."""
    excess = max(0, len(said) - HISTORY_MESSAGES)
    start = -(-excess // HISTORY_STEP) * HISTORY_STEP
    return said[start:]


def _last_replies(messages: Sequence[Message]) -> list[str]:
    return [message.text for message in messages if message.role == "assistant"][-2:]


def open_llama(model_path: Path, config: SmallLlmConfig) -> ChatServer:
    """Load a GGUF file with llama.cpp.

    Raises:
        ResponderError: the file is no GGUF model, or llama.cpp is not installed.
    """
    try:
        with model_path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ResponderError(f"cannot read the model '{model_path}': {error.strerror}") from error
    if magic != b"GGUF":
        raise ResponderError(f"'{model_path}' is not a GGUF model file")
    try:
        llama = importlib.import_module("xllamacpp")
    except ImportError as error:
        raise ResponderError(
            "the embedded language model needs llama.cpp: pip install 'selftalk[local]'"
        ) from error
    try:
        server: ChatServer = llama.Server(_llama_params(llama, model_path, config))
    except (RuntimeError, ValueError, MemoryError) as error:
        raise ResponderError(f"llama.cpp cannot load '{model_path}': {error}") from error
    return server


def _llama_params(llama: Any, model_path: Path, config: SmallLlmConfig) -> Any:
    params = llama.CommonParams()
    params.model.path = str(model_path)
    params.cpuparams.n_threads = config.n_threads
    params.cpuparams_batch.n_threads = config.n_threads
    params.n_ctx = config.context_tokens
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.n_parallel = 1 if config.follows_instructions else FACT_SLOT + 1
    params.kv_unified = True
    params.n_gpu_layers = 0
    params.cache_ram_mib = 0  # by default llama.cpp keeps up to 8 GiB of old prompts
    params.verbosity = 0
    # The engine also listens on a loopback port: nobody knows the key, and nothing is served.
    params.api_keys = [secrets.token_hex(32)]
    params.ui = False
    params.endpoint_slots = False
    params.n_threads_http = 1
    return params
