"""The page with the server's own application; only the models behind it are not real."""

import pytest
from fakes_server import make_context, running

from selftalk.stream.selves import load_self

pytestmark = pytest.mark.browser

OFFERED = "[...document.querySelector('#self').options].map((one) => [one.text, one.selected])"


@pytest.fixture
def context():
    context = make_context()
    context.self_name = "Friend"
    context.selves = {self_.name: self_ for self_ in map(load_self, ("friend", "coach", "critic"))}
    return context


def write(page, text):
    page.wait("document.documentElement.dataset.state === 'ready'")
    page.press("/", "/")
    page.write(text)
    page.press("Enter", "\r")


def test_the_page_offers_the_selves_and_the_one_chosen_answers(open_page, context):
    with running(context) as server:
        page = open_page(f"{server.url}/", reduced_motion=True)
        page.wait("!document.querySelector('#self-choice').hidden")
        names = sorted(context.selves)
        assert page.evaluate(OFFERED) == [[name, name == "Friend"] for name in names]
        page.evaluate("document.querySelector('#self').focus()")
        page.press("Home")  # the first of them, by the keyboard
        page.evaluate("document.activeElement.blur()")
        write(page, "Who are you?")
        page.wait("document.querySelector('#transcript .self .text')?.textContent")
        assert page.text("#transcript .self .name") == names[0]
        assert page.errors == []
    told = context.stages.responder.asked[0][0]
    assert told[0].text == context.selves[names[0]].instructions()
    assert told[-1].text == "Who are you?"


def test_a_word_is_lit_when_it_is_heard_and_speech_ends_the_answer(open_page, context):
    context.stages.responder.words = 200
    with running(context) as server:
        page = open_page(f"{server.url}/", reduced_motion=True)
        write(page, "Tell me everything.")
        page.wait("document.querySelector('#self-caption .now')")
        page.wait("document.querySelectorAll('#self-caption .heard').length > 1")
        page.click("#microphone")
        page.wait("document.querySelector('#transcript .self .note').textContent === 'interrupted'")
        page.click("#microphone")
        page.wait("document.querySelectorAll('#transcript .you').length === 2")
        page.wait("document.querySelectorAll('#transcript .self').length === 2")
        # By now the server has said what it keeps; before, the page shows its own guess.
        heard = page.text("#transcript .self .text")
        assert heard.startswith("w0 w1")
        assert "w199" not in heard
        assert page.errors == []
    told = context.stages.responder.asked[1][0]
    assert [message.role for message in told[-3:]] == ["user", "assistant", "user"]
    assert told[-2].text.removesuffix(" —") == heard
