// Transcript: the conversation so far as a list, each item in its place.

export class Transcript {
  #list;
  #items = new Map();

  constructor(list) {
    this.#list = list;
  }

  // Show an item, or show it anew. `note` tells what became of it, such as "interrupted".
  set(id, { who, name, text, note = "" }) {
    let item = this.#items.get(id);
    if (!item) {
      item = document.createElement("li");
      item.append(part("span", "name"), part("span", "text"), part("span", "note"));
      this.#items.set(id, item);
      this.#list.append(item);
    }
    const key = [who, name, text, note].join("|");
    if (item.dataset.key === key) return;
    item.dataset.key = key;
    item.className = who;
    const [nameElement, textElement, noteElement] = item.children;
    nameElement.textContent = name;
    textElement.textContent = text;
    noteElement.textContent = note;
    item.hidden = text === "";
    item.scrollIntoView({ block: "nearest" });
  }

  clear() {
    this.#items.clear();
    this.#list.replaceChildren();
  }
}

function part(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}
