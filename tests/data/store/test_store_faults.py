"""Damaged files, full disks, directories that cannot be written: nothing stored is lost, and the user is told."""

import os
import sqlite3
from pathlib import Path

import pytest

from data.model import SeriesKey
from data.store.files import transaction
from data.store.schema import APPLICATION_ID, MIGRATIONS, ForeignFile, migrate
from data.store.store import MEMORY_ROWS, Store, default_store
from tests.data.store.helpers import BTC, MONDAY, TUESDAY, candles, finish, program, same

KEYS = [SeriesKey("kraken", f"A{n:02d}/USD", "1d") for n in range(20)]
PAGE = 4096


def filled(path: Path) -> Store:
    store = Store(path)
    for number, key in enumerate(KEYS):
        store.append(key, candles(300, seed=number), MONDAY)
    return store


def saved_series(store: Store) -> list[SeriesKey]:
    """Keys whose series is whole; any that is there must be."""
    whole = []
    for number, key in enumerate(KEYS):
        series = store.read(key)
        if series is not None:
            assert same(series.candles, candles(300, seed=number))
            whole.append(key)
    return whole


def set_aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob("prices.damaged-*.db"))


def damage(path: Path, start: int, length: int) -> bytes:
    """Overwrite part of a closed store's file; returns the whole damaged file."""
    content = bytearray(path.read_bytes())
    content[start : start + length] = b"\xa5" * length
    path.write_bytes(content)
    return bytes(content)


@pytest.mark.parametrize(
    ("what", "start", "length", "at_least"),
    [
        ("the first bytes", 0, 100, 0),
        ("the whole first page", 0, PAGE, 0),
        ("a page of the key index and tables", PAGE, PAGE, 0),
        ("a page in the middle", 20 * PAGE, PAGE, 18),
        ("a tenth of the file", 10 * PAGE, 7 * PAGE, 15),
    ],
)
def test_a_damaged_file_is_set_aside_and_what_can_be_read_is_saved(tmp_path, what, start, length, at_least):
    path = tmp_path / "prices.db"
    filled(path).close()
    before = damage(path, start, length)
    store = Store(path)
    saved = saved_series(store)
    assert at_least <= len(saved) <= 20
    kept = set_aside(path)
    if kept:  # the structure was hit: the damaged file is kept as it was
        assert kept[0].read_bytes() == before
        assert kept[0].name in store.notices[0] and f"{len(saved)} series" in store.notices[0]
    else:  # only blobs were hit: each is kept inside the store, and said
        assert len(store.notices) == 20 - len(saved)
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT count(*) FROM damaged").fetchone()[0] == 20 - len(saved)
    assert store.notices
    store.append(BTC, candles(5), TUESDAY)  # and it goes on working
    store.close()
    again = Store(path)  # whether the first page was written back depends on SQLite; either way it works and says so
    again.append(BTC, candles(5), TUESDAY)
    assert same(again.read(BTC).candles, candles(5))
    assert store.notices or again.notices or len(saved_series(again)) == 20
    assert len(saved_series(Store(path))) == len(saved)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_file_is_set_aside_and_said(tmp_path, share):
    path = tmp_path / "prices.db"
    filled(path).close()
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    store = Store(path)
    assert len(saved_series(store)) < 20
    assert set_aside(path) and store.notices


def test_a_file_that_never_was_a_database_is_set_aside_untouched(tmp_path):
    path = tmp_path / "prices.db"
    path.write_bytes(b"not a database at all\n" * 1000)
    store = Store(path)
    store.append(BTC, candles(3), MONDAY)
    assert same(store.read(BTC).candles, candles(3))
    assert set_aside(path)[0].read_bytes() == b"not a database at all\n" * 1000
    assert "0 series" in store.notices[0]


def test_two_damages_on_one_day_are_both_kept(tmp_path):
    path = tmp_path / "prices.db"
    for number in range(3):
        path.write_bytes(b"junk %d" % number * 999)
        Store(path).close()
    assert {p.read_bytes()[:6] for p in set_aside(path)} == {b"junk 0", b"junk 1", b"junk 2"}


def test_damage_while_the_store_is_open_is_noticed_and_the_file_replaced(tmp_path):
    path = tmp_path / "prices.db"
    filled(path).close()
    store = Store(path)
    damage(path, 0, 100)
    os.utime(path)
    reads = [store.read(key) for key in KEYS]
    store.append(BTC, candles(5), MONDAY)
    found = store.read(BTC)
    if found is None:  # the file was set aside meanwhile: it says so, and prices are fetched again
        assert set_aside(path) and "set aside" in store.notices[0]
        store.append(BTC, candles(5), TUESDAY)
        found = store.read(BTC)
    assert same(found.candles, candles(5))
    for number, series in enumerate(reads):
        assert series is None or same(series.candles, candles(300, seed=number))
    store.close()
    assert same(Store(path).read(BTC).candles, candles(5))


