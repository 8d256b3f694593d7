"""The voice of a server's session: its own, that of one reply, and either in a style."""

from selftalk.stream.server.answering import ChosenVoice


class Spy:
    def stream(self, text, voice, *, stop=None, marks=None):
        return iter([voice])


class Named(str):
    def in_style(self, style):
        return f"{self}:{style}"


def spoken(chosen, voice):
    return next(chosen.stream("Hi.", voice))


def test_the_session_speaks_in_its_voice_and_in_the_style_that_the_mind_asks_for():
    chosen = ChosenVoice(Spy(), Named("me"))
    assert spoken(chosen, chosen) == "me"
    assert spoken(chosen, chosen.in_style("tired")) == "me:tired"
    chosen.voice = Named("you")
    assert spoken(chosen, chosen.in_style("lively")) == "you:lively"


def test_the_voice_of_one_reply_comes_first():
    chosen = ChosenVoice(Spy(), Named("me"))
    chosen.next = Named("guest")
    chosen.begin_reply()
    assert spoken(chosen, chosen) == "guest"
    assert spoken(chosen, chosen.in_style("tired")) == "guest:tired"
    chosen.begin_reply()
    assert spoken(chosen, chosen) == "me"
