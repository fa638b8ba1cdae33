"""How much a position is, from size fields that programs fill in differently; checked against the notional.

ccxt says quantity = contracts x contractSize; of a coin-settled contract that product is US dollars of face. But some
exchanges put coins or dollars in `contracts` already, leave `contractSize` or `contracts` out, or give the notional in
coins. So every reading is a candidate, and the notional says which is right; where none fits, the row is refused.
"""

import math
from dataclasses import dataclass

from margin.core.errors import InputError
from margin.core.instruments import Instrument

CLOSE = 0.03  # mark and notional may be some moments apart
EXACT = 1e-6
FAR = 5.0  # a mark worked out of the notional is believed within this factor of the entry price


@dataclass(frozen=True, kw_only=True)
class Size:
    """quantity > 0 in our units; mark: USD, the given or the worked-out one, None where neither; note: what was odd."""

    quantity: float
    mark: float | None
    note: str = ""


def settle_size(
    instrument: Instrument,
    *,
    contracts: float | None,
    contract_size: float | None,
    notional: float | None,
    mark: float | None,
    entry: float | None,
    own: float | None = None,
    in_units: bool = False,
) -> Size:
    """The size that the fields agree on; all unsigned.

    contracts, contract_size : as the program gives them; None where it does not
    notional : USD, or coins (of a coin-settled contract, and of Deribit's linear ones)
    own      : the size in the venue's own answer, which may be in our units
    in_units : the venue is known to count units (dollars of face), not contracts
    Raises InputError where they disagree or do not say.
    """
    candidates = _candidates(contracts, contract_size, own, in_units)
    if not notional:
        if contracts is None and own is None:
            raise InputError("contracts", None, "no size is given", "Give contracts, or notional and markPrice.")
        note = ""
        if contract_size is None and not in_units and contracts is not None:
            note = "no contract size is given; contracts are read as units"
        return Size(quantity=candidates[0], mark=mark, note=note)
    if instrument.is_option:
        return _option(instrument, candidates, notional, mark)
    if mark is None:
        return _without_mark(instrument, candidates, notional, entry)
    for candidate in candidates:
        if _agrees(instrument, candidate, notional, mark, entry):
            return Size(quantity=candidate, mark=mark)
    if contracts is not None and contract_size is not None:
        shown = _notional(instrument, candidates[0], mark)
        problem = f"{contracts:g} contracts of {contract_size:g} at {mark:g} are {shown:g}, not the notional"
        raise InputError("notional", notional, problem, "Check contracts, contractSize, markPrice and notional.")
    quantity = notional * mark if instrument.is_inverse else notional / mark
    return Size(quantity=quantity, mark=mark, note="its size is the notional at the mark price")


def _candidates(contracts: float | None, contract_size: float | None, own: float | None, in_units: bool) -> list[float]:
    found = []
    if contracts is not None:
        product = contracts * (contract_size if contract_size is not None else 1.0)
        found = [contracts, product] if in_units else [product, contracts]
    return list(dict.fromkeys([*found, *([own] if own else [])]))


def _notional(instrument: Instrument, quantity: float, price: float) -> float:
    return quantity / price if instrument.is_inverse else quantity * price


def _agrees(instrument: Instrument, quantity: float, notional: float, mark: float, entry: float | None) -> bool:
    at_mark = math.isclose(_notional(instrument, quantity, mark), notional, rel_tol=CLOSE)
    at_entry = entry is not None and math.isclose(_notional(instrument, quantity, entry), notional, rel_tol=1e-3)
    same = math.isclose(quantity, notional, rel_tol=EXACT)  # dollars of face, or coins of a linear contract
    return at_mark or at_entry or same


def _without_mark(instrument: Instrument, candidates: list[float], notional: float, entry: float | None) -> Size:
    """The entry price is no mark: it only says which of the readings can be meant."""
    if not candidates:
        raise InputError("markPrice", None, "is missing, so the notional does not say the size")
    for candidate in candidates:
        if instrument.is_inverse and math.isclose(candidate, notional, rel_tol=EXACT):
            return Size(quantity=candidate, mark=None)
    marks = [c / notional if instrument.is_inverse else notional / c for c in candidates if c]
    if entry is None:
        if len(marks) > 1:
            raise InputError("markPrice", None, "is missing, so it can't be told whether contracts are units")
        return Size(quantity=candidates[0], mark=marks[0], note="its mark price is worked out of the notional")
    best = min(range(len(marks)), key=lambda i: abs(math.log(marks[i] / entry)))
    if abs(math.log(marks[best] / entry)) > math.log(FAR):
        problem = f"would mean a mark price of {marks[best]:g}, far from the entry price of {entry:g}"
        raise InputError("notional", notional, problem, "Check contracts, contractSize and notional.")
    return Size(quantity=candidates[best], mark=marks[best], note="its mark price is worked out of the notional")


def _option(instrument: Instrument, candidates: list[float], notional: float, mark: float | None) -> Size:
    """An option's notional is coins, or coins x the price of the coin, which is near the strike."""
    if not candidates:
        raise InputError("contracts", None, "no size is given", "Give contracts.")
    for candidate in candidates:
        if math.isclose(candidate, notional, rel_tol=EXACT):
            return Size(quantity=candidate, mark=mark)
    strike = instrument.strike or 1.0
    best = min(candidates, key=lambda c: abs(math.log(notional / c / strike)) if c else math.inf)
    return Size(quantity=best, mark=mark)
