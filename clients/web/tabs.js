// Tabs: one panel at a time, by click or by arrow keys.

export function makeTabs(list) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];

  function select(chosen) {
    for (const tab of tabs) {
      const selected = tab === chosen;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !selected;
    }
    chosen.focus();
  }

  list.addEventListener("click", ({ target }) => tabs.includes(target) && select(target));
  list.addEventListener("keydown", ({ key, target }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    const place = tabs.indexOf(target);
    if (step && place >= 0) select(tabs[(place + step + tabs.length) % tabs.length]);
  });
}
