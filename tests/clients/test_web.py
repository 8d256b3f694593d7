# ruff: noqa: E501 (lines of JavaScript)
import json

import fakes_realtime
import pytest

pytestmark = pytest.mark.browser

STATE = "document.documentElement.dataset.state"
PLAYED = """
(async () => {
  const rate = 24000;
  const context = new OfflineAudioContext(1, 2 * rate, rate);
  await context.audioWorklet.addModule('/player_worklet.js');
  const player = new AudioWorkletNode(context, 'player', {numberOfInputs: 0, outputChannelCount: [1]});
  player.connect(context.destination);
  const told = [];
  player.port.onmessage = ({data}) => data.type === 'at' ? reported?.() : told.push(data);
  for (const [id, count] of [['a', 12000], ['b', 36000]]) {
    for (let at = 0; at < count; at += 3000) {
      player.port.postMessage({type: 'play', id, samples: new Float32Array(3000).fill(0.5)});
    }
    player.port.postMessage({type: 'finish', id});
  }
  let reported;
  const settled = () => new Promise((done) => {  // what was said before is heard before it answers
    reported = done;
    player.port.postMessage({type: 'report'});
  });
  const pause = async (seconds, act) => {
    await context.suspend(seconds);
    act();
    await settled();
    context.resume();
  };
  const cut = Promise.all([
    pause(0, () => {}),
    pause(1.0, () => player.port.postMessage({type: 'clear'})),
  ]);
  const buffer = await context.startRendering();
  await cut;
  while (told.length < 2) await new Promise((done) => setTimeout(done, 20));
  const out = buffer.getChannelData(0);
  const first = out.findIndex((one) => one !== 0);
  const last = out.findLastIndex((one) => one !== 0);
  return {told, first, heard: last - first + 1, loud: Math.max(...out), tail: out[last]};
})()
"""


@pytest.fixture
def page(open_page, address):
    page = open_page(f"http://{address}/", reduced_motion=True)
    page.wait(f"{STATE} === 'ready'")
    yield page
    assert page.errors == []


def write(page, text):
    page.press("/", "/")
    page.write(text)
    page.press("Enter", "\r")


def within(page, module, expression):
    """A value of what a module exports."""
    return page.evaluate(f"import('/{module}.js').then((m) => {expression})")


def talk(page, when="true"):
    """Say something when it is time, until it is heard; the page does it, which knows no delay."""
    page.evaluate(
        f"""(async () => {{
          const wait = () => new Promise((done) => setTimeout(done, 20));
          const microphone = document.querySelector('#microphone');
          while (!({when})) await wait();
          microphone.click();
          while ({STATE} !== 'hearing') await wait();
          microphone.click();
        }})()"""
    )


def test_a_turn_by_voice_and_a_barge_in(page, fake):
    fake.will_say(" ".join([fakes_realtime.ANSWER] * 6))  # a busy machine interrupts late
    talk(page)
    assert page.evaluate("document.querySelector('#microphone').ariaPressed") == "false"
    page.wait("document.querySelector('#self-caption .now')")
    assert page.text("#you-caption") == fakes_realtime.QUESTION
    talk(page, when="document.querySelectorAll('#self-caption .heard').length > 1")
    page.wait("document.querySelector('#transcript .self .note').textContent === 'interrupted'")
    page.wait("document.querySelectorAll('#transcript .you').length === 2")
    (cut,) = fake.of_type("conversation.item.truncate")[:1]
    assert 0 < cut["audio_end_ms"] < fake.words[-1]["end_ms"]
    heard = [word["text"] for word in fake.words if word["start_ms"] < cut["audio_end_ms"]]
    assert page.text("#transcript .self .text") == " ".join(heard)
    assert len(heard) > 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("NotAllowedError", "No microphone: this browser does not allow it here."),
        ("NotFoundError", "No microphone: this machine has none that the browser knows."),
    ],
)
def test_without_a_microphone_one_is_told_why_and_writes(page, error, told):
    page.evaluate(
        f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{error}'); }}"
    )
    page.click("#microphone")
    page.wait("!document.querySelector('#notice').hidden")
    assert page.text("#notice").startswith(told)
    assert page.evaluate("document.querySelector('#microphone').ariaPressed") == "false"
    write(page, "Then I write.")
    page.wait(f"{STATE} === 'speaking'")


