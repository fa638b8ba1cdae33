"""The book and its history: nothing typed is lost, undo and redo are exact inverses, 'before' is the book as loaded."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from margin.core.portfolio import Collateral, Portfolio, Position
from margin.core.settings import Settings
from ui.state.book import MAX_STEPS, Book, History, State
from ui.state.rows import Draft


def book(*quantities, **settings):
    positions = [Position("BTC/USD", q) for q in quantities]
    return Book.of(Portfolio(tuple(positions), (Collateral("USDC", 100),), "test"), Settings(**settings))


def opened(first):
    return History(State(first, first))


def test_a_book_is_its_portfolio_and_settings():
    portfolio = Portfolio((Position("ETH/USD", 2.5, 3000.0),), (Collateral("BTC", 0.1),), "n")
    made = Book.of(portfolio, Settings(level=0.99))
    assert made.portfolio == portfolio
    again = Book.of(portfolio, Settings(level=0.99))
    assert made == again and hash(made) == hash(again)


def test_a_bad_row_stays_in_the_table_and_out_of_the_portfolio():
    first = book(1.0)
    broken = replace(first, positions=(*first.positions, Draft(7, ("nonsense!", "1", "", ""))))
    assert broken.portfolio == first.portfolio
    assert set(broken.position_problems) == {7} and broken.position_ids == (1,)


def test_two_edits_in_a_row_both_survive():
    first = book(1.0, 2.0)
    one, two = first.positions
    after_one = replace(first, positions=(Draft(one.id, ("BTC/USD", "5", "", "")), two))
    after_two = replace(after_one, positions=(after_one.positions[0], Draft(two.id, ("BTC/USD", "6", "", ""))))
    history = opened(first).edited(after_one, ("positions", 1, 1)).edited(after_two, ("positions", 1, 2))
    assert [p.quantity for p in history.present.book.portfolio.positions] == [5.0, 6.0]
    assert history.undone().present.book == after_one
    assert history.version == 1, "an edit must not redraw the table the visitor types in"


def test_typing_in_one_cell_is_one_step():
    first, step = book(1.0), ("positions", 1, 3)
    typed = opened(first).edited(book(1.5), step).edited(book(1.55), step).edited(book(1.555), step)
    assert typed.before == first
    assert typed.undone().present.book == first
    assert typed.undone().redone().present.book == book(1.555)


def test_before_is_the_book_as_loaded_and_undo_of_a_load_brings_the_old_one_back():
    first, second = book(1.0), book(9.0)
    history = opened(first).edited(book(2.0)).loaded(second)
    assert history.present == State(second, second)
    assert history.edited(book(10.0)).present.baseline == second
    assert history.undone().present == State(book(2.0), first)
    assert history.version > 1


def test_comparing_from_here_changes_only_what_before_means():
    history = opened(book(1.0)).edited(book(2.0)).rebased()
    assert history.present == State(book(2.0), book(2.0)) and history.undone().present.book == book(1.0)


def test_history_is_bounded():
    history = opened(book(0.0))
    for i in range(1, MAX_STEPS + 50):
        history = history.edited(book(float(i)))
    assert len(history.past) == MAX_STEPS


@given(st.lists(st.sampled_from(["edit", "load", "undo", "redo", "rebase"]), max_size=30))
def test_undo_then_redo_changes_nothing(actions):
    history = opened(book(0.0))
    for i, action in enumerate(actions, start=1):
        history = {
            "edit": lambda h, i=i: h.edited(book(float(i)), ("cell", i % 3)),
            "load": lambda h, i=i: h.loaded(book(-float(i))),
            "undo": lambda h, i=i: h.undone(),
            "redo": lambda h, i=i: h.redone(),
            "rebase": lambda h, i=i: h.rebased(),
        }[action](history)
        if history.past:
            assert history.undone().redone().present == history.present
        if history.future:
            assert history.redone().undone().present == history.present
