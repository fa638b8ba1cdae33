"""Why prices could not be had."""

from typing import Literal

from margin.core.errors import MarginLabError, one_line

Kind = Literal["blocked", "rate limited", "unavailable", "bad answer", "empty", "not listed", "timeout", "offline"]


class FetchError(MarginLabError):
    """One asset could not be fetched from one source.

    asset, exchange : what was asked, and of whom
    kind            : one of Kind, so that a caller can tell "try the next exchange" from "give up"
    message         : one line for the user
    """

    def __init__(self, asset: str, exchange: str, kind: Kind, message: str):
        self.asset, self.exchange, self.kind, self.message = asset, exchange, kind, one_line(message)
        super().__init__(f"{asset} from {exchange}: {self.message} ({kind})")
