"""Who gets in: every combination of names, pages, tokens and sizes, over a real socket."""

import asyncio
import logging
import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from fakes_http import ToneSynthesizer, http, make_context, serving

from selftalk.stream.config import TalkConfig, load_config
from selftalk.stream.errors import ConfigError
from selftalk.stream.server.app import build_api_v2_app, build_app
from selftalk.stream.server.serve import checked_token
from selftalk.stream.server_config import ServerConfig

NO_ROUTE = None  # a websocket.close has no status
TOKEN = "canary-0123456789abcdef"
OWN_PORT = "{port}"  # replaced by the real one

GOOD_HOSTS = ["localhost:{port}", "127.0.0.1:{port}", "LOCALHOST:{port}", "[::1]:{port}", "studio"]
BAD_HOSTS = [
    "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "evil.example:{port}",
    "localhost@evil.example", "2130706433", "0x7f.1", "0.0.0.0:{port}", "localhost,evil.example",
    "", "127.0.0.1:99999", "127.1", "ｌocalhost", "169.254.169.254",
]  # fmt: skip
GOOD_ORIGINS = ["http://{host}", "https://{host}", "http://absolute", "https://stage.example"]
BAD_ORIGINS = [
    "null", "file://", "http://evil.example", "https://evil.example", "http://localhost",
    "http://localhost:1", "http://127.0.0.1:80", "http://localhost.evil.example",
    "http://localhost:{port}.evil.example", "http://evil.example#{host}", "http://{host}@evil.com",
    "http://evil.example/{host}", "http://evil.example?{host}", "http://{host}/", "http://{host}/x",
    "ws://{host}", "ftp://{host}", "//{host}", "{host}", "HTTP://{host}", "http:/{host}",
    "http://absolute.evil.example", "http://absolute:{port}", "https://absolute",
    "https://stage.example.evil", "https://stage.example:8443", "http://stage.example",
    "https://STAGE.example", "https://xstage.example", "chrome-extension://abcdef",
    "http://{host} http://evil.example", "http://evil.example, http://{host}", "http://[::1",
    "http://localhost:{port}\\.evil.example", "http://LOCALHOST:{port}",
]  # fmt: skip
PATHS = [
    ("GET", "/v1/models"), ("GET", "/v1/audio/voices"), ("POST", "/v1/audio/speech"),
    ("POST", "/v1/audio/transcriptions"), ("GET", "/metrics"), ("GET", "/v1/realtime"),
    ("POST", "/v1/audio/voices"), ("GET", "/v1/nothing"),
]  # fmt: skip
API_V2_PATHS = [
    ("GET", "/tts?text=a&text_lang=en"), ("POST", "/tts"), ("GET", "/set_gpt_weights"),
    ("GET", "/set_sovits_weights"), ("GET", "/set_refer_audio"), ("GET", "/control?command=exit"),
    ("GET", "/nothing"),
]  # fmt: skip


