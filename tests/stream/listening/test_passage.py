import pytest

from selftalk.stream.listening.passage import passage_of

TEXT = "It was late. Nobody's dog barked, and the moon – a thin one – had set! We went home."


@pytest.mark.parametrize(
    ("heard", "passage"),
    [
        ("nobodys dog barked and the moon", "Nobody's dog barked, and the moon"),
        ("a thin one had sat", "a thin one – had set!"),
        ("it was late", "It was late."),
        ("we went home", "We went home."),
        ("something else entirely is said here", ""),
        ("", ""),
    ],
)
def test_what_was_heard_is_found_in_the_text(heard, passage):
    assert passage_of(TEXT, heard) == passage


def test_chinese_is_found_character_by_character():
    assert passage_of("今天天气很好。我们去公园吧!", "我门去公园") == "我们去公园"
    assert passage_of("", "你好") == ""
