import io
import threading
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import soundfile

from selftalk.stream.errors import ConfigError, RecognizerError
from selftalk.stream.listening.remote_recognizer import RemoteRecognizer
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.stop import StopFlag, Stopped

SOUND = AudioChunk(np.sin(np.arange(8_000) / 5).astype(np.float32) * 0.5, 8_000)


class StandIn:
    """A transcription service that answers as told and keeps what it was asked."""

    def __init__(self):
        self.status, self.answer, self.headers = 200, b'{"text": " Hello there. "}', {}
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kind = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n"
                parts = BytesParser().parsebytes(kind + body).get_payload()
                fields = {
                    part.get_param("name", header="content-disposition"): part.get_payload(
                        decode=True
                    )
                    for part in parts
                }
                outer.asked.append((self.path, self.headers.get("Authorization"), fields))
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.answer)))
                self.end_headers()
                self.wfile.write(outer.answer)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(
            target=lambda: self._server.serve_forever(poll_interval=0.01), daemon=True
        )
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def service():
    stand_in = StandIn()
    yield stand_in
    stand_in.close()


@pytest.fixture
def remote(service, monkeypatch):
    monkeypatch.setenv("A_KEY", "canary")
    recogniser = RemoteRecognizer(service.url, model="tiny", key_variable="A_KEY")
    yield recogniser
    recogniser.close()


def test_sends_a_wav_file_and_reads_the_text(service, remote):
    transcript = remote.transcribe(SOUND, "en-US")
    assert (transcript.text, transcript.language) == ("Hello there.", "en-US")
    path, key, fields = service.asked[0]
    assert (path, key) == ("/v1/audio/transcriptions", "Bearer canary")
    assert (fields["model"], fields["language"]) == (b"tiny", b"en")
    samples, rate = soundfile.read(io.BytesIO(fields["file"]))
    assert rate == 16_000
    assert len(samples) / rate == pytest.approx(1.0, abs=0.01)


def test_silence_is_not_sent(service, remote):
    assert remote.transcribe(AudioChunk(np.zeros(16_000, np.float32), 16_000)).text == ""
    assert service.asked == []


@pytest.mark.parametrize(
    ("status", "answer", "sentence"),
    [
        (401, b"", r"wants a valid key in \$A_KEY"),
        (404, b"", "no model 'tiny'"),
        (500, b"oops", "answered 500"),
        (200, b"<html>", "without a transcript"),
        (200, b'{"txt": 1}', "without a transcript"),
        (200, b'{"text": null}', "without a transcript"),
        (200, b"[]", "without a transcript"),
        (200, b" " * (1 << 21), "more than a transcript"),
    ],
)
def test_every_other_answer_is_one_sentence(service, remote, status, answer, sentence):
    service.status, service.answer = status, answer
    with pytest.raises(RecognizerError, match=sentence) as caught:
        remote.transcribe(SOUND)
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_redirects_are_not_followed(service, remote):
    other = StandIn()
    service.status, service.headers = 307, {"Location": other.url + "/audio/transcriptions"}
    with pytest.raises(RecognizerError, match="answered 307"):
        remote.transcribe(SOUND)
    assert other.asked == []
    other.close()


def test_nobody_there_is_one_sentence(service, remote):
    service.close()
    service.close = lambda: None
    with pytest.raises(RecognizerError, match="cannot be asked"):
        remote.transcribe(SOUND)


def test_too_long_and_stopped_are_not_sent(service, remote):
    long = AudioChunk(np.resize(SOUND.samples, 601 * 16_000), 16_000)
    with pytest.raises(RecognizerError, match="600 s at once, not 601 s"):
        remote.transcribe(long)
    stop = StopFlag()
    stop.set()
    with pytest.raises(Stopped):
        remote.transcribe(SOUND, stop=stop)
    assert service.asked == []


def test_an_address_is_needed():
    with pytest.raises(ConfigError, match="is not a URL"):
        RemoteRecognizer("")
