"""Those who order speech and do not take it, and those who send too much, on the real server."""

import contextlib
import json
import socket
import time

import pytest
from fakes_http import ToneSynthesizer, big_chunks, eventually
from fakes_server import make_context, running

from selftalk.stream.server.app import build_api_v2_app, build_app

SPEECH = {"input": "word " * 800, "voice": "me", "response_format": "wav"}
TTS = {"text": "word " * 800, "text_lang": "en", "ref_audio_path": "me", "streaming_mode": True}


@pytest.mark.parametrize(
    ("build", "path", "body"),
    [(build_app, "/v1/audio/speech", SPEECH), (build_api_v2_app, "/tts", TTS)],
)
def test_a_client_that_takes_nothing_is_cut_off(build, path, body):
    synthesizer = big_chunks(ToneSynthesizer())
    context = make_context(synthesizer=synthesizer, stalled_reader_seconds=0.3)
    with running(context, build) as server, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(request(path, json.dumps(body).encode()))
        assert eventually(lambda: synthesizer.running == 1)
        assert eventually(lambda: not synthesizer.running and not context.admission.active, 15)
        assert eventually(lambda: not server.server.server_state.connections)
        assert synthesizer.steps < 800


def request(path, body, announced=None):
    head = (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"content-length: {announced or len(body)}\r\n\r\n"
    )
    return head.encode() + body


@pytest.fixture
def connection():
    with (
        running() as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection,
    ):
        yield connection


@pytest.mark.parametrize("megabytes", [1, 20, 40])
def test_who_sends_too_much_and_then_listens_hears_why(connection, megabytes):
    connection.sendall(request("/v1/audio/speech", b"x" * (megabytes << 20)))
    time.sleep(0.2)  # a reset would overtake what was not read yet
    assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_who_never_stops_sending_is_not_heard_for_ever(connection):
    sent = 0
    connection.sendall(request("/v1/audio/speech", b"", announced=1 << 40))
    with contextlib.suppress(ConnectionError):
        while sent < 1 << 30:
            sent += connection.send(b"x" * (1 << 20))
    assert sent < 1 << 28
