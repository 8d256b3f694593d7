import pytest

from selftalk.stream.text.g2p_yue import speak, syllable_symbols


@pytest.mark.parametrize(
    ("syllable", "symbols"),
    [
        ("keoi5", ("Yk", "Yeoi5")),
        ("gwong2", ("Ygw", "Yong2")),
        ("ngo5", ("Yng", "Yo5")),
        ("ng5", ("Yng", "Yg5")),
        ("m4", ("Ym", "Ym4")),
        ("aa3", ("Yaa", "Ya3")),
        ("aap3", ("Yaa", "Yp3")),
        ("oi3", ("Yoi", "Yi3")),
        ("uk1", ("Yuk", "Yk1")),
        ("ang1", ("Ya", "Yang1")),
        ("jyut6", ("Yj", "Yyut6")),
        ("", ()),
        ("xx1", ()),
    ],
)
def test_syllables(syllable, symbols):
    assert syllable_symbols(syllable) == symbols


def test_every_syllable_of_the_dictionary_has_symbols():
    tojyutping = pytest.importorskip("ToJyutping")
    readings = {
        said
        for code in range(0x4E00, 0xA000)
        for _, said in tojyutping.get_jyutping_list(chr(code))
        if said
    }
    assert len(readings) > 1000
    assert [said for said in readings if not syllable_symbols(said.split(" ")[0])] == []


def test_numbers_and_dollars_as_in_hong_kong():
    pytest.importorskip("ToJyutping")
    assert speak("$11")[0].symbols == ("Ys", "Yap6", "Yj", "Yat1", "Ym", "Yan1")
