import asyncio
import json
import stat
from argparse import Namespace
from contextlib import asynccontextmanager, suppress

import fakes_observed
import pytest
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from selftalk.clients import vtube_studio
from selftalk.clients.visemes import CLOSED, Mouth
from selftalk.clients.vtube_studio import drive, parameters_of, read_token, write_token
from selftalk.clients.vtube_studio_api import VtubeStudioApi, VtubeStudioError

KNOWN = ["FacePositionX", "MouthOpen", "MouthSmile", "VoiceVolumePlusMouthOpen", "VoiceA"]


class RefusalError(Exception):
    """What VTube Studio answers with an APIError: number and message."""


class StandIn:
    """VTube Studio as its documentation describes it; refuses what that would refuse."""

    def __init__(self, *, allows=True, valid=("old",), injections_allowed=True):
        self.allows, self.valid = allows, list(valid)
        self.injections_allowed = injections_allowed
        self.authenticated = False
        self.asked = []
        self.injected = []
        self.shut = asyncio.Event()

    def answer(self, text):
        message = json.loads(text)
        assert message["apiName"] == "VTubeStudioPublicAPI"
        assert message["apiVersion"] == "1.0"
        assert message["requestID"].isascii()
        assert len(message["requestID"]) <= 64
        kind, content = message["messageType"], message.get("data", {})
        self.asked.append(kind)
        try:
            told = getattr(self, kind)(**content)
            response = kind.removesuffix("Request") + "Response"
        except RefusalError as refusal:
            number, reason = refusal.args
            told, response = {"errorID": number, "message": reason}, "APIError"
        return json.dumps(
            {
                "apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "timestamp": 1625405710728,
                "requestID": message["requestID"], "messageType": response, "data": told,
            }
        )  # fmt: skip

    def AuthenticationTokenRequest(self, pluginName, pluginDeveloper, pluginIcon=None):  # noqa: N802
        assert 3 <= len(pluginName) <= 32
        assert 3 <= len(pluginDeveloper) <= 32
        if not self.allows:
            raise RefusalError(50, "User has denied API access for your plugin.")
        self.valid.append("new")
        return {"authenticationToken": "new"}

    def AuthenticationRequest(self, pluginName, pluginDeveloper, authenticationToken):  # noqa: N802
        self.authenticated = authenticationToken in self.valid
        return {"authenticated": self.authenticated, "reason": ""}

    def InputParameterListRequest(self):  # noqa: N802
        assert self.authenticated
        defaults = [{"name": name, "value": 0, "min": 0, "max": 1} for name in KNOWN]
        return {"modelLoaded": True, "defaultParameters": defaults, "customParameters": []}

    def InjectParameterDataRequest(self, parameterValues, mode="set", faceFound=False):  # noqa: N802
        assert self.authenticated
        assert mode in ("set", "add")
        if not self.injections_allowed:
            raise RefusalError(454, "another plugin controls this parameter")
        for one in parameterValues:
            assert set(one) <= {"id", "value", "weight"}
            assert 0 <= one["value"] <= 1
            if one["id"] not in KNOWN:
                raise RefusalError(453, f"unknown parameter {one['id']}")
        self.injected.append({one["id"]: one["value"] for one in parameterValues})
        if parameterValues[0]["value"] == 0 and len(self.injected) > 10:
            self.shut.set()
        return {}


class Wire:
    """A socket with the stand-in on its other end, and an event of the API in between."""

    def __init__(self, stand_in):
        self.stand_in, self.waiting = stand_in, []

    async def send(self, text):
        event = json.dumps({"messageType": "ModelLoadedEvent", "requestID": "event"})
        self.waiting += [event, self.stand_in.answer(text)]

    async def recv(self):
        return self.waiting.pop(0)


def authenticated(stand_in, token):
    return asyncio.run(VtubeStudioApi(Wire(stand_in)).authenticate(token))


