// Fold: a button that shows and hides a panel; hidden at first where it would leave no room.

const NARROW = "(max-width: 900px)";

export function makeFold(button) {
  const panel = document.getElementById(button.getAttribute("aria-controls"));

  function show(shown) {
    panel.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
  }

  button.addEventListener("click", () => show(panel.hidden));
  show(!matchMedia(NARROW).matches);
}