def test_a_microphone_that_goes_away_is_missed(page):
    page.evaluate(
        "(() => { const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        " navigator.mediaDevices.getUserMedia = async (wanted) => window.stream = await ask(wanted); })()"
    )
    page.press(" ", " ")
    page.wait("document.documentElement.dataset.microphone === 'live'")
    page.evaluate("stream.getTracks()[0].dispatchEvent(new Event('ended'))")
    page.wait("document.documentElement.dataset.microphone === 'off'")
    assert page.text("#notice").startswith("The microphone is gone")


def test_a_typed_turn_by_the_keyboard_alone(page, fake):
    write(page, "Hello, you.")
    page.wait(f"{STATE} === 'speaking'")
    (item,) = [event["item"] for event in fake.of_type("conversation.item.create")]
    assert item["content"] == [{"type": "input_text", "text": "Hello, you."}]
    page.wait("document.querySelectorAll('#self-caption .heard').length > 3")
    page.press("Escape")
    page.wait(f"{STATE} === 'ready'")
    (cut,) = fake.of_type("conversation.item.truncate")
    spoken = fake.of_type("response.cancel")
    assert cut["audio_end_ms"] > 100
    assert len(spoken) <= 1


def test_keys_work_wherever_the_mouse_was(page):
    live = "document.documentElement.dataset.microphone"
    page.click("#microphone")
    page.wait(f"{live} === 'live'")
    page.press("/", "/")
    assert page.evaluate("document.activeElement.id") == "text"
    page.press(" ", " ")
    assert page.evaluate(live) == "live"
    page.click("#state")
    page.press(" ", " ")
    page.wait(f"{live} === 'muted'")


def test_an_answer_is_heard_to_its_end(open_page):
    fake = fakes_realtime.FakeRealtime(answer="Yes, you did.")
    with fakes_realtime.running(fake) as address:
        page = open_page(f"http://{address}/", reduced_motion=True)
        page.wait(f"{STATE} === 'ready'")
        write(page, "Did I?")
        page.wait("document.querySelectorAll('#self-caption .heard').length === 3")
        page.wait(f"{STATE} === 'ready'")
        assert fake.of_type("conversation.item.truncate") == []
        page.wait("document.querySelectorAll('#turns dt').length > 3")
        assert float(page.text("#median strong").removesuffix(" s")) > 0.1


def test_every_sample_played_is_counted(page):
    played = page.evaluate(PLAYED)
    assert len(played["told"]) == 2, played
    ended, cleared = played["told"]
    assert ended == {"type": "ended", "id": "a", "given": 12000}
    assert cleared["type"] == "cleared"
    (rest,) = cleared["items"]
    assert rest["id"] == "b"
    assert 12000 + rest["given"] == pytest.approx(played["heard"], abs=1)
    assert played["loud"] == 0.5
    assert 0 < played["tail"] < 0.01  # faded, not chopped


def test_resampling_in_chunks_equals_the_whole(page):
    difference = within(
        page,
        "resample",
        """(() => {
          const samples = Float32Array.from({length: 44100}, (_, n) => Math.sin(n * 0.05) * 0.5);
          const whole = new m.Resampler(44100, 24000).push(samples);
          const stream = new m.Resampler(44100, 24000);
          const parts = [];
          for (let at = 0, size = 1; at < samples.length; at += size, size = size % 313 + 7) {
            parts.push(...stream.push(samples.slice(at, at + size)));
          }
          const expected = whole.map((_, n) => Math.sin(n * 0.05 * 44100 / 24000) * 0.5);
          const far = (a, b) => Math.max(...a.map((one, n) => n < 100 ? 0 : Math.abs(one - b[n])));
          return [parts.length, whole.length, far(Float32Array.from(parts), whole), far(whole, expected)];
        })()""",
    )
    parts, whole, chunked, wrong = difference
    assert parts == whole
    assert whole == pytest.approx(24000, abs=40)
    assert chunked == 0
    assert wrong < 0.003