def driven(stand_in, mouths):
    async def drive_all():
        api = VtubeStudioApi(Wire(stand_in))
        await api.authenticate("old")

        async def frames():
            for mouth in mouths:
                yield mouth

        await drive(api, frames())

    asyncio.run(drive_all())
    return stand_in.injected


class TestToken:
    def test_a_kept_token_needs_no_question(self):
        stand_in = StandIn()
        assert authenticated(stand_in, "old") == "old"
        assert stand_in.asked == ["AuthenticationRequest"]

    @pytest.mark.parametrize("kept", ["", "revoked"])
    def test_otherwise_the_user_is_asked_once(self, kept):
        stand_in = StandIn()
        assert authenticated(stand_in, kept) == "new"
        assert stand_in.asked.count("AuthenticationTokenRequest") == 1
        assert stand_in.authenticated

    def test_a_no_is_an_error_with_its_reason(self):
        with pytest.raises(VtubeStudioError, match="denied API access") as caught:
            authenticated(StandIn(allows=False), "")
        assert caught.value.number == 50

    def test_it_is_kept_for_its_owner_alone(self, tmp_path):
        path = tmp_path / "settings" / "vtube_studio.token"
        assert read_token(path) == ""
        write_token(path, "new")
        assert read_token(path) == "new"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


class TestMouth:
    def test_only_known_parameters_are_injected(self):
        injected = driven(StandIn(), [Mouth(a=1)])
        assert injected == [{"MouthOpen": 1, "VoiceVolumePlusMouthOpen": 1, "VoiceA": 1}]

    def test_it_glides_shut_and_is_then_left_to_the_webcam(self):
        injected = driven(StandIn(), [Mouth(a=1), *[None] * 100])
        assert injected[-1]["MouthOpen"] == 0
        assert len(injected) == vtube_studio.CLOSING_FRAMES

    def test_silence_injects_nothing(self):
        assert driven(StandIn(), [None] * 100) == []

    def test_a_mouth_that_another_plugin_holds_is_an_error(self):
        with pytest.raises(VtubeStudioError, match="another plugin"):
            driven(StandIn(injections_allowed=False), [Mouth(a=1)])

    def test_parameters_stay_in_their_range(self):
        for mouth in (CLOSED, Mouth(1, 1, 1, 1, 1), Mouth(u=1), Mouth(i=1)):
            assert all(0 <= value <= 1 for value in parameters_of(mouth).values())
        assert parameters_of(CLOSED)["VoiceFrequencyPlusMouthSmile"] == 0.5
        assert parameters_of(CLOSED)["VoiceSilence"] == 1


@asynccontextmanager
async def vtube_studio_running(stand_in):
    async def talk(socket):
        with suppress(ConnectionClosed):
            async for text in socket:
                await socket.send(stand_in.answer(text))

    async with serve(talk, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def options(**chosen):
    return Namespace(lead_ms=0.0, **chosen)


def test_a_spoken_word_moves_the_mouth_in_vtube_studio(tmp_path):
    stand_in, token_file = StandIn(), tmp_path / "token"

    async def speak():
        async with (
            fakes_observed.observed_server() as server,
            vtube_studio_running(stand_in) as address,
        ):
            chosen = options(server=server, address=address, token_file=token_file)
            driving = asyncio.create_task(vtube_studio._keep_driving(chosen))
            await stand_in.shut.wait()
            driving.cancel()
            with suppress(asyncio.CancelledError):
                await driving

    asyncio.run(asyncio.wait_for(speak(), 10))
    assert token_file.read_text() == "new"
    opened = [values["MouthOpen"] for values in stand_in.injected]
    assert max(opened) > 0.9
    assert opened[-1] == 0


def test_refusal_ends_the_command_with_one_sentence(tmp_path, capsys):
    async def refused():
        async with vtube_studio_running(StandIn(allows=False)) as address:
            chosen = options(server="ws://127.0.0.1:9", address=address, token_file=tmp_path / "t")
            await asyncio.to_thread(vtube_studio.run, chosen)

    asyncio.run(refused())
    assert "selftalk: VTube Studio: User has denied" in capsys.readouterr().err
