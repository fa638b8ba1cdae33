"""Text for Streamlit's markdown: what a visitor or a file supplied must show as itself, never as markup."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$~:])")


def plain(text: str) -> str:
    """`text` with every markdown sign escaped ($ would start a formula, :x: an icon, [ a link)."""
    return _SPECIAL.sub(r"\\\1", text)


def dollars(text: str) -> str:
    """Our own sentence with its dollar signs kept from starting a formula; other markdown stays."""
    return re.sub(r"(?<!\\)\$", r"\\$", text)