def test_a_series_whose_checksum_fails_goes_alone(tmp_path):
    path = tmp_path / "prices.db"
    store = filled(path)
    bad = KEYS[7]
    with sqlite3.connect(path) as connection:
        blob = bytearray(connection.execute("SELECT candles FROM series WHERE symbol = ?", (bad.symbol,)).fetchone()[0])
        blob[1000] ^= 1
        connection.execute("UPDATE series SET candles = ? WHERE symbol = ?", (bytes(blob), bad.symbol))
    assert store.read(bad) is None
    assert len(store.keys()) == 19
    assert len(saved_series(store)) == 19
    assert len(store.notices) == 1 and bad.symbol in store.notices[0]
    with sqlite3.connect(path) as connection:
        kept = connection.execute("SELECT symbol, candles FROM damaged").fetchall()
    assert kept == [(bad.symbol, bytes(blob))]
    store.append(bad, candles(300, seed=7), TUESDAY)
    assert len(saved_series(store)) == 20


def test_an_append_onto_a_damaged_series_keeps_the_damaged_bytes_and_the_new_candles(tmp_path):
    store = filled(tmp_path / "prices.db")
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE series SET candles = x'00112233' WHERE symbol = ?", (KEYS[0].symbol,))
    store.append(KEYS[0], candles(9), TUESDAY)
    assert same(store.read(KEYS[0]).candles, candles(9))
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("SELECT candles FROM damaged").fetchall() == [(b"\x00\x11\x22\x33",)]
    assert KEYS[0].symbol in store.notices[0]


def test_a_deleted_file_is_made_again(tmp_path):
    store = filled(tmp_path / "prices.db")
    for file in tmp_path.glob("prices.db*"):
        file.unlink()
    assert store.read(KEYS[0]) is None
    store.append(BTC, candles(3), MONDAY)
    assert same(Store(store.path).read(BTC).candles, candles(3))


