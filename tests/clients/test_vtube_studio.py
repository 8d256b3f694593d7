import asyncio
import json
import socket
import stat
from argparse import Namespace
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import fakes_observed
import pytest
from virtual_time import run_in_virtual_time
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from selftalk.clients import vtube_studio
from selftalk.clients.observer import FRAMES_HZ
from selftalk.clients.visemes import CLOSED, Mouth
from selftalk.clients.vtube_studio import drive, parameters_of, read_token, write_token
from selftalk.clients.vtube_studio_api import MOST_UNANSWERED, VtubeStudioApi, VtubeStudioError

NOBODY = "ws://127.0.0.1:9"
PATIENCE_SECONDS = 60
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

    def __init__(self, stand_in, answer_seconds=0.0):
        self.stand_in, self.answer_seconds = stand_in, answer_seconds
        self.waiting = asyncio.Queue()

    async def send(self, text):
        event = json.dumps({"messageType": "ModelLoadedEvent", "requestID": "event"})
        loop = asyncio.get_running_loop()
        for message in (event, self.stand_in.answer(text)):
            loop.call_later(self.answer_seconds, self.waiting.put_nowait, message)

    async def recv(self):
        return await self.waiting.get()


def authenticated(stand_in, token):
    return asyncio.run(VtubeStudioApi(Wire(stand_in)).authenticate(token))


def driven(stand_in, mouths, answer_seconds=0.0):
    """What was injected; the time between frames is virtual, and so is that of answers."""

    async def drive_all():
        api = VtubeStudioApi(Wire(stand_in, answer_seconds))
        await api.authenticate("old")

        async def frames():
            for mouth in mouths:
                yield mouth
                await asyncio.sleep(1 / FRAMES_HZ)

        await drive(api, frames())

    run_in_virtual_time(drive_all)
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
            driven(StandIn(injections_allowed=False), [Mouth(a=1)] * 5)

    def test_sixty_times_a_second_however_late_the_answers_are(self):
        second = [Mouth(a=1)] * FRAMES_HZ
        assert len(driven(StandIn(), second, answer_seconds=0.15)) == FRAMES_HZ

    def test_it_does_not_pile_up_before_one_that_does_not_answer(self):
        injected = driven(StandIn(), [Mouth(a=1)] * 300, answer_seconds=2.0)
        assert len(injected) == 3 * MOST_UNANSWERED

    def test_parameters_stay_in_their_range(self):
        for mouth in (CLOSED, Mouth(1, 1, 1, 1, 1), Mouth(u=1), Mouth(i=1)):
            assert all(0 <= value <= 1 for value in parameters_of(mouth).values())
        assert parameters_of(CLOSED)["VoiceFrequencyPlusMouthSmile"] == 0.5
        assert parameters_of(CLOSED)["VoiceSilence"] == 1


@asynccontextmanager
async def vtube_studio_running(stand_in, port=0):
    async def talk(wire):
        with suppress(ConnectionClosed):
            async for text in wire:
                await wire.send(stand_in.answer(text))

    async with serve(talk, "127.0.0.1", port) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def options(tmp_path):
    """The options of the command."""

    def chosen(**changed):
        usual = {"server": NOBODY, "address": NOBODY, "wait": False, "lead_ms": 0.0}
        return Namespace(**usual | {"token_file": tmp_path / "token"} | changed)

    return chosen


def spoken(stand_in, options, late=False):
    """Run the command until the stand-in's mouth was open and shut again."""

    async def speak():
        async with fakes_observed.observed_server() as server, AsyncExitStack() as running:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            address = f"ws://127.0.0.1:{port}"
            if not late:
                await running.enter_async_context(vtube_studio_running(stand_in, port))
            chosen = options(server=server, address=address, wait=late)
            driving = asyncio.create_task(vtube_studio._keep_driving(chosen))
            if late:
                await asyncio.sleep(0.1)
                await running.enter_async_context(vtube_studio_running(stand_in, port))
            await stand_in.shut.wait()
            driving.cancel()
            with suppress(asyncio.CancelledError):
                await driving

    asyncio.run(asyncio.wait_for(speak(), PATIENCE_SECONDS))


def test_a_spoken_word_moves_the_mouth_in_vtube_studio(options):
    stand_in = StandIn()
    spoken(stand_in, options)
    assert options().token_file.read_text() == "new"
    opened = [values["MouthOpen"] for values in stand_in.injected]
    assert max(opened) > 0.9
    assert opened[-1] == 0


def test_who_may_wait_waits_until_it_starts(options, monkeypatch, capsys):
    monkeypatch.setattr(vtube_studio, "RETRY_SECONDS", 0.01)
    spoken(StandIn(), options, late=True)
    assert capsys.readouterr().err.count("nobody listens there; waiting for it") == 1


class TestErrors:
    def test_vtube_studio_is_not_there(self, options, capsys):
        assert vtube_studio.run(options()) == 2
        assert capsys.readouterr().err == (
            f"selftalk: VTube Studio does not answer at {NOBODY}: nobody listens there; "
            "start it and turn on its plugin API\n"
        )

    def test_an_address_that_is_none_is_not_waited_for(self, options, capsys):
        assert vtube_studio.run(options(address="http://127.0.0.1:8001", wait=True)) == 2
        assert capsys.readouterr().err.endswith(": an address begins with ws:// or wss://\n")

    def refused(self, options, stand_in):
        async def run():
            async with vtube_studio_running(stand_in) as address:
                return await asyncio.to_thread(vtube_studio.run, options(address=address))

        return asyncio.run(run())

    def test_the_user_says_no(self, options, capsys):
        assert self.refused(options, StandIn(allows=False)) == 2
        assert "selftalk: VTube Studio: User has denied" in capsys.readouterr().err

    def test_somebody_else_listens_there(self, options, capsys):
        class Stranger:
            def answer(self, _text):
                return "hello"

        assert self.refused(options, Stranger()) == 2
        assert "this is not VTube Studio's API" in capsys.readouterr().err
