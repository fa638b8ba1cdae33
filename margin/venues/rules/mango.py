"""Mango v4: one health figure from weighted balances; see `mango_rules` for orders and perpetuals."""

from collections.abc import Mapping

from margin.venues import accounts
from margin.venues.families.lending import LendingVenue


class Mango(LendingVenue):
    """Mango v4: weighted health."""

    name = "mango"

    def weights(
        self, asset: str, settings: Mapping[str, float]
    ) -> tuple[tuple[float, float], tuple[float, float]] | None:
        found = self.parameters["weights"].get("USD" if accounts.is_dollar(asset) else asset)
        return None if found is None else (tuple(found[0]), tuple(found[1]))


RULEBOOK = Mango()
