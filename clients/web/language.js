// Language: the page speaks the one that `?lang=` asks for, else the first of the browser's it knows.

import { WORDS } from "./words.js";

const KNOWN = ["en", ...Object.keys(WORDS)];
const ATTRIBUTES = ["alt", "aria-label", "content", "data-mirrored", "placeholder", "title"];

function chosen() {
  const asked = new URLSearchParams(location.search).get("lang") ?? "";
  const tags = [asked, ...navigator.languages].map((tag) => tag.split("-")[0].toLowerCase());
  return tags.find((tag) => KNOWN.includes(tag)) ?? "en";
}

export const language = chosen();

// A text in the page's language; one that nobody translated, such as the server's, as it is.
export function say(english) {
  return WORDS[language]?.[english] ?? english;
}

// Put all that stands in the page into its language.
export function translate(page = document) {
  page.documentElement.lang = language;
  const texts = page.createTreeWalker(page.documentElement, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    const english = node.data.trim();
    if (english) node.data = node.data.replace(english, () => say(english));
  }
  for (const name of ATTRIBUTES) {
    for (const element of page.querySelectorAll(`[${name}]`)) {
      element.setAttribute(name, say(element.getAttribute(name)));
    }
  }
}

// A link to the same page in the other language.
export function makeLanguageLink(link) {
  const other = KNOWN[(KNOWN.indexOf(language) + 1) % KNOWN.length];
  const query = new URLSearchParams(location.search);
  query.set("lang", other);
  link.href = `?${query}`;
  link.lang = link.hreflang = other;
}