def test_another_programs_database_is_never_touched(tmp_path):
    path = tmp_path / "prices.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE diary (entry TEXT)")
        connection.execute("INSERT INTO diary VALUES ('dear diary')")
    store = Store(path)
    store.append(BTC, candles(3), MONDAY)
    assert same(store.read(BTC).candles, candles(3))  # in memory
    assert not store.on_disk and "not a price store" in store.notices[0]
    with sqlite3.connect(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
        assert tables == [("diary",)]


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    store = filled(tmp_path / "prices.db")
    store.close()
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    newer = Store(store.path)
    newer.append(BTC, candles(3), MONDAY)
    assert "newer version" in newer.notices[0]
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("SELECT count(*) FROM series").fetchone() == (20,)


def test_an_older_file_is_migrated_and_a_failed_migration_changes_nothing(tmp_path):
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    migrate(connection)
    with transaction(connection):
        connection.execute("INSERT INTO series (source, symbol, interval, candles) VALUES ('a', 'b', '1d', x'00')")

    def add_column(c):
        c.execute("ALTER TABLE series ADD COLUMN note TEXT NOT NULL DEFAULT 'old'")

    def fails(c):
        c.execute("DROP TABLE series")
        raise sqlite3.OperationalError("no room")

    with pytest.raises(sqlite3.OperationalError, match="no room"):
        migrate(connection, (*MIGRATIONS, add_column, fails))
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("SELECT * FROM series").fetchall() == [(1, "a", "b", "1d", b"\0")]
    migrate(connection, (*MIGRATIONS, add_column))
    assert connection.execute("SELECT source, note FROM series").fetchall() == [("a", "old")]
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    with pytest.raises(ForeignFile, match="newer"):
        migrate(connection)
    connection.close()


def test_a_full_database_keeps_the_old_prices_and_serves_the_new_ones_from_memory(tmp_path):
    store = filled(tmp_path / "prices.db")
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    store.append(BTC, candles(5000), TUESDAY)
    store.append(KEYS[3], candles(5000, seed=99), TUESDAY)
    assert len(store.notices) == 1 and "full" in store.notices[0] and "What was stored is kept" in store.notices[0]
    assert same(store.read(BTC).candles, candles(5000))
    assert len(store.keys()) == 21
    elsewhere = Store(store.path)
    assert elsewhere.read(BTC) is None
    assert len(saved_series(elsewhere)) == 20
    store._writer.execute("PRAGMA max_page_count = 1000000")  # room again: the next append takes the kept candles along
    store.append(BTC, candles(1, start="2040-01-01"), TUESDAY)
    assert len(elsewhere.read(BTC).candles) == 5001


def test_a_disk_that_refuses_to_grow_loses_nothing(tmp_path):
    """The operating system itself refuses every byte beyond 1 MB (RLIMIT_FSIZE) in a process of its own."""
    code = """
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        store = Store(path)
        for n in range(60):
            store.append(SeriesKey("kraken", f"A{n:02d}/USD", "1d"), candles(1000, seed=n), MONDAY)
        for n in range(60):
            assert same(store.read(SeriesKey("kraken", f"A{n:02d}/USD", "1d")).candles, candles(1000, seed=n)), n
        print(len(store.notices), store.notices[0])
        """
    path = tmp_path / "prices.db"
    said = finish(program(code, path))
    assert said.startswith("1 Prices could not be saved")
    store = Store(path)
    stored = store.keys()
    assert 5 < len(stored) < 60
    for key in stored:
        assert same(store.read(key).candles, candles(1000, seed=int(key.symbol[1:3])))
    assert store.notices == []


def test_what_is_kept_in_memory_is_bounded(tmp_path):
    store = Store(tmp_path / "no" / "prices.db")
    store.close()
    blocked = tmp_path / "file"
    blocked.write_text("a file where a directory should be")
    store = Store(blocked / "prices.db")
    many = candles(MEMORY_ROWS // 10, freq="min")
    for number in range(15):
        store.append(SeriesKey("kraken", f"A{number}", "1h"), many, MONDAY)
    kept = store.keys()
    assert [key.symbol for key in kept] == sorted(f"A{n}" for n in range(5, 15))


def test_a_directory_that_cannot_be_made_means_memory_and_a_notice(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "prices.db")
    store.append(BTC, candles(3), MONDAY)
    store.append(BTC, candles(5), TUESDAY)
    assert same(store.read(BTC).candles, candles(5))
    assert store.keys() == [BTC]
    assert not store.on_disk
    assert len(store.notices) == 1 and "MARGIN_DATA_DIR" in store.notices[0]


def test_a_read_only_directory_still_serves_what_is_stored(tmp_path):
    """In a process without the right to write there (as root it first becomes nobody)."""
    code = """
        if os.geteuid() == 0:
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
        try:
            open(path.parent / "x", "w")
        except OSError:
            pass
        else:
            sys.exit("the directory can be written after all")
        store = Store(path)
        assert same(store.read(BTC).candles, candles(40))
        store.append(BTC, candles(41), TUESDAY)
        store.append(ETH, candles(7), TUESDAY)
        assert same(store.read(BTC).candles, candles(41)) and same(store.read(ETH).candles, candles(7))
        assert store.keys() == [BTC, ETH] and not store.on_disk
        print(store.notices)
        """
    path = tmp_path / "prices.db"
    store = Store(path)
    store.append(BTC, candles(40), MONDAY)
    store.close()
    parents = [tmp_path, *(p for p in tmp_path.parents if p != Path("/tmp") and Path("/tmp") in p.parents)]
    modes = {p: p.stat().st_mode for p in parents}
    try:
        for parent in parents:
            parent.chmod(0o555)
        for file in tmp_path.iterdir():
            file.chmod(0o444)
        said = finish(program(code, path))
    finally:
        for parent, mode in modes.items():
            parent.chmod(mode)
    assert "cannot be saved" in said and "MARGIN_DATA_DIR" in said
    assert same(Store(path).read(BTC).candles, candles(40))


@pytest.mark.skipif(os.name != "posix", reason="needs SQLite's unix file layers")
def test_a_file_system_without_shared_memory_works_without_a_write_ahead_log(tmp_path):
    path = tmp_path / "prices.db"
    store = Store(path, vfs="unix-dotfile")
    for number in range(20):
        store.append(BTC, candles(300).iloc[number * 15 : number * 15 + 15], MONDAY)
    assert same(store.read(BTC).candles, candles(300))
    assert store.on_disk and "write-ahead log" in store.notices[0]
    assert not Path(f"{path}-wal").exists()
    store.close()
    assert same(Store(path).read(BTC).candles, candles(300))


def test_a_byte_flipped_inside_a_series_costs_that_series_only_and_one_in_the_header_the_file(tmp_path):
    path = tmp_path / "prices.db"
    filled(path).close()
    content = bytearray(path.read_bytes())
    wanted = candles(300, seed=7)["close"].to_numpy().tobytes()[-64:]
    at = bytes(content).find(wanted)
    assert at > 0
    content[at + 3] ^= 1
    path.write_bytes(content)
    store = Store(path)
    assert len(saved_series(store)) == 19 and not set_aside(path)
    assert KEYS[7].symbol in store.notices[0]
    store.close()
    content[3] ^= 1
    path.write_bytes(content)
    store = Store(path)
    saved_series(store)
    assert set_aside(path) and "set aside" in store.notices[0]


@pytest.mark.parametrize("folder", ["~nobody-of-that-name/x", "~~~", "\\0"])
def test_a_data_folder_that_is_nobodys_gives_a_working_store_and_one_clear_line(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARGIN_DATA_DIR", folder.replace("\\0", "a\x01"))
    store = default_store()
    store.append(BTC, candles(3), MONDAY)
    assert same(store.read(BTC).candles, candles(3))
    store.close()


def test_a_home_that_is_not_there_gives_a_working_store(monkeypatch, tmp_path):
    monkeypatch.delenv("MARGIN_DATA_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    monkeypatch.setenv("HOME", str(blocker / "home"))
    store = default_store()
    store.append(BTC, candles(3), MONDAY)
    assert same(store.read(BTC).candles, candles(3))
    assert "MARGIN_DATA_DIR" in store.notices[0]
    store.close()
