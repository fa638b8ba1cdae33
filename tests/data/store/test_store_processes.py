"""Several processes on one file, and one that is killed in the middle of an append."""

import os
import random
import signal
import threading
import time

import pytest

from data.model import SeriesKey
from data.store import recovery as store_recovery
from data.store.store import Store
from tests.data.store.helpers import BTC, HOURLY, MONDAY, TUESDAY, candles, finish, program, same

ROWS = 160


def test_two_processes_appending_to_one_series_lose_nothing(tmp_path):
    """Each has every second candle and appends them one by one, in the same seconds."""
    code = f"""
        store, first = Store(path), int(sys.argv[2])
        whole = candles({ROWS})
        while not (path.parent / "go").exists():
            time.sleep(0.001)
        for row in range(first, {ROWS}, 2):
            store.append(BTC, whole.iloc[row : row + 1], MONDAY)
            store.append(SeriesKey("own", str(first), "1d"), whole.iloc[row : row + 1], MONDAY)
        assert store.notices == [], store.notices
        """
    path = tmp_path / "prices.db"
    writers = [program(code, path, number) for number in (0, 1)]
    time.sleep(1.0)
    (tmp_path / "go").touch()
    for writer in writers:
        finish(writer)
    store = Store(path)
    assert same(store.read(BTC).candles, candles(ROWS))
    for number in (0, 1):
        assert same(store.read(SeriesKey("own", str(number), "1d")).candles, candles(ROWS).iloc[number::2])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_writer_killed_in_the_middle_of_an_append_loses_nothing_it_had_acknowledged(tmp_path):
    """A megabyte per append, so that the kill, at a random moment, falls into one; eight times on the same file."""
    code = """
        store, start = Store(path), int(sys.argv[2])
        whole = candles(21000, freq="h")
        print("ready", flush=True)
        for n in range(start, 21000 - 20000):
            store.append(HOURLY, whole.iloc[n : n + 20000], MONDAY)
            print(n, flush=True)
        """
    path, chance = tmp_path / "prices.db", random.Random(5)
    whole = candles(21000, freq="h")
    done = -1
    for _ in range(8):
        writer = program(code, path, done + 1)
        assert writer.stdout.readline() == "ready\n"
        first = int(writer.stdout.readline())
        assert first == done + 1
        time.sleep(chance.uniform(0.0, 0.15))
        os.kill(writer.pid, signal.SIGKILL)
        out, _ = writer.communicate(timeout=60)
        acknowledged = int(([str(first), *out.split()])[-1])
        assert acknowledged >= first
        store = Store(path)
        stored = store.read(HOURLY).candles
        assert store.notices == []
        assert same(stored, whole.iloc[: len(stored)])
        # Everything acknowledged is there; at most the append under way came on top of it.
        assert acknowledged <= len(stored) - 20000 <= acknowledged + 1
        assert store_recovery.is_healthy(path)
        done = len(stored) - 20000
        store.close()


def test_many_processes_may_open_a_new_file_at_once(tmp_path):
    code = """
        while not (path.parent / "go").exists():
            time.sleep(0.001)
        store = Store(path)
        store.append(SeriesKey("own", sys.argv[2], "1d"), candles(3), MONDAY)
        assert store.on_disk and store.notices == [], store.notices
        """
    path = tmp_path / "prices.db"
    openers = [program(code, path, number) for number in range(4)]
    time.sleep(2.0)
    (tmp_path / "go").touch()
    for opener in openers:
        finish(opener)
    assert len(Store(path).keys()) == 4


def test_readers_do_not_wait_for_another_process_that_holds_the_write_lock(tmp_path):
    code = """
        from data.store.files import transaction
        store = Store(path)
        with transaction(store._writer):
            store._writer.execute("DELETE FROM series")
            print("holding", flush=True)
            sys.stdin.readline()
        """
    path = tmp_path / "prices.db"
    store = Store(path)
    store.append(BTC, candles(50), MONDAY)
    other = program(code, path, stdin=-1)
    assert other.stdout.readline() == "holding\n"
    assert same(store.read(BTC).candles, candles(50))  # what was committed, without waiting
    appended = threading.Event()

    def append():
        store.append(BTC, candles(60), TUESDAY)
        appended.set()

    waiting = threading.Thread(target=append)
    waiting.start()
    assert same(store.read(BTC).candles, candles(50))  # nor does a reader wait for an append of its own process
    assert not appended.is_set()
    other.stdin.write("\n")
    other.stdin.flush()
    finish(other)
    waiting.join(timeout=30)
    assert same(store.read(BTC).candles, candles(60))
    assert store.notices == []


def test_a_store_set_aside_by_another_process_is_followed(tmp_path):
    """One process finds the file damaged and replaces it; the other must not go on writing into the old one."""
    path = tmp_path / "prices.db"
    store = Store(path)
    store.append(BTC, candles(300), MONDAY)
    store.append(HOURLY, candles(5, freq="h"), MONDAY)
    aside = store_recovery.set_aside(path)
    finish(program("assert Store(path).keys() == []", path))
    store.append(BTC, candles(7), TUESDAY)
    assert same(Store(path).read(BTC).candles, candles(7))
    assert same(store.read(BTC).candles, candles(7))
    assert store.read(HOURLY) is None
    assert same(Store(aside).read(BTC).candles, candles(300))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_opens_the_file_for_itself(tmp_path):
    code = """
        store = Store(path)
        store.append(BTC, candles(5), MONDAY)
        child = os.fork()
        if child == 0:
            store.append(SeriesKey("child", "A", "1d"), candles(6), MONDAY)
            os._exit(0 if store._pid == os.getpid() and same(store.read(BTC).candles, candles(5)) else 1)
        assert os.waitpid(child, 0)[1] == 0
        store.append(BTC, candles(8), MONDAY)
        assert same(store.read(SeriesKey("child", "A", "1d")).candles, candles(6))
        assert same(store.read(BTC).candles, candles(8))
        """
    finish(program(code, tmp_path / "prices.db"))
