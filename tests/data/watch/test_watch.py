"""The watch: when it speaks, what it says after an outage, where messages go, and that no address is repeated."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pandas as pd
import pytest

from data.cli import main
from data.watch.alarm import Alarm, Seen
from data.watch.look import Accounts, Blind, Prices, Question, look
from data.watch.loop import keep, kept, seconds_of, state_file, watch
from data.watch.notify import sender
from margin import InputError, Market, Portfolio, Position
from margin.core.account import Account
from margin.core.position import Collateral
from margin.sample.ready import sample_portfolio
from tests.exchange_server import ExchangeServer
from tests.exchange_server.faults import MARK_UP, Fault
from tests.forecast.pinned import pinned_market

# Apprise's own imports warn on Python 3.11.
pytestmark = pytest.mark.filterwarnings("ignore:.*imghdr.*:DeprecationWarning")
START = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


def at(minutes, **said):
    return Seen(at=START + timedelta(minutes=minutes), **({"odds": 0.02, "text": "2% chance."} | said))


def told(alarm, *looks):
    """The messages of a row of looks, all of which get out."""
    out = []
    for seen in looks:
        message = alarm.hear(seen)
        if message is not None:
            alarm.sent(seen.at)
            out.append((int((seen.at - START).total_seconds() // 60), message))
    return out


def test_it_speaks_when_the_odds_pass_the_line_and_only_then():
    looks = [at(i, odds=0.05) for i in range(5)] + [at(5, odds=0.12)] + [at(6 + i, odds=0.2) for i in range(200)]
    found = told(Alarm(line=0.10), *looks)
    assert [minute for minute, _ in found] == [5]
    assert "passed 10%" in found[0][1]


def test_at_most_one_message_an_hour_and_nothing_is_lost():
    looks = [at(i, odds=0.2 if i % 4 < 2 else 0.01) for i in range(240)]  # passes and calms down every four minutes
    found = told(Alarm(line=0.10), *looks)
    minutes = [minute for minute, _ in found]
    assert minutes[0] == 0
    assert (np.diff(minutes) >= 60).all()
    assert len(found) == 4
    alarm = Alarm(line=0.10)
    found = told(
        alarm, at(0, odds=0.2), at(10, odds=0.01), at(20, odds=1.0, called=True), at(61, odds=1.0, called=True)
    )
    assert [m for m, _ in found] == [0, 61]
    assert "Below the requirement" in found[1][1]


def test_it_is_not_nervous_around_the_line():
    looks = [at(0, odds=0.11)] + [at(70 + i, odds=0.09 if i % 2 else 0.11) for i in range(30)]
    assert len(told(Alarm(line=0.10), *looks)) == 1
    assert "Calm again" in told(Alarm(line=0.10), at(0, odds=0.11), at(70, odds=0.04))[1][1]


def test_a_near_call_and_a_called_account_are_told():
    assert "A call is near" in told(Alarm(line=0.5), at(0, odds=0.3, near=True))[0][1]
    found = told(Alarm(line=0.10), at(0, odds=0.3), at(90, odds=1.0, called=True, text="Below it."))
    assert "Below the requirement" in found[1][1]


def test_blindness_is_told_with_its_times():
    blind = [at(i, odds=None, text="", error="kraken is silent") for i in range(5, 45)]
    found = told(Alarm(line=0.10), at(0), *blind, at(45), at(110))
    assert [minute for minute, _ in found] == [20, 110]  # the second waits for its hour
    assert "Blind since 10:05 UTC: kraken is silent" in found[0][1]
    assert "was blind from 10:05 to 10:45 UTC" in found[1][1]
    short = [at(i, odds=None, text="", error="x") for i in range(5, 10)]
    assert told(Alarm(line=0.10), at(0), *short, at(10)) == []


def test_being_blind_does_not_take_the_place_of_odds_that_were_not_told_yet():
    alarm = Alarm(line=0.10)
    assert "passed 10%" in (alarm.hear(at(0, odds=0.3)) or "")  # and does not get out
    for minute in range(1, 30):
        said = alarm.hear(at(minute, odds=None, text="", error="kraken is silent")) or ""
        assert "passed 10%" in said
    assert said.startswith("Blind since 10:01 UTC: kraken is silent. The odds have passed 10%")
    assert Alarm.from_dict(alarm.to_dict(), 0.10) == alarm
    then = alarm.hear(at(31, odds=0.3)) or ""
    assert then.startswith("Sees again, was blind from 10:01 to 10:31 UTC. The odds have passed 10%")
    alarm.sent(at(31).at)
    assert alarm.hear(at(120, odds=0.3)) is None


def test_the_alarm_survives_between_two_runs(tmp_path):
    alarm = Alarm(line=0.10)
    told(alarm, at(0, odds=0.3))
    keep(tmp_path / "deep" / "a.json", alarm)
    again = kept(tmp_path / "deep" / "a.json", 0.10)
    assert again == alarm
    assert again.hear(at(5, odds=0.3)) is None
    for garbage in ("", "[]", "{", '{"last_sent": 5}', '{"level": "x"}'):
        (tmp_path / "bad.json").write_text(garbage)
        assert kept(tmp_path / "bad.json", 0.10) == Alarm(line=0.10)
    assert kept(tmp_path / "none.json", 0.10) == Alarm(line=0.10)


def run(looks, sends=None, **more):
    """Run the loop over prepared looks (exceptions are raised); (lines, messages)."""
    lines, messages, minute = [], [], iter(range(10_000))
    sends = sends if sends is not None else iter(lambda: True, False)

    def one(when):
        found = looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def send(message):
        messages.append(message)
        return next(sends)

    now = [START]

    def clock():
        return now[0]

    def sleep(seconds):
        next(minute)
        now[0] += timedelta(seconds=seconds)

    saw = watch(
        one, send, Alarm(line=0.10), lines.append, every=60.0, clock=clock, sleep=sleep, looks=len(looks), **more
    )
    return saw, lines, messages


def test_an_outage_ends_nothing():
    saw, lines, messages = run(
        [at(0), OSError("network is unreachable"), InputError("f", 1, "half a file"), at(3, odds=0.4)]
    )
    assert saw
    assert "blind: network is unreachable" in lines[1]
    assert "blind: f: half a file" in lines[2]
    assert len(messages) == 1
    with pytest.raises(InputError):
        run([InputError("f", 1, "cannot be watched")])


def test_a_message_that_does_not_get_out_is_tried_again():
    _, lines, messages = run([at(0, odds=0.4), at(1, odds=0.4), at(2, odds=0.4)], iter([False, True]))
    assert len(messages) == 2
    assert any("not told" in line for line in lines)


def test_looks_at_an_account_on_fixed_prices():
    market = pinned_market()
    thin = Portfolio(sample_portfolio().positions, (Collateral("USD", 4000.0),))
    seen = look(Accounts(lambda: thin), Prices(market), Question(), START)
    assert 0.05 < seen.odds < 0.4
    assert "add" in seen.text
    assert not seen.called
    broke = Portfolio(thin.positions, (Collateral("USD", 500.0),))
    seen = look(Accounts(lambda: broke), Prices(market), Question(), START)
    assert seen.called
    assert seen.odds == 1.0
    assert "Below the maintenance margin" in seen.text

    def silent():
        raise Blind("hyperliquid: no answer")

    assert look(Accounts(silent), Prices(market), Question(), START).error == "hyperliquid: no answer"


@pytest.fixture
def inbox():
    """A place for json:// messages; what came."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}", came
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A thin long on 300 days of prices, as files; a store of its own."""
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path / "kept"))
    closes = 100 * np.cumprod(1 + np.random.default_rng(2).standard_normal(300) * 0.03)
    frame = pd.DataFrame({"date": pd.date_range("2025-01-01", periods=300), "AAA": closes})
    frame.to_csv(tmp_path / "p.csv", index=False)
    money = 10.0 * float(closes[-1]) * 0.12
    book = Portfolio([Position("AAA/USDT:USDT", 10.0)], (Collateral("USD", money),))
    (tmp_path / "b.json").write_text(book.to_json())
    return ["watch", "--portfolio", str(tmp_path / "b.json"), "--prices", str(tmp_path / "p.csv"), "--once"]


def test_the_command_tells_once_and_remembers(files, inbox, capsys):
    pytest.importorskip("apprise", reason="needs apprise, an optional requirement")
    url, came = inbox
    assert main([*files, "--notify", url]) == 0
    assert "chance of liquidation within 3 days" in capsys.readouterr().out
    assert len(came) == 1
    assert "passed 10%" in came[0]["message"]
    assert main([*files, "--notify", url]) == 0  # cron's next minute
    assert len(came) == 1


def test_what_cannot_be_watched_is_said_in_one_line(files, capsys, monkeypatch):
    secret = "nosuch://user:PASSWORD@host"
    for extra, words in (
        (["--odds", "x"], "--odds"),
        (["--every", "1"], "--every"),
        (["--days", "99"], "--days"),
        (["--model", "nosuch"], "model"),
        (["--address", "0x" + "1" * 40], "--address"),
        (["--sample"], "--prices"),
        (["--notify", secret], "--notify (number 1)"),
    ):
        assert main([*files, *extra]) == 2, extra
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert said.count("\n") == 1
        assert words in said
        assert "PASSWORD" not in said
    assert main(["watch", "--once"]) == 2
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    assert main([*files[:3], "--once"]) == 2
    assert "MARGIN_OFFLINE" in capsys.readouterr().err


def test_without_apprise_it_says_what_to_install(monkeypatch):
    import data.watch.notify as notify

    def missing(_):
        raise ImportError

    monkeypatch.setattr(notify, "import_module", missing)
    with pytest.raises(InputError, match=r"margin-lab\[watch\]"):
        sender(["json://host"])
    assert sender([])("anything")


def test_how_often():
    assert [seconds_of(t) for t in ("60", "60s", "5m", "1h")] == [60.0, 60.0, 300.0, 3600.0]
    for bad in ("", "x", "9", "2d", "-5", "nan"):
        with pytest.raises(InputError):
            seconds_of(bad)


def test_an_address_is_in_no_line_no_message_and_no_file(monkeypatch, tmp_path, capsys):
    address = "0x" + "ab" * 20
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
    thin = Portfolio([Position("BTC/USDC:USDC", 1.0)], (Collateral("USDC", 4000.0),))
    monkeypatch.setattr(Accounts, "of_address", classmethod(lambda cls, a, v: cls(lambda: thin, live=True)))
    assert main(["watch", "--address", address, "--sample", "--once"]) == 0
    said = capsys.readouterr()
    assert address not in said.out + said.err
    assert all(address not in path.name + path.read_text() for path in tmp_path.iterdir())


def test_two_watches_do_not_share_what_they_said(tmp_path, monkeypatch):
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
    assert state_file("a.json", None, 0.1, 3.0) != state_file("b.json", None, 0.1, 3.0)


def test_past_prices_are_renewed_hourly(monkeypatch):
    import data.watch.look as module

    asked = []
    monkeypatch.setattr(Prices, "_fetched", lambda self, assets: asked.append(assets) or Market(
        pd.DataFrame({"AAA": np.arange(1.0, 200.0)}, pd.date_range("2025-01-01", periods=199))))  # fmt: skip
    monkeypatch.setattr(module, "is_offline", lambda: False)
    prices = Prices()
    for minutes in (0, 1, 59, 61, 62):
        prices.market(("AAA",), START + timedelta(minutes=minutes))
    assert len(asked) == 2


def at_two_venues() -> Portfolio:
    okx = Account(venue="okx", mode="cross", positions=(Position("BTC/USDT:USDT", 1.0),))
    return Portfolio(
        accounts=(okx, Account(venue="binance", mode="cross", positions=(Position("BTC/USD:BTC", 100.0),)))
    )


def test_a_look_through_exchanges_and_through_their_outage(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("MARGIN_OFFLINE", raising=False)
    book = Portfolio([Position("BTC/USDT:USDT", 1.0)], (Collateral("USD", 9000.0),))
    accounts, prices, now = Accounts(lambda: book), Prices(), datetime.now(UTC)
    with ExchangeServer(now=now.timestamp()) as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        first = look(accounts, prices, Question(), now)
        assert first.error is None
        assert prices._market.fine is not None  # hourly
    monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", "http://127.0.0.1:9")
    blind = look(accounts, prices, Question(), now)
    assert "no exchange gives a last price of BTC" in blind.error
    with ExchangeServer(now=now.timestamp()) as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        again = look(accounts, prices, Question(), now)
        server.faults.append(Fault("mark up", host="fapi", where="all"))
        marks = prices.marks(prices.market(("BTC",), now), at_two_venues(), False, now)
    assert again.error is None
    assert again.odds == pytest.approx(first.odds, abs=0.02)
    # The dollar contract is held at OKX alone, the one settled in coins at Binance, whose marks stand 1% higher.
    assert marks.contracts["BTC/USD:BTC"] == pytest.approx(MARK_UP * marks.contracts["BTC/USDT:USDT"], rel=1e-6)
