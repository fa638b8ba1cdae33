// @ts-check
// Keys of a lesson, also those of a presenter's remote: PageDown and PageUp read on, first down the page, then to the
// next step; Right and Left turn the step at once; Down and Up scroll. A key meant for a slider, a field or a row of
// choices is left to it. However a step is reached, it begins at its top.

const OWN_KEYS = "input, textarea, select, [contenteditable], [role=slider], [role=radiogroup], [role=combobox], [role=listbox], [role=menu], [role=dialog]";
const LINE = 60; // pixels
const LEFT_OVER = 24; // pixels below which the end of the page is reached

/** @param {KeyboardEvent} event */
function turn(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const target = event.composedPath()[0];
  if (target instanceof Element && target.closest(OWN_KEYS)) return;
  const main = document.querySelector("[data-testid=stMain]");
  if (!(main instanceof HTMLElement)) return;
  const below = main.scrollHeight - main.clientHeight - main.scrollTop;
  const page = main.clientHeight * 0.85;
  /** @type {Record<string, () => void>} */
  const keys = {
    PageDown: () => (below > LEFT_OVER ? main.scrollBy({ top: page }) : press("next")),
    PageUp: () => (main.scrollTop > LEFT_OVER ? main.scrollBy({ top: -page }) : press("back")),
    ArrowRight: () => press("next"),
    ArrowLeft: () => press("back"),
    ArrowDown: () => main.scrollBy({ top: LINE }),
    ArrowUp: () => main.scrollBy({ top: -LINE }),
  };
  const act = keys[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}

/** @param {string} key of a button of the page */
function press(key) {
  const button = document.querySelector(`.st-key-${key} button`);
  if (!(button instanceof HTMLButtonElement) || button.disabled) return;
  button.click();
}

/** @type {number | null} the step that stands, and so is not scrolled */
let shown = null;

/** @param {{ data: { step: number } }} component */
export default function ({ data }) {
  if (shown !== null && shown !== data.step) document.querySelector("[data-testid=stMain]")?.scrollTo({ top: 0 });
  shown = data.step;
  document.addEventListener("keydown", turn);
  return () => document.removeEventListener("keydown", turn);
}
