"""Any OpenAI-compatible `/v1/audio/transcriptions` endpoint as a recognizer.

Knows how to ask over HTTP; hears nothing itself.
"""

import io
import json

import httpx
import soundfile

from selftalk.stream.errors import RecognizerError
from selftalk.stream.listening.recognizer import (
    SAMPLE_RATE_HZ,
    Transcript,
    base_language,
    speech_samples,
)
from selftalk.stream.minds.endpoint import endpoint
from selftalk.stream.sound.audio import AudioChunk, Float32Array, to_int16
from selftalk.stream.stop import StopFlag

LONGEST_SECONDS = 600.0
"""The usual limit of such services is 25 MB: 13 minutes of 16 kHz WAV."""
LARGEST_ANSWER_BYTES = 1 << 20


class RemoteRecognizer:
    """Sends each utterance as a WAV file and reads the text of the answer."""

    suits_partials = False

    def __init__(
        self,
        base_url: str,
        *,
        model: str = "whisper-1",
        language: str = "en",
        key_variable: str = "OPENAI_API_KEY",
        timeout_seconds: float = 20.0,
    ) -> None:
        """Check the address; nothing is sent yet.

        Raises:
            ConfigError: the address is unusable.
        """
        self._model = model
        self._language = language
        self._key_variable = key_variable
        self._endpoint = endpoint(base_url, key_variable)
        self._client = self._endpoint.client(timeout_seconds)

    def transcribe(
        self, chunk: AudioChunk, language: str | None = None, stop: StopFlag | None = None
    ) -> Transcript:
        """Ask the service; see `Recognizer`."""
        told = language or self._language
        samples = speech_samples(chunk)
        if not len(samples):
            return Transcript("", told)
        if len(samples) > LONGEST_SECONDS * SAMPLE_RATE_HZ:
            raise RecognizerError(
                f"a remote recogniser takes {LONGEST_SECONDS:.0f} s at once,"
                f" not {chunk.duration_seconds:.0f} s"
            )
        (stop or StopFlag()).raise_if_set()
        return Transcript(self._ask(samples, told), told)

    def close(self) -> None:
        """Close the connections that were kept open."""
        self._client.close()

    def _ask(self, samples: Float32Array, language: str) -> str:
        fields = {"model": self._model, "language": base_language(language)}
        fields["response_format"] = "json"
        files = {"file": ("speech.wav", _wav(samples), "audio/wav")}
        where = self._endpoint.base_url
        try:
            with self._client.stream(
                "POST", "/audio/transcriptions", data=fields, files=files
            ) as response:
                self._check_status(response)
                return _text_of(_read(response), where)
        except httpx.TimeoutException as error:
            raise RecognizerError(f"{where} did not answer in time") from error
        except httpx.HTTPError as error:
            raise RecognizerError(f"{where} cannot be asked: {error}") from error

    def _check_status(self, response: httpx.Response) -> None:
        where, code = self._endpoint.base_url, response.status_code
        if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise RecognizerError(f"{where} wants a valid key in ${self._key_variable}")
        if code == httpx.codes.NOT_FOUND:
            raise RecognizerError(f"{where} has no transcriptions or no model '{self._model}'")
        if code != httpx.codes.OK:
            raise RecognizerError(f"{where} answered {code}")


def _wav(samples: Float32Array) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, to_int16(samples), SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _read(response: httpx.Response) -> bytes:
    content = b""
    for piece in response.iter_bytes():
        content += piece
        if len(content) > LARGEST_ANSWER_BYTES:
            raise RecognizerError(f"{response.url.host} answered with more than a transcript")
    return content


def _text_of(content: bytes, where: str) -> str:
    try:
        text = json.loads(content)["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise RecognizerError(f"{where} answered without a transcript") from error
    if not isinstance(text, str):
        raise RecognizerError(f"{where} answered without a transcript")
    return " ".join(text.split())
