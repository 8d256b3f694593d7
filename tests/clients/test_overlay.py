# ruff: noqa: E501 (lines of JavaScript)
import json
import struct
import time
import zlib
from contextlib import contextmanager

import fakes_realtime
import pytest
from chromium import PATIENCE_SECONDS
from websockets.sync.client import connect

from selftalk.clients.mouth import MouthTimeline, Phone, guessed_phones
from selftalk.clients.playback_clock import PlaybackClock
from selftalk.clients.visemes import viseme_table
from selftalk.stream.text.symbols import SYMBOLS_V2

pytestmark = pytest.mark.browser

LIT = "[...document.querySelectorAll('#lines .now, #lines .heard')].map((one) => one.textContent).join('')"


@contextmanager
def talking(address):
    """A client whose other self begins to speak."""
    with connect(f"ws://{address}/v1/realtime", compression=None, max_queue=None) as client:
        client.recv()
        yield client


def speak(client):
    client.send(json.dumps({"type": "response.create"}))


def watched(open_page, address, name, fake, **looks):
    before = set(fake.observers)
    page = open_page(f"http://{address}/overlay/{name}", 800, 600, **looks)
    wait_for_another(page, fake, before)
    return page


def wait_for_another(page, fake, before):
    """Until somebody observes who did not before."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not fake.observers - before:
        assert time.monotonic() < deadline, f"nobody observes; {page.errors}"
        page.evaluate("new Promise((done) => setTimeout(done, 30))")


def test_captions_come_word_by_word_and_go(open_page, fake, address):
    page = watched(open_page, address, "captions", fake)
    with talking(address) as client:
        speak(client)
        page.wait("document.querySelector('#lines .now')")
        first = page.evaluate(LIT)
        assert fakes_realtime.ANSWER.startswith(first.split(" ")[0])
        page.wait(f"({LIT}).length > {len(first)}")
        assert page.evaluate("document.querySelectorAll('#lines .line').length") <= 2
        longest = "Math.max(...[...document.querySelectorAll('.line')].map((one) => one.textContent.length))"
        assert page.evaluate(longest) <= 43
        client.send(json.dumps({"type": "response.cancel"}))
        page.wait("document.querySelector('#lines').classList.contains('away')")
    assert page.errors == []


def test_words_keep_their_places(open_page, fake, address):
    page = watched(open_page, address, "captions", fake)
    place = (
        "(() => { const word = document.querySelector('#lines span span');"
        " return [word.textContent, word.getBoundingClientRect().left]; })()"
    )
    with talking(address) as client:
        speak(client)
        page.wait("document.querySelector('#lines .now')")
        first = page.evaluate(place)
        page.wait("document.querySelectorAll('#lines .heard').length > 4")
        assert page.evaluate(place) == first


def test_the_badge_is_there_unless_one_takes_it_away(open_page, fake, address):
    page = watched(open_page, address, "captions", fake)
    assert page.text("#badge") == "AI voice"
    other = open_page(f"http://{address}/overlay/avatar?badge=AI生成")
    other.wait("document.querySelector('#badge').textContent === 'AI生成'")
    none = open_page(f"http://{address}/overlay/latency#badge=off")
    none.wait("document.querySelector('#badge').hidden")


@pytest.mark.parametrize("name", ["captions", "avatar", "latency"])
def test_the_ground_is_transparent(open_page, fake, address, name, tmp_path):
    page = watched(open_page, address, name, fake)
    png = page.picture(tmp_path / "page.png", transparent=True)
    assert first_pixel(png) == (0, 0, 0, 0)


def first_pixel(png):
    """Red, green, blue, alpha of the corner of a PNG file."""
    at, packed = 8, b""
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        if png[at + 4 : at + 8] == b"IHDR":
            assert png[at + 17] == 6, "not with alpha"
        elif png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + size]
        at += size + 12
    return tuple(zlib.decompress(packed)[1:5])


def test_the_face_speaks_and_falls_silent_when_interrupted(open_page, fake, address):
    page = watched(open_page, address, "avatar", fake, reduced_motion=True)
    openness = "Number(document.documentElement.dataset.openness)"
    page.wait(f"{openness} === 0")
    with talking(address) as client:
        speak(client)
        page.wait(f"{openness} > 0.5")
        assert page.evaluate("document.documentElement.dataset.state") == "speaking"
        client.send(json.dumps({"type": "response.cancel"}))
        page.wait(f"{openness} === 0 && document.documentElement.dataset.state === 'listening'")
    assert page.errors == []


def test_latency_shows_where_the_time_went(open_page, address, fake):
    fake.will_say("Yes.")
    page = watched(open_page, address, "latency", fake)
    with talking(address) as client:
        speak(client)
        page.wait("document.querySelectorAll('#stages dt').length > 5")
    shown = page.evaluate(
        "[...document.querySelectorAll('#stages dt')].map((one) => one.textContent)"
    )
    assert shown[:2] == ["waiting for the end", "first word of the answer"]
    assert page.text("#whole").endswith(" s")


def test_it_comes_back(open_page, fake, address):
    page = watched(open_page, address, "captions", fake)
    before = set(fake.observers)
    fake.drop_connections()
    wait_for_another(page, fake, before)
    with talking(address) as client:
        speak(client)
        page.wait("document.querySelector('#lines .now')")


@pytest.fixture
def modules(open_page, address):
    page = open_page(f"http://{address}/icon.svg")

    def value(module, expression):
        return page.evaluate(
            f"Promise.all([import('/{module}.js'), fetch('/visemes.json').then((one) => one.json())])"
            f".then(([m, table]) => {expression})"
        )

    return value


def test_pages_and_programs_have_the_same_mouths(modules):
    table = viseme_table()
    symbols = [*SYMBOLS_V2, "nonsense", "Yzzz1"]
    shapes = modules(
        "mouth",
        f"{json.dumps(symbols)}.map((one) => new m.VisemeTable(table).visemes(one))",
    )
    for symbol, shape in zip(symbols, shapes, strict=True):
        expected = [[*viseme.mouth, viseme.firmness] for viseme in table.visemes(symbol)]
        assert shape == expected, symbol


def test_pages_and_programs_move_them_alike(modules):
    phones = [
        ("HH", 0, 60),
        ("AY1", 60, 210),
        ("cl", 210, 260),
        ("b", 260, 310),
        ("iang4", 310, 500),
    ]
    phones += guessed_phones("guess", 600, 900)
    times = list(range(-50, 1000, 13))
    python = MouthTimeline()
    python.push([Phone(*phone) for phone in phones])
    shown = modules(
        "mouth",
        "(() => { const mouth = new m.MouthTimeline(new m.VisemeTable(table));"
        f" mouth.push({json.dumps(phones[:5])});"
        " mouth.push(m.phonesOf({text: 'guess', start_ms: 600, end_ms: 900}));"
        f" return {json.dumps(times)}.map((ms) => [...mouth.at(ms), m.openness(mouth.at(ms)), m.width(mouth.at(ms))]); }})()",
    )
    for ms, values in zip(times, shown, strict=True):
        mouth = python.at(ms)
        assert values == pytest.approx([*mouth, mouth.openness, mouth.width], abs=1e-9), ms


def test_pages_and_programs_have_the_same_clock(modules):
    pushes = [
        ("a", 200, 1000),
        ("a", 300, 1050),
        ("b", 100, 1100),
        ("b", 400, 2500),
        ("c", 50, 2600),
    ]
    clock = PlaybackClock(lead_seconds=0.1)
    python, script = [], []
    for place, (item, duration, now) in enumerate(pushes):
        clock.push(item, duration, now / 1000)
        script.append(f"clock.push('{item}', {duration}, {now});")
        if place == 2:
            clock.cut(1.3)
            clock.push("b", 10, 1.31)
            script.append("clock.cut(1300); clock.push('b', 10, 1310);")
        position = clock.position((now + 150) / 1000)
        python.append(position and [position.item_id, pytest.approx(position.milliseconds)])
        script.append(f"out.push(clock.position({now + 150}));")
    told = modules(
        "playback_clock",
        f"(() => {{ const out = []; const clock = new m.PlaybackClock(100); {''.join(script)} return out; }})()",
    )
    assert [one and [one["id"], one["ms"]] for one in told] == python
