import contextlib
import json
import random
import socket
import time
from pathlib import Path

import httpx
import pytest
from fakes_server import RawClient, base64_of, make_context, running, silence, speech

from selftalk.stream.errors import ConfigError
from selftalk.stream.protocol import ProtocolError, decode_client_event
from selftalk.stream.server.beta import decode_beta_event
from selftalk.stream.server.security import Rules, Tickets
from selftalk.stream.server.serve import checked_token
from selftalk.stream.server_config import ServerConfig

HOST = "127.0.0.1:8765"
TOKEN = "canary-token-0123456789"
GOOD_ORIGINS = (f"http://{HOST}", f"https://{HOST}", "http://absolute", "https://stage.example")
BAD_ORIGINS = """
null  file://  http://localhost  http://127.0.0.1  http://127.0.0.1:8766  http://localhost:8765
http://127.0.0.1:8765.evil.example  http://evil.example  https://evil.example:8765
http://127.0.0.1:8765/  http://127.0.0.1:8765@evil.example  ws://127.0.0.1:8765
http://absolute.evil.example  http://absolute:80  https://absolute  HTTP://ABSOLUTE
http://stage.example  https://stage.example.evil.example  https://stage.example:8443
https://xstage.example  https://stage.example/  http://[::1]:8765  http://127.1:8765
http://2130706433:8765  http://0x7f000001:8765  http://127.0.0.1:08765  chrome-extension://abc
http://127.0.0.1:8765,http://evil.example  javascript:alert(1)  http://localhost.evil:8765
""".split()
BAD_HOSTS = """
evil.example  evil.example:8765  127.0.0.1.evil.example  localhost.evil  127.0.0.1@evil.example
0.0.0.0  127.1  evil.example#localhost  localhost:80:80  localhost:
""".split()


class TestWhoMayComeIn:
    rules = Rules(allowed_hosts=("my.host",), allowed_origins=("https://stage.example",))

    @pytest.mark.parametrize("origin", GOOD_ORIGINS)
    def test_pages_that_may_connect(self, origin):
        assert self.rules.origin_is_allowed(origin, HOST)

    @pytest.mark.parametrize("origin", BAD_ORIGINS)
    def test_pages_that_may_not(self, origin):
        assert not self.rules.origin_is_allowed(origin, HOST)

    @pytest.mark.parametrize("host", [HOST, "localhost", "LOCALHOST:1", "[::1]:8765", "my.host"])
    def test_our_names(self, host):
        assert self.rules.host_is_allowed(host)

    @pytest.mark.parametrize("host", BAD_HOSTS)
    def test_other_names(self, host):
        assert not self.rules.host_is_allowed(host)

    def test_a_page_is_only_its_own_if_the_host_is_ours(self):
        assert not self.rules.origin_is_allowed("http://evil.example", "evil.example")


class TestStarting:
    def test_beyond_the_loopback_a_token_is_needed(self, monkeypatch):
        monkeypatch.delenv("SELFTALK_TOKEN", raising=False)
        assert checked_token(ServerConfig()) is None
        with pytest.raises(ConfigError, match="needs a token"):
            checked_token(ServerConfig(host="0.0.0.0"))

    def test_and_tls_or_a_word_that_it_is_not_wanted(self, monkeypatch):
        monkeypatch.setenv("SELFTALK_TOKEN", TOKEN)
        with pytest.raises(ConfigError, match="needs TLS"):
            checked_token(ServerConfig(host="0.0.0.0"))
        assert checked_token(ServerConfig(host="0.0.0.0", insecure_lan=True)) == TOKEN

    def test_a_short_token_is_refused_and_not_repeated(self, monkeypatch):
        monkeypatch.setenv("SELFTALK_TOKEN", "secret")
        with pytest.raises(ConfigError, match="too short") as caught:
            checked_token(ServerConfig())
        assert "secret" not in str(caught.value)


def test_a_ticket_is_good_once_and_for_a_minute():
    now = [0.0]
    tickets = Tickets(lambda: now[0])
    first, second = tickets.issue(), tickets.issue()
    assert tickets.redeem(first)
    assert not tickets.redeem(first)
    now[0] = 61
    assert not tickets.redeem(second)


class TestTheDoor:
    def status(self, server, path="/v1/realtime", **headers):
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in (upgrade | headers).items())]
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            return int(connection.recv(64).split()[1])

    def test_names_pages_and_keys(self):
        with running(make_context(token=TOKEN)) as server:
            ours = f"127.0.0.1:{server.port}"
            key = {"Authorization": f"Bearer {TOKEN}"}
            assert self.status(server, Host=ours, **key) == 101
            assert self.status(server, Host=ours) == 401
            assert self.status(server, Host=ours, Authorization="Bearer no") == 401
            assert self.status(server, Host="evil.example", **key) == 403
            assert self.status(server, Host=ours, Origin="http://evil.example", **key) == 403
            assert self.status(server, Host=ours, Origin=f"http://{ours}", **key) == 101
            offered = {"Sec-WebSocket-Protocol": f"realtime, openai-insecure-api-key.{TOKEN}"}
            assert self.status(server, Host=ours, **offered) == 101
            for path in ("/v1/models", "/v1/realtime/observe", "/metrics", "/v1/audio/voices"):
                assert self.status(server, path, Host=ours) == 401, path
            assert httpx.get(f"{server.url}/healthz", trust_env=False).status_code == 200

    def test_a_ticket_lets_in_once(self):
        with running(make_context(token=TOKEN)) as server:
            key = {"Authorization": f"Bearer {TOKEN}"}
            url = f"{server.url}/v1/realtime/client_secrets"
            ticket = httpx.post(url, headers=key, trust_env=False).json()["value"]
            ours = {"Host": f"127.0.0.1:{server.port}", "Authorization": f"Bearer {ticket}"}
            assert self.status(server, **ours) == 101
            assert self.status(server, **ours) == 401

    def test_the_token_is_never_logged(self, caplog):
        with running(make_context(token=TOKEN)) as server:
            offered = ["realtime", f"openai-insecure-api-key.{TOKEN}"]
            query = f"model=m&key={TOKEN}"
            with RawClient(server.ws_url, query, subprotocols=offered) as client:
                client.until("session.created")
                client.send(TOKEN)
                client.until("error")
                seen = json.dumps(client.seen)
            metrics = server.context.telemetry.text()
        assert TOKEN not in caplog.text + metrics
        assert TOKEN not in seen.replace(f"value '{TOKEN}'", "")


