import pytest

from selftalk.stream.text.normalize_en import normalize


def read(text):
    return " ".join(" ".join(words) for _, words in normalize(text))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("$1", "one dollar"),
        ("$3.05", "three dollars and five cents"),
        ("$0.99", "ninety nine cents"),
        ("£2.01", "two pounds and one penny"),
        ("-$5", "minus five dollars"),
        ("$3.5 million", "three point five million dollars"),
        ("$2bn", "two billion dollars"),
        ("5€", "five euros"),
        ("$10-$20", "ten dollars to twenty dollars"),
        ("10:05", "ten oh five"),
        ("9:00", "nine o'clock"),
        ("9:00 am", "nine A M"),
        ("18:00", "eighteen hundred"),
        ("1:02:03", "one hour two minutes three seconds"),
        ("2024-05-17", "may seventeenth twenty twenty four"),
        ("12/25/2024", "december twenty fifth twenty twenty four"),
        ("May 5", "May fifth"),
        ("555-0123", "five five five oh one two three"),
        ("22nd", "twenty second"),
        ("1990s", "nineteen nineties"),
        ("'80s", "eighties"),
        ("1/2", "one half"),
        ("2 1/2", "two and a half"),
        ("3/4", "three quarters"),
        ("2/3", "two thirds"),
        ("24/7", "twenty four seven"),
        ("10-20%", "ten to twenty percent"),
        ("1999-2005", "nineteen ninety nine to two thousand five"),
        ("v2.0.1", "version two point zero point one"),
        ("GPT-3.5", "GPT three point five"),
        ("10kg", "ten kilograms"),
        ("1 ft", "one foot"),
        ("5 km/h", "five kilometers per hour"),
        ("-5°C", "minus five degrees celsius"),
        ("1,024 MB", "one thousand twenty four megabytes"),
        ("4K", "four K"),
        ("10k", "ten thousand"),
        ("6'2\"", "six foot two"),
        ("007", "zero zero seven"),
        ("year 1066", "year ten sixty six"),
        ("1" * 20, " ".join(["one"] * 20)),
    ],
)
def test_quantities(text, spoken):
    assert read(text) == spoken
