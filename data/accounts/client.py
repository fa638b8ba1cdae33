"""A venue's public account answers through ccxt, with our retries; the visitor's address stands in no message."""

import logging
from typing import Any

from data.errors import FetchError
from data.exchange import answers, refusals
from data.exchange.asker import Asker, Patience
from data.exchange.plain import open_plain

NOTHING = ("not found", "no subaccounts", "does not exist")
_SILENT = logging.Logger("margin-lab-accounts", logging.CRITICAL)  # ccxt's own writes every address that it asks


class AccountClient(Asker):
    """One venue, asked about one address. `asset` of its errors is what was asked, e.g. "positions"."""

    def __init__(self, exchange_id: str, address: str, patience: Patience | None = None):
        super().__init__(exchange_id, patience)
        self.address = address

    async def ask(self, what: str, method: str, params: dict[str, Any]) -> Any:
        """The raw answer of one of ccxt's endpoint methods; None where the venue knows no such account.

        Raises FetchError whose message does not hold the address.
        """
        if self._exchange is None:
            refusals.check(what, self.id)
            self._exchange = open_plain(self.id, self.patience)
            self._exchange.logger = _SILENT

        async def once() -> Any:
            try:
                return await getattr(self._exchange, method)(params)
            except Exception as error:
                answer = answers.current.get()
                status = answer.status if answer is not None else 0
                said = f"{error} {answer.text if answer else ''}".lower()
                if status in (400, 404) and any(word in said for word in NOTHING):
                    return None
                raise

        try:
            return await self.call(what, once)
        except FetchError as error:
            message = without(error.message, self.address)
            raise FetchError(what, self.id, error.kind, message) from None


def without(text: str, address: str) -> str:
    """`text` with the address, also cut short or in other letters, as "the address"."""
    low, needle = text.lower(), address.lower()
    for size in range(len(needle), 9, -1):
        at = low.find(needle[:size])
        while at >= 0:
            text = text[:at] + "the address" + text[at + size :]
            low = text.lower()
            at = low.find(needle[:size])
    return text
