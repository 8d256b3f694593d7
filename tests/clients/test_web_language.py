"""What the page says in another language: all of it, and no more than is said."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

CLIENTS = Path(__file__).parent.parent.parent / "clients"
SOURCES = [
    path
    for folder in ("web", "overlay")
    for path in sorted((CLIENTS / folder).iterdir())
    if path.suffix in (".html", ".js") and path.name != "words.js"
]
NAMES = re.compile(r"selftalk|JavaScript|https|AI|EN|Esc|esc|\bm?s\b")
READ = """(() => {
  const texts = [], page = document.documentElement;
  const all = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
  while (all.nextNode()) {
    if (!all.currentNode.parentElement.closest('option, script, .now, .coming, .heard, .text')) texts.push(all.currentNode.data);
  }
  for (const name of ['alt', 'aria-label', 'title', 'placeholder', 'data-mirrored']) {
    texts.push(...[...page.querySelectorAll(`[${name}]`)].map((one) => one.getAttribute(name)));
  }
  return texts.map((one) => one.trim()).filter(Boolean);
})()"""  # noqa: E501
SAID = """import('/turn_times.js').then(async ({ COLOURED }) => {
  const { say } = await import('/language.js');
  return [COLOURED, COLOURED.map(say)];
})"""


@pytest.fixture
def opened(open_page, address):
    def opened(place, state="document.documentElement.dataset.state === 'ready'"):
        page = open_page(f"http://{address}/{place}", reduced_motion=True)
        page.wait(state)
        return page

    return opened


def test_all_that_the_page_says_is_in_chinese(opened):
    page = opened("?lang=zh")
    page.wait("!document.querySelector('#self-choice').hidden")
    page.press("/", "/")
    page.write("你好")
    page.press("Enter", "\r")
    page.wait("document.querySelector('#turns dt') && document.querySelector('#self-caption .now')")
    assert page.evaluate("document.documentElement.lang") == "zh"
    assert page.text("#transcript .you .name") == "我"
    english = [text for text in page.evaluate(READ) if re.search("[A-Za-z]", NAMES.sub("", text))]
    assert english == ["Mirror"]  # the name of the self that answers
    for said in page.evaluate(SAID)[1]:
        assert not re.search("[A-Za-z]", said)
    assert page.errors == []


@pytest.mark.parametrize("name", ["captions", "avatar", "latency"])
def test_the_badge_of_an_overlay_is_in_chinese(opened, name):
    page = opened(f"overlay/{name}?lang=zh", "document.documentElement.lang === 'zh'")
    assert page.text("#badge") == "AI 语音"


def test_every_translation_is_of_something_that_is_said(opened):
    page = opened("")
    keys = page.evaluate("import('/words.js').then(({ WORDS }) => Object.keys(WORDS.zh))")
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    made = {f"Colours: {theme}" for theme in ("auto", "light", "dark")}
    assert [key for key in keys if key not in sources and key not in made] == []
    said = re.findall(r"\b(?:say|notify|Error)\(\s*\"([^\"]+)\"", sources)
    notices = re.findall(r"\"([A-Z][^\"]+[.;] ?[^\"]*\.)\"", sources)
    assert {"interrupted", "The connection is lost; trying again."} <= {*said, *notices}
    assert [text for text in (*said, *notices) if text not in keys] == []


def test_the_language_is_the_browsers_unless_one_asks_for_another(opened):
    page = opened("?voice=mine")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.text("#state-text") == "Ready"
    page.call("Emulation.setUserAgentOverride", userAgent="any", acceptLanguage="fr-FR,zh-TW,en")
    page.call("Page.reload")
    page.wait("document.querySelector('#state-text')?.textContent === '就绪'")
    page.evaluate("document.querySelector('#language').focus()")
    page.press("Enter", "\r")
    page.wait("document.querySelector('#state-text')?.textContent === 'Ready'")
    assert page.evaluate("location.search") == "?voice=mine&lang=en"
