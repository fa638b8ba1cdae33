"""Messages to wherever the visitor likes (mail, chat, a phone), through Apprise, an optional requirement."""

import logging
from collections.abc import Callable, Sequence
from importlib import import_module

from margin.core.errors import InputError

TITLE = "Margin Lab"
Send = Callable[[str], bool]


def sender(urls: Sequence[str]) -> Send:
    """send(message) -> whether every place took it. Nothing is sent for no urls.

    Raises InputError where Apprise is not installed or an address is none of its; no message repeats an address: it
    may hold a password.
    """
    if not urls:
        return lambda _: True
    try:
        apprise = import_module("apprise")
    except ImportError:
        hint = "pip install 'margin-lab[watch]', or leave --notify out."
        raise InputError("--notify", "apprise", "is not installed", hint) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its own lines repeat the address
    places = apprise.Apprise()
    for number, url in enumerate(urls, 1):
        if not places.add(url):
            scheme = url.partition("://")[0] if "://" in url else "no scheme"
            hint = "E.g. mailto://, tgram://, ntfy://, json://: see Apprise's list."
            raise InputError(f"--notify (number {number})", f"{scheme[:20]}://...", "is no address to notify", hint)

    def send(message: str) -> bool:
        try:
            return bool(places.notify(body=message, title=TITLE))
        except Exception:  # a plug-in of theirs may fail in any way; the watch goes on and tries again
            return False

    return send
