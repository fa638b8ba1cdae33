"""The venues' workshop: docs/venues.md says what the parameter files say; a reading renews a file and nothing else."""

import json
import shutil

import pytest

from data.exchange import refusals
from margin.core.errors import InputError
from margin.venues import rulebook
from margin.venues.parameters import FOLDER, Parameters
from tests.exchange_server import ExchangeServer
from tools.venues import cli, files, readers, tables


@pytest.fixture
def live(monkeypatch):
    refusals.forget()
    with ExchangeServer() as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        monkeypatch.setenv("MARGIN_OFFLINE", "0")
        yield server
    refusals.forget()


def test_the_table_of_the_docs_is_the_parameters():
    text = tables.DOCS.read_text(encoding="utf-8")
    assert tables.renewed(text) == text, "run: python -m tools.venues tables"
    assert "| BitMEX | `bitmex` | isolated, cross | unverified" in text


def test_marks_that_are_lost_are_said():
    with pytest.raises(ValueError, match="lost its marks"):
        tables.renewed("# Venues")


@pytest.mark.parametrize("venue", readers.names())
def test_a_reading_renews_the_file(live, tmp_path, venue):
    shutil.copy(FOLDER / f"{venue}.json", tmp_path)
    before = json.loads((tmp_path / f"{venue}.json").read_text())
    reading = readers.read(venue, ("BTC", "ETH", "SOL"))
    path = files.write(reading, tmp_path)
    data = json.loads(path.read_text())
    made = type(rulebook(venue))(Parameters.from_dict(data))
    assert made.tiers("BTC") is not None
    assert data["sources"]["live"]["date"] == reading.date
    assert set(before["facts"]) <= set(data["facts"])
    untouched = [
        n for n in before["facts"] if n not in reading.facts and not any(n.startswith(f"{f}_") for f in reading.facts)
    ]
    assert all(data["facts"][n] == before["facts"][n] for n in untouched)
    again = files.renewed(data, reading)
    assert again == data, "reading twice changes nothing more"


def test_what_the_reading_does_not_have_keeps_its_own_source():
    data = json.loads((FOLDER / "bybit.json").read_text())
    row = [[0.0, None, 0.01, 50.0]]
    reading = readers.Reading(
        venue="bybit", facts={"risk_limits": {"ETH": row}}, where="here", date="2026-12-01", coins=1
    )
    made = files.renewed(data, reading)["facts"]
    assert made["risk_limits"] == {"value": {"ETH": row}, "source": "live"}
    assert (
        set(made["risk_limits_limits"]["value"]) == {"BTC", "ADA"} and made["risk_limits_limits"]["source"] == "limits"
    )
    assert "ETH" not in made["risk_limits_older"]["value"] and "XRP" in made["risk_limits_older"]["value"]


def test_files_are_written_a_row_a_line():
    text = files.dumped({"a": {"rows": [[0, None, 0.5], [1, 2, 3]]}, "b": ["x" * 40], "c": []})
    assert json.loads(text) == {"a": {"rows": [[0, None, 0.5], [1, 2, 3]]}, "b": ["x" * 40], "c": []}
    assert "   [0, null, 0.5],\n" in text


def test_the_command_line(live, capsys):
    assert cli.main([]) == 0 and "hyperliquid" in capsys.readouterr().out
    assert cli.main(["read"]) == 2 and cli.main(["wipe"]) == 2
    assert cli.main(["read", "mango"]) == 2
    assert "error: venue" in capsys.readouterr().err
    with pytest.raises(InputError):
        readers.read("mango")
