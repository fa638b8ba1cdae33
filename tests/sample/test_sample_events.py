"""The named events: all of them, oldest first, with closes and lows of the file."""

import csv
from datetime import date

from margin.sample.events import EVENTS_FILE, load_events


def test_every_row_of_the_file_is_one_move():
    with EVENTS_FILE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_key = {(event.name, event.start.isoformat(), event.end.isoformat()): event for event in load_events()}
    assert sum(len(event.moves) for event in by_key.values()) == len(rows) == 407
    for row in rows:
        move = by_key[row["event"], row["start"], row["end"]].moves[row["asset"]]
        assert move.close_to_close == float(row["close_to_close_return"])
        assert move.worst_low == (float(row["worst_low_return"]) if row["worst_low_return"] else None)


def test_events_come_oldest_first_and_reach_before_the_sample():
    events = load_events()
    assert [event.start for event in events] == sorted(event.start for event in events)
    assert events[0].start < date(2020, 9, 30) < events[-1].start
    assert len({(event.name, event.start) for event in events}) == len(events) == 21


def test_an_event_knows_its_days_and_moves():
    ftx = next(event for event in load_events() if event.name == "FTX collapse")
    assert (ftx.start, ftx.end, ftx.days) == (date(2022, 11, 7), date(2022, 11, 9), 3)
    assert ftx.moves["SOL"].close_to_close == -0.56836
    assert ftx.moves["FTT"].worst_low is None


def test_a_low_is_never_above_the_close():
    for event in load_events():
        for asset, move in event.moves.items():
            if move.worst_low is not None:
                assert move.worst_low <= move.close_to_close + 1e-9, (event.name, asset)