def ask(url, method, path, *headers, body=b""):
    """The status of a request whose headers are exactly these, wrong ones too."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        lines = [f"{method} {path} HTTP/1.1", *headers, f"content-length: {len(body)}"]
        request = "\r\n".join([*lines, "connection: close", "", ""])
        connection.sendall(request.encode("utf-8") + body)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return int(answer.split()[1]) if answer else 0


async def ask_app(app, kind, host, origin):
    """The status without a socket between: the same app, a thousand times faster."""
    headers = [(b"host", host.encode("utf-8"))]
    if origin:
        headers.append((b"origin", origin.encode("utf-8")))
    scope = {
        "type": kind, "http_version": "1.1", "method": "GET", "path": "/v1/models",
        "raw_path": b"/v1/models", "query_string": b"", "scheme": "http", "headers": headers,
        "subprotocols": [], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8765),
        "asgi": {"version": "3.0"},
    }  # fmt: skip
    statuses = []

    async def receive():
        return {"type": f"{kind}.disconnect"}

    async def send(message):
        statuses.append(message.get("status"))

    await app(scope, receive, send)
    return statuses[0]


def expected(host, origin):
    """Whether a request is to be let in; a page of the very server that was called is at home."""
    own = origin in (f"http://{host}", f"https://{host}")
    return not origin or own or origin in ("http://absolute", "https://stage.example")


@pytest.fixture(scope="module")
def app():
    return build_app(
        make_context(allowed_hosts=("studio",), allowed_origins=("https://stage.example",))
    )


@pytest.fixture(scope="module")
def url(app):
    with serving(app) as address:
        yield address


def filled(pattern, host, port):
    return pattern.replace("{host}", host).replace(OWN_PORT, port)


@pytest.mark.parametrize(
    ("kind", "passed"),
    [("http", 200), ("websocket", NO_ROUTE)],  # who passes the guard finds no socket there
)
def test_every_host_with_every_origin(app, kind, passed):
    wrong, count = [], 0
    for pattern in GOOD_HOSTS + BAD_HOSTS:
        host = filled(pattern, "", "8765")
        for page in ["", *GOOD_ORIGINS, *BAD_ORIGINS]:
            origin = filled(page, host, "8765")
            status = asyncio.run(ask_app(app, kind, host, origin))
            allowed = pattern in GOOD_HOSTS and expected(host, origin)
            count += 1
            if status not in (passed, 403) or (status == passed) != allowed:
                wrong.append((status, host, origin))
    assert not wrong
    assert count >= 10 * 30
    assert len(BAD_ORIGINS) >= 30
    assert len(BAD_HOSTS) >= 10


def test_hosts_and_origins_over_a_socket(url):
    port = str(urlsplit(url).port)
    host = f"localhost:{port}"
    for pattern in GOOD_HOSTS + BAD_HOSTS:
        status = ask(url, "GET", "/v1/models", f"host: {filled(pattern, '', port)}")
        assert (status == 200) == (pattern in GOOD_HOSTS), pattern
    for pattern in GOOD_ORIGINS + BAD_ORIGINS:
        origin = filled(pattern, host, port)
        status = ask(url, "GET", "/v1/models", f"host: {host}", f"origin: {origin}")
        assert (status == 200) == expected(host, origin), pattern


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["host: localhost", "host: evil.example"],
        ["host: localhost", "origin: http://localhost", "origin: http://evil.example"],
        ["host: localhost", "sec-fetch-site: cross-site"],
    ],
    ids=["no host", "two hosts", "two origins", "an image on another page"],
)
def test_what_is_doubtful_is_refused(url, headers):
    assert ask(url, "GET", "/v1/models", *headers) in (400, 403)


def test_refusals_are_errors_that_clients_understand(url):
    response = http.get(f"{url}/v1/models", headers={"origin": "http://evil.example"})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "forbidden"
    response = http.get(f"{url}/v1/nothing")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "there is no GET /v1/nothing here"
    response = http.get(f"{url}/v1/audio/speech")
    assert response.status_code in (404, 405)  # the pages at "/" take what no route takes
    assert response.json()["error"]["type"] == "invalid_request_error"


# --- tokens --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def locked():
    synthesizer = ToneSynthesizer()
    context = make_context(synthesizer)
    context.token = TOKEN
    with serving(build_app(context)) as main, serving(build_api_v2_app(context)) as api_v2:
        yield main, api_v2, synthesizer


@pytest.mark.parametrize(
    "header",
    [
        "x-nothing: 1", f"authorization: {TOKEN}", "authorization: Bearer ",
        "authorization: Bearer",
        f"authorization: Basic {TOKEN}", f"authorization: Bearer {TOKEN}x",
        f"authorization: Bearer {TOKEN[:-1]}", f"authorization: Bearer {TOKEN.upper()}",
        f"cookie: token={TOKEN}", "authorization: Bearer ek_guess", "authorization: Bearer é",
    ],
)  # fmt: skip
def test_without_the_token_every_route_is_closed(locked, header):
    main, api_v2, synthesizer = locked
    for url, paths in ((main, PATHS), (api_v2, API_V2_PATHS)):
        statuses = {path: ask(url, *path, "host: localhost", header) for path in paths}
        assert set(statuses.values()) == {401}, statuses
    assert not synthesizer.calls


def test_a_token_in_the_query_does_not_count(locked):
    main, api_v2, _ = locked
    for query in (f"token={TOKEN}", f"api_key={TOKEN}", f"access_token={TOKEN}"):
        assert ask(main, "GET", f"/v1/models?{query}", "host: localhost") == 401
        assert ask(api_v2, "GET", f"/tts?text=a&text_lang=en&{query}", "host: localhost") == 401


def test_with_the_token_it_opens(locked):
    main, api_v2, _ = locked
    bearer = f"authorization: Bearer {TOKEN}"
    assert ask(main, "GET", "/v1/models", "host: localhost", bearer) == 200
    assert ask(api_v2, "GET", "/tts?text=a&text_lang=en", "host: localhost", bearer) == 200
    assert ask(main, "GET", "/healthz", "host: localhost") == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.2", "example.org"])
def test_it_does_not_start_beyond_the_loopback_without_a_token(host, monkeypatch):
    monkeypatch.delenv("SELFTALK_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="needs a token"):
        checked_token(ServerConfig(host=host, insecure_lan=True))
    monkeypatch.setenv("SELFTALK_TOKEN", "short")
    with pytest.raises(ConfigError, match="too short"):
        checked_token(ServerConfig(host=host, insecure_lan=True))
    monkeypatch.setenv("SELFTALK_TOKEN", TOKEN)
    with pytest.raises(ConfigError, match="needs TLS"):
        checked_token(ServerConfig(host=host))
    assert checked_token(ServerConfig(host=host, insecure_lan=True)) == TOKEN


def test_a_token_cannot_be_written_into_a_config(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f'[server]\ntoken = "{TOKEN}"\n')
    with pytest.raises(ConfigError, match="token"):
        load_config(path)


# --- what is logged ------------------------------------------------------------------------------


def test_no_secret_is_ever_logged_or_told(locked, caplog):
    main, api_v2, synthesizer = locked
    caplog.set_level(logging.DEBUG)
    secrets = (TOKEN, "canary-text", "canary-wrong-token", "canary-voice", "canary-inside")
    bearer = {"authorization": f"Bearer {TOKEN}"}
    told = []
    with httpx.Client(trust_env=False, headers=bearer, timeout=20) as client:
        said = {"input": "canary-text", "voice": "me"}
        told += [
            client.post(f"{main}/v1/audio/speech", json=said),
            client.post(f"{main}/v1/audio/speech", json={**said, "voice": "nobody"}),
            client.post(f"{main}/v1/audio/speech", content=b'{"input": "canary-text'),
            client.get(f"{api_v2}/tts", params={"text": "canary-text", "text_lang": "en"}),
            client.get(f"{main}/v1/models", headers={"authorization": "Bearer canary-wrong-token"}),
            client.get(f"{main}/metrics"),
        ]
        synthesizer.fails_at = 0
        told.append(client.post(f"{main}/v1/audio/speech", json=said))
        synthesizer.fails_at = None
    ours = [record for record in caplog.records if not record.name.startswith("httpcore")]
    logged = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in ours)
    logged = re.sub(r"HTTP Request: .*", "", logged)  # the client's own diary
    answers = "\n".join(
        response.text for response in told if "audio" not in response.headers["content-type"]
    )
    for secret in secrets:
        assert secret not in logged
        assert secret not in answers
    assert [response.status_code for response in told] == [200, 400, 400, 200, 401, 200, 500]


def test_the_token_is_not_in_what_python_shows_of_the_settings():
    assert TOKEN not in repr(TalkConfig())


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "length", ["99999999999999999999", "-1", "1e9", "0x10", "1_000", "１２", "5, 6", ""]
)
def test_strange_lengths_are_refused(url, length):
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        head = (
            f"POST /v1/audio/speech HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n"
        )
        connection.sendall(head.encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000).split()[1] in (b"400", b"403", b"413")
    assert http.get(f"{url}/v1/models").status_code == 200
