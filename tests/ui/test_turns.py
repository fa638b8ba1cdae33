"""Later answers go one after the other, a failed one gives its turn back, and nobody waits for long."""

import threading
import time

import pytest

from ui.state import turns


def test_later_answers_go_one_after_the_other():
    now, most, lock = [0], [0], threading.Lock()

    def run():
        with turns.after_the_figures():
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.01)
            with lock:
                now[0] -= 1

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] and now == [0]


def test_a_run_that_fails_gives_its_turn_back():
    with pytest.raises(ZeroDivisionError), turns.after_the_figures():
        raise ZeroDivisionError
    assert not turns._turn.locked()


def test_a_large_book_holds_nobody_up_for_longer_than_the_bound(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.02)
    with turns.after_the_figures():
        with turns.after_the_figures():
            reached = True
        assert reached and turns._turn.locked()  # it did not give away a turn that it never had
    assert not turns._turn.locked()
