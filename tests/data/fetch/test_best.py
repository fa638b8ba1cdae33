"""Which of several stored series answers a question, at the very edges of its span, on stand-ins."""

from types import SimpleNamespace as Of

from data.fetch.series import best

DAYS = range(0, 3000, 100)
SPAN = Of(since=DAYS[10], until=DAYS[20])


def found(first, last, status="fetched"):
    return Of(
        first=DAYS[first],
        last=DAYS[last],
        status=status,
        key=Of(source="okx"),
        series=Of(candles=(), complete_since=None),
    )


def test_what_ends_with_the_first_day_or_begins_with_the_last_still_counts():
    for only in (found(0, 10, "stale"), found(20, 29, "stale")):
        assert best([only], SPAN) is only
    assert best([found(0, 9)], SPAN) is None and best([found(21, 29)], SPAN) is None and best([], SPAN) is None


def test_of_stale_ones_the_one_that_reaches_furthest_and_among_equals_the_first():
    near, far, again = found(0, 12, "stale"), found(0, 15, "stale"), found(5, 15, "stale")
    assert best([near, far, again], SPAN) is far
