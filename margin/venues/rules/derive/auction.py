"""Derive's auction of an account below maintenance: how much may be bid for, its fee, and an insolvent one's offer.

Source: docs.derive.xyz, liquidations (version 2). Margins are net: below 0 is not enough. All USD.
"""

from collections.abc import Mapping
from typing import Any

from margin.venues.base import Lines


def buffer_margin(value: float, maintenance: float, buffer: float) -> float:
    """Net maintenance margin and a share of its distance from the account's value: what an auction restores to 0."""
    return maintenance + buffer * (maintenance - value)


def most_bid(value: float, buffered: float, discount: float = 0.0, reserved: float = 0.0) -> float:
    """Share of the account that bids at that discount may take; `reserved` is cash that earlier bids brought."""
    return buffered / (buffered - (1.0 - discount) * value - discount * reserved)


def auction_fee(value: float, buffered: float, rate: float) -> float:
    """USD that the venue takes when an auction starts: a rate of the value of what must be sold."""
    return value * rate * most_bid(value, buffered)


def insolvent_offer(value: float, maintenance: float, share_of_time: float) -> float:
    """USD that a bidder takes the whole account over for, below 0: is paid; falls from min(0, value) to maintenance."""
    start = min(0.0, value)
    return start + share_of_time * (maintenance - start)


def insolvent_bid(offer: float, maintenance: float, taken: float) -> tuple[float, float]:
    """(paid by the security module, cash the bidder must bring) USD for a share of an insolvent account."""
    payout = -taken * offer
    return payout, taken * -maintenance - payout


def explain(value: float, maintenance: float, rule: Mapping[str, Any], lines: Lines, source: str) -> None:
    """Lines of an account that is liquidated now."""
    if maintenance >= 0 or not lines.wanted:
        return
    if value <= 0:
        last = insolvent_offer(value, maintenance, 1.0)
        formula = f"{min(0.0, value):,.2f} falling to {last:,.2f} in {rule['minutes']:g} minutes"
        lines.add("Insolvent auction: offer", formula, insolvent_offer(value, maintenance, 0.0), source, "note")
        paid, brought = insolvent_bid(last, maintenance, 1.0)
        formula = f"the security module pays {paid:,.2f}"
        lines.add("Insolvent auction: a bidder of all brings at its end", formula, brought, source, "note")
        return
    buffered = buffer_margin(value, maintenance, rule["buffer"])
    lines.add("Auction: buffer margin", f"{rule['buffer']:.0%} beyond maintenance", buffered, source, "note")
    share = most_bid(value, buffered, rule["first_discount"])
    formula = f"{share:.1%} of {value:,.2f}, {rule['first_discount']:.0%} below its value"
    lines.add("Auction: may be bid for now", formula, share * value, source, "note")
    fee = auction_fee(value, buffered, rule["fee"])
    lines.add("Auction: fee", f"{rule['fee']:.0%} of what must be sold", fee, source, "note")
