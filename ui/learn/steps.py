"""The eight steps of the Learn page: a claim, something to move, a chart, a question with its choices."""

from collections.abc import Callable
from dataclasses import dataclass

from ui.learn.history import one_position, safeguards, when_it_breaks
from ui.learn.pairs import correlation, isolated_to_cross, two_positions
from ui.learn.shared import collateral_shared, what_spreads
from ui.learn.view import ASSUMED, LONG, SHORT, View


@dataclass(frozen=True)
class Step:
    """`draw` puts the controls on the page and returns the view; `right` is the number of the right choice."""

    title: str
    claim: str
    idea: str
    draw: Callable[[], View]
    question: str
    choices: tuple[str, ...]
    right: int


STEPS = (
    Step(
        "One position",
        "Margin is money held against a bad day.",
        "Each bar counts the days that brought this profit or loss. The margin is the average of the worst 2.5% of "
        "days.",
        one_position,
        "Double the position. What happens to its margin?",
        ("It grows, but less than double", "It doubles", "It more than doubles"),
        1,
    ),
    Step(
        "Two positions",
        "Two isolated accounts cannot help each other.",
        f"Long $100,000 of {LONG} and short $100,000 of {SHORT}. Move the market: what is left in each account?",
        two_positions,
        "Everything falls by 10%, so the book loses nothing. Can a position still be liquidated?",
        ("No, the book is flat", "Yes, in the isolated accounts", "Yes, in the pool"),
        1,
    ),
    Step(
        "Correlation",
        "In one account only the sum counts.",
        "How much the sum can lose depends on how the two move together: −1 opposite, 0 unrelated, +1 in step.",
        correlation,
        "Long one, short the other: at which correlation does pooling save most?",
        ("At −1", "At 0", "At +1"),
        2,
    ),
    Step(
        "Isolated to cross",
        "The same safety, with less capital.",
        "Compare fairly: how much capital does each way need to run out equally rarely? Read across, at one height.",
        isolated_to_cross,
        "The pool holds less money. Does it run out more often than the isolated accounts?",
        ("Yes, more often", "Equally often", "Less often"),
        1,
    ),
    Step(
        "When correlation breaks",
        "A hedge is only as good as tomorrow's correlation.",
        f"The margin of the pair was set at correlation {ASSUMED}, to be exceeded on 1 day in 100. Drag tomorrow's "
        "down.",
        when_it_breaks,
        "Tomorrow the two are unrelated (correlation 0). How often is that margin not enough?",
        ("Still about 1 day in 100", "About 1 day in 30", "About 1 day in 8"),
        2,
    ),
    Step(
        "What safeguards give back",
        "A careful clearing house keeps part of the saving.",
        "Switch its safeguards on, one by one: each adds margin, and covers more of the bad days.",
        safeguards,
        "With all of them on, is pooling still better than isolated accounts?",
        ("No, all is given back", "Yes: less margin, and it fails less often", "Less margin, but it fails more often"),
        1,
    ),
    Step(
        "Counted twice",
        "Counted twice, the same coin is lost twice.",
        "A coin worth $1,000 at a lender who is owed $400. A venue for perpetuals counts the same coin as margin for a "
        "long. Move the price: what does each see?",
        collateral_shared,
        "Long $500. At which fall is it certain that somebody will not be paid?",
        ("When the lender calls, at 52%", "When the venue calls, at 62%", "At 40%, before either calls"),
        2,
    ),
    Step(
        "Contagion",
        "A loss travels until somebody can bear it.",
        "The vault owes the lender $10M, the lender owes its savers $10M and has $3M of its own. The vault has lost "
        "money.",
        what_spreads,
        "The vault holds $4M, and half of what a defaulter has is lost. How much do the savers get?",
        ("$7M: what the vault holds and the lender has", "$5M", "$2.50M"),
        2,
    ),
)
