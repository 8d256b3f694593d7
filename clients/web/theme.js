// Theme: as the system has it, or light, or dark; remembered where the browser allows.

import { say } from "./language.js";

const THEMES = ["auto", "light", "dark"];
const KEY = "selftalk-theme";

export function makeThemeButton(button) {
  let theme = "auto";
  try {
    theme = localStorage.getItem(KEY) ?? theme;
  } catch {
    // as the system has it
  }

  function show() {
    document.documentElement.dataset.theme = theme;
    button.title = say(`Colours: ${theme}`);
    button.setAttribute("aria-label", button.title);
  }

  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    show();
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // for this page alone
    }
  });
  show();
}