def test_words_are_found_in_the_text_whatever_stands_between(page):
    pieces = within(
        page,
        "spoken_text",
        """(() => {
          const text = new m.SpokenText();
          text.append('“Well,” he said: no — NO! And more');
          const word = (text, start) => ({text, start_ms: start, end_ms: start + 100});
          text.addWords([word('well', 0), word('lost', 100), word('said', 200), word('no', 300), word('no', 400)]);
          const chinese = new m.SpokenText();
          chinese.append('你好，我在这里。');
          chinese.addWords([word('你好', 0)]);
          return [text.pieces(), text.heardUntil(350), text.heardUntil(0), chinese.pieces()];
        })()""",
    )
    assert [[piece["text"], piece["start"]] for piece in pieces[0]] == [
        ["“", None], ["Well,” he ", 0], ["said: ", 200], ["no — ", 300], ["NO! ", 400], ["And more", None],
    ]  # fmt: skip
    assert pieces[1:3] == ["“Well,” he said: no —", ""]
    assert [(piece["text"], piece["start"]) for piece in pieces[3]] == [
        ("你好，", 0), ("我在这里。", None),
    ]  # fmt: skip


def test_it_comes_back_and_tells_a_new_server_what_was_said(page, fake):
    write(page, "Hello.")
    page.wait("document.querySelectorAll('#self-caption .heard').length > 1")
    fake.received.clear()
    fake.drop_connections()
    page.wait(f"{STATE} === 'connecting'")
    assert "restarts" in page.text("#notice")
    assert page.text("#you-caption") == "Hello."
    page.wait(f"{STATE} === 'ready' && document.querySelectorAll('#transcript .self').length === 1")
    assert any("resume=sess_1" in path for path in fake.requests)
    assert page.evaluate("document.querySelector('#notice').hidden")
    told = [event["item"] for event in fake.of_type("conversation.item.create")]
    assert [item["role"] for item in told] == ["user", "assistant"]
    heard = told[1]["content"][0]["text"]
    assert fakes_realtime.ANSWER.startswith(heard)
    assert 0 < len(heard) < len(fakes_realtime.ANSWER)


def test_voice_and_self_are_chosen(page, fake):
    page.wait("!document.querySelector('#voice-choice').hidden")
    for choice, value in (("voice", "mine"), ("self", "Coach")):
        page.evaluate(
            f"(() => {{ const box = document.querySelector('#{choice}'); box.value = '{value}';"
            " box.dispatchEvent(new Event('change')); })()"
        )
    write(page, "Both of you?")  # what was chosen was sent before
    page.wait(f"{STATE} === 'speaking'")
    update = fake.of_type("session.update")[-1]["session"]
    assert update["audio"]["output"]["voice"] == "mine"
    assert update["selftalk"] == {"self": "Coach"}


def test_a_token_is_asked_for_and_never_in_an_address(open_page):
    fake = fakes_realtime.FakeRealtime(token="sesame")
    with fakes_realtime.running(fake) as address:
        page = open_page(f"http://{address}/", reduced_motion=True)
        page.wait("document.querySelector('#token-dialog').open")
        page.evaluate("document.querySelector('#token').focus()")
        page.write("sesame")
        page.press("Enter", "\r")
        page.wait(f"{STATE} === 'ready'")
        assert not any("sesame" in path for path in fake.requests)


INKS, GROUNDS = ("ink", "faint", "you", "self"), ("paper", "sheet")


@pytest.mark.parametrize(
    ("system_dark", "choice", "dark"),
    [(False, "auto", False), (True, "auto", True), (False, "dark", True), (True, "light", False)],
)
def test_colours_stand_out_from_their_ground(open_page, address, system_dark, choice, dark):
    page = open_page(f"http://{address}/", dark=system_dark, reduced_motion=True)
    while page.evaluate("document.documentElement.dataset.theme") != choice:
        page.click("#theme")
    names = [f"--{name}" for name in (*INKS, *GROUNDS, "glow")]
    colour = dict(zip(names, page.evaluate(shown("color", names)), strict=True))
    stages = [f"stage-{number}" for number in range(10)]
    assert (luminance(colour["--paper"]) < 0.2) == dark
    pairs = [(ink, ground) for ink in INKS for ground in GROUNDS]
    for ink, ground in [*pairs, ("self", "glow"), ("ink", "glow"), ("sheet", "you")]:
        assert contrast(colour[f"--{ink}"], colour[f"--{ground}"]) >= 4.5, (ink, ground)
    for name, stage in zip(stages, page.evaluate(shown("class", stages)), strict=True):
        assert min(contrast(stage, colour[f"--{ground}"]) for ground in GROUNDS) >= 3, name


