"""Text for Streamlit's markdown: what a visitor or a file supplied must show as itself, never as markup."""

import re

from ui.blocks.formats import true_minus

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:])")
# What the browser turns into a link after the escapes are gone: www., http://, a@b. A word joiner, which has no width
# and breaks no line, keeps the two halves apart.
_LINK = re.compile(r"(www(?=\.)|https?:(?=//)|@)", re.IGNORECASE)


def plain(text: str) -> str:
    """`text` with every markdown sign escaped ($ starts a formula, :x: an icon, [ a link), and no link made of it."""
    return _SPECIAL.sub(r"\\\1", _LINK.sub("\\1\u2060", text))


def dollars(text: str) -> str:
    """Our own sentence with its dollar signs kept from starting a formula and a true minus; the rest stays."""
    return re.sub(r"(?<!\\)\$", r"\\$", true_minus(text))
