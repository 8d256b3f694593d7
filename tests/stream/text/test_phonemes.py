from selftalk.stream.text import phonemize
from selftalk.stream.text.phonemes import Spoken, Written, by_phrase, join


def test_join_numbers_the_words_and_leaves_out_what_has_no_sound():
    spoken = [
        Spoken("Hi", ("HH", "AY1")),
        Spoken("", (",",)),
        Spoken("~", ()),
        Spoken("2", ("T", "UW1")),
    ]
    phonemes = join(spoken, "en")
    assert phonemes.symbols == ("HH", "AY1", ",", "T", "UW1")
    assert phonemes.word_index == (0, 0, -1, 1, 1)
    assert phonemes.words == ("Hi", "2")
    assert len(phonemes) == 5


def test_every_symbol_knows_what_mandarin_reads_and_no_other_language_does():
    phonemes = phonemize("我用GPT写12行。", "zh")
    assert phonemes.characters == ("我用", "写十二行.")
    read = "".join(phonemes.characters)
    said = [read[index] if index >= 0 else "" for index in phonemes.character_index]
    assert said == [*"我我用用", *[""] * 6, *"写写十十二二行行", "."]
    for language in ("en", "ja", "ko", "yue"):
        assert set(phonemize("3, OK.", language).character_index) == {-1}


def test_a_phrase_is_what_stands_between_two_marks():
    seen = []

    def speak(phrase):
        seen.append("".join(piece.spoken for piece in phrase))
        return [Spoken(piece.written, (piece.spoken,)) for piece in phrase]

    pieces = [Written("a", "x"), Written("b", "y"), Written("", ","), Written("c", "z")]
    assert [spoken.word for spoken in by_phrase(pieces, speak)] == ["a", "b", "", "c"]
    assert seen == ["xy", "z"]


def test_an_endless_phrase_is_cut_without_losing_a_word():
    pieces = [Written(str(number), "字" * 10) for number in range(100)]
    lengths = []

    def speak(phrase):
        lengths.append(sum(len(piece.spoken) for piece in phrase))
        return [Spoken(piece.written, ("a",)) for piece in phrase]

    assert [spoken.word for spoken in by_phrase(pieces, speak)] == [
        piece.written for piece in pieces
    ]
    assert max(lengths) <= 400