def malformed(count):
    """Frames that follow no protocol, the same ones every time."""
    chance = random.Random(0)
    good = json.dumps({"type": "input_audio_buffer.append", "audio": base64_of(b"1234")})
    odd = [None, True, -1, 1e308, "", "x" * 3000, [], {}, [[[]]], {"type": []}, "\x00"]
    fields = ["type", "audio", "session", "item", "item_id", "audio_end_ms", "response"]
    kinds = ["session.update", "response.create", "conversation.item.create", "no", "error"]
    for number in range(count):
        match number % 5:
            case 0:
                yield good[: chance.randrange(len(good))]
            case 1:
                place = chance.randrange(len(good))
                yield good[:place] + chr(chance.randrange(1, 0xD7FF)) + good[place + 1 :]
            case 2:
                chosen = {chance.choice(fields): chance.choice(odd) for _ in range(3)}
                yield json.dumps({"type": chance.choice(kinds)} | chosen)
            case 3:
                yield chance.randbytes(chance.randrange(200))
            case _:
                yield "[" * chance.randrange(2000)


class TestMalformed:
    @pytest.mark.parametrize("decode", [decode_client_event, decode_beta_event])
    def test_ten_thousand_frames_are_read_or_refused_with_a_sentence(self, decode):
        refused = 0
        for frame in malformed(10_000):
            with contextlib.suppress(ProtocolError):
                decode(frame)
                continue
            refused += 1
        assert refused > 8000

    def test_a_server_takes_them_all_answers_each_and_logs_little(self, caplog):
        with running() as server, RawClient(server.ws_url) as client:
            client.until("session.created")
            begun = time.monotonic()
            for frame in malformed(300):
                client.socket.send(frame)
            client.send("conversation.item.delete", item_id="nobody", event_id="last")
            while client.until("error")["error"]["event_id"] != "last":
                pass
            seconds = time.monotonic() - begun
            lines = [record for record in caplog.records if "refused" in record.message]
            assert len(lines) <= seconds + 2
            client.say(speech(0.5) + silence(1.0))
            client.until("response.done")

    def test_noise_instead_of_frames(self):
        with running() as server:
            for seed in range(50):
                noise = random.Random(seed).randbytes(200)
                address = ("127.0.0.1", server.port)
                with contextlib.suppress(OSError), socket.create_connection(address) as line:
                    line.sendall(noise + b"\r\n\r\n")
            assert httpx.get(f"{server.url}/healthz", trust_env=False).status_code == 200


class TestGoneClients:
    def test_who_does_not_read_is_cut_and_the_others_are_served(self):
        context = make_context(stalled_reader_seconds=0.3)
        with running(context) as server:
            with RawClient(server.ws_url) as good, RawClient(server.ws_url) as stalled:
                stalled.until("session.created")
                stalled.socket.recv_bufsize = 1
                stalled.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                with contextlib.suppress(Exception):
                    for _ in range(400):  # each answer holds the instructions; none is read
                        session = {"instructions": "x" * 90_000}
                        stalled.send("session.update", session=session)
                        if context.telemetry.counted("stalled_clients_total"):
                            break
                _wait_for(lambda: context.telemetry.counted("stalled_clients_total") == 1)
                good.until("session.created")
                good.say(speech(0.5) + silence(1.0))
                assert good.until("response.done")["response"]["status"] == "completed"
            _wait_for(lambda: context.admission.active == 0)

    def test_clients_that_vanish_leave_nothing_behind(self):
        with running() as server:
            self._vanish(server, 3)
            before = server.tasks(), _descriptors()
            self._vanish(server, 30)
            _wait_for(lambda: server.tasks() <= before[0])
            _wait_for(lambda: _descriptors() <= before[1])

    def _vanish(self, server, times):
        for number in range(times):
            with RawClient(server.ws_url) as client:
                client.until("session.created")
                if number % 3:
                    client.say(speech(0.3))
                if number % 3 == 2:
                    client.say(silence(1.0))
                    client.until("response.created")
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # a reset instead of a farewell
                client.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                client.socket.socket.shutdown(socket.SHUT_RDWR)
                client.socket.socket.close()
        _wait_for(lambda: server.context.admission.active == 0)


def _descriptors():
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def _wait_for(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_audio_that_comes_too_fast_waits():
    from selftalk.stream.server.pace import Pace

    now = [0.0]
    pace = Pace(10.0, lambda: now[0])
    assert pace.take(10.0) == 0
    assert pace.take(2.0) == 1.0  # at twice real time
    now[0] = 100.0
    assert pace.take(10.0) == 0  # no more than the burst was saved up
    assert pace.take(1.0) == 0.5
