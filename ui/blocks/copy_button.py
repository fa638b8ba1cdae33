"""A button that copies a text to the clipboard and says so; Streamlit has none of its own outside code blocks."""

import streamlit as st

_HTML = '<button type="button"><span class="label"></span></button><span class="said" role="status"></span>'

_CSS = """
:host { display: block; }
button {
  font: inherit; font-family: var(--st-font); color: var(--st-background-color); background: var(--st-primary-color);
  border: 1px solid var(--st-primary-color); border-radius: var(--st-button-radius, 0.5rem);
  padding: 0.4rem 0.9rem; cursor: pointer;
}
button.quiet {
  color: inherit; background: transparent; border-color: transparent; padding: 0.25rem 0.5rem; font-size: 0.9rem;
}
button:hover { filter: brightness(1.08); }
button:focus-visible { outline: 2px solid var(--st-text-color); outline-offset: 2px; }
.said { margin-left: 0.6rem; color: var(--st-text-color); font-family: var(--st-font); font-size: 0.85rem; }
"""

# Clipboard access needs https or localhost; elsewhere the old way through a selected text field still works.
_JS = """
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button");
  const said = parentElement.querySelector(".said");
  parentElement.querySelector(".label").textContent = data.label;
  button.classList.toggle("quiet", data.quiet);
  button.onclick = async () => {
    const book = window.marginLabSeen?.book;
    const url = new URL(window.location.href);
    if (book) url.searchParams.set("p", book);
    const text = data.text ?? (book === "" ? "" : url.href);
    if (!text) {
      said.textContent = "This book is too large for a link: download it on the Portfolio page.";
      return;
    }
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
    }
    said.textContent = done ? "Copied" : "Copying is not allowed here: select the text and copy it.";
    setTimeout(() => { said.textContent = ""; }, 2500);
  };
}
"""

_mount = st.components.v2.component("copy_button", html=_HTML, css=_CSS, js=_JS)


def copy_button(label: str, text: str | None, key: str, quiet: bool = False) -> None:
    """A button named `label` that copies `text`; None: the address of the view on the screen (ui/shell/address)."""
    _mount(key=key, data={"label": label, "text": text, "quiet": quiet})