def shown(what, names):
    """Red, green and blue of custom properties, or of the grounds that classes give."""
    return f"""{json.dumps(names)}.map((name) => {{
      const probe = document.body.appendChild(document.createElement("i"));
      if ("{what}" === "class") probe.className = name;
      else probe.style.backgroundColor = `var(${{name}})`;
      const colour = getComputedStyle(probe).backgroundColor;
      probe.remove();
      return colour.match(/\\d+/g).map(Number);
    }})"""


def luminance(colour):
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (byte / 255 for byte in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_everything_that_can_be_used_has_a_name(page):
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    usable = {"button", "textbox", "combobox", "tab", "link", "tabpanel"}
    found = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in usable
    ]
    assert ("button", "Microphone") in found
    assert ("textbox", "Message") in found
    assert all(name for _, name in found), found


def test_tabs_move_by_arrow_keys(page):
    page.evaluate("document.querySelector('#tab-transcript').focus()")
    page.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-timing"
    assert page.evaluate("document.querySelector('#panel-transcript').hidden")
    assert not page.evaluate("document.querySelector('#panel-timing').hidden")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_on_a_small_screen_nothing_is_wider_than_it(open_page, address, language):
    page = open_page(f"http://{address}/?lang={language}", 320, 568, reduced_motion=True)
    page.wait(f"{STATE} === 'ready' && !document.querySelector('#voice-choice').hidden")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    chosen = page.evaluate("[...document.querySelectorAll('select')].map((one) => one.clientWidth)")
    assert min(chosen) > 90


PARTS = ("header", "#stage .badge", ".line.self", "#composer", "#more")


@pytest.mark.parametrize("size", [(360, 640), (390, 844), (740, 360), (820, 1100), (1280, 800)])
def test_the_side_panel_folds_and_nothing_lies_on_anything(open_page, address, size):
    page = open_page(f"http://{address}/", *size, reduced_motion=True)
    page.wait(f"{STATE} === 'ready'")
    write(page, "Hello.")
    page.wait("document.querySelector('#self-caption .now')")
    shown = "!document.querySelector('#more').hidden"
    expanded = "document.querySelector('#fold').getAttribute('aria-expanded')"
    for open_now in (size[0] > 900, size[0] < 900):
        assert page.evaluate(shown) == open_now
        assert page.evaluate(expanded) == str(open_now).lower()
        header = "document.querySelector('header')"
        assert not page.evaluate(f"{header}.scrollWidth > {header}.clientWidth")
        boxes = page.evaluate(
            f"{json.dumps(PARTS)}.map((one) => document.querySelector(one))"
            ".filter((one) => !one.hidden).map((one) => { const box = one.getBoundingClientRect();"
            " return [box.left, box.top, box.right, box.bottom]; })"
        )
        for place, box in enumerate(boxes):
            assert box[2] <= size[0], boxes
            assert box[3] <= size[1], boxes
            assert all(apart(box, other) for other in boxes[:place]), boxes
        page.click("#fold")


def apart(one, other):
    return one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]


def test_stages_of_a_turn_add_up(page):
    told = within(
        page,
        "turn_times",
        """(() => {
          const times = new m.TurnTimes();
          times.begin(1000, 250);
          times.push({type: 'response.created', response: {id: 'r'}}, 1010);
          times.push({type: 'response.output_audio_transcript.delta'}, 1100);
          times.push({type: 'response.output_audio.delta', response_id: 'r', item_id: 'i'}, 1150);
          times.heard('i', 1200);
          const own = times.stages(times.turns[0]);
          times.push({type: 'selftalk.turn.report', response_id: 'r',
            stages: {endpoint_wait: 240, first_llm_token: 60, first_sample_played: 9}}, 1300);
          const server = times.stages(times.turns[0]);
          times.turns.push({totalMs: 650}, {totalMs: null});
          return [own, server, times.turns[0].totalMs, times.medianMs()];
        })()""",
    )
    own, server, total, median = told
    assert (total, median) == (450, 550)
    for stages in (own, server):
        assert sum(stage["ms"] for stage in stages) == total
        assert stages[0]["startMs"] == 0
    assert [stage["name"] for stage in server] == [
        "waiting for the end", "first word of the answer", "to your ear",
    ]  # fmt: skip
    assert json.dumps(own).count("first sound made") == 1
    assert {(stage["name"], stage["colour"]) for stage in server} >= {
        ("first word of the answer", 2), ("to your ear", 9),
    }  # fmt: skip
