import openai
import pytest
from fakes_http import VOICES, http, make_context, serving

from selftalk.stream.server.app import build_app


@pytest.fixture(scope="module")
def url():
    with serving(build_app(make_context())) as address:
        yield address


@pytest.fixture(scope="module")
def client(url):
    with openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as one:
        yield one


def test_openai_client_lists_models_and_finds_each(client):
    names = [model.id for model in client.models.list()]
    assert names == ["selftalk", "tone", "lengthrecognizer"]
    assert [client.models.retrieve(name).id for name in names] == names


def test_openai_client_is_told_that_a_model_is_unknown(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-9")
    assert (caught.value.param, caught.value.code) == ("model", "model_not_found")


def test_voices_are_listed_as_objects_and_in_the_field_that_web_pages_read(url):
    listed = http.get(f"{url}/v1/audio/voices").json()
    assert [voice["id"] for voice in listed["data"]] == list(VOICES)
    assert {voice["name"] for voice in listed["voices"]} == set(VOICES)
    assert {voice["object"] for voice in listed["data"]} == {"audio.voice"}


def test_openai_client_cannot_make_or_delete_a_voice_from_afar(client):
    with pytest.raises(openai.PermissionDeniedError, match="own machine"):
        client.audio.voices.create(name="you", consent="c", audio_sample=b"sound")
    with pytest.raises(openai.PermissionDeniedError, match="own machine"):
        client.audio.voices.delete("me")
