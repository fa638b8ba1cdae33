"""Settings round trip and refuse what cannot be meant."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin import InputError, Safeguards, Settings
from margin.core.settings import CORRELATIONS
from margin.risk.estimators import estimators

SETTINGS = st.builds(
    Settings,
    measure=st.sampled_from(["es", "var"]),
    level=st.floats(0.5, 0.9999),
    horizon=st.integers(1, 365),
    lookback=st.integers(2, 5000),
    estimator=st.sampled_from([row.key for row in estimators()]),
    correlation=st.sampled_from(CORRELATIONS),
    what_if=st.lists(st.tuples(st.just("BTC"), st.sampled_from(["ETH", "SOL"]), st.floats(-1, 1)), max_size=3),
    as_of=st.none() | st.dates(min_value=date(2000, 1, 1)).map(str).filter(lambda d: d < "2200"),
    haircuts=st.dictionaries(st.sampled_from(["BTC", "USDC"]), st.floats(0, 1)),
    safeguards=st.builds(Safeguards, offset_cap=st.booleans(), stress_weight=st.floats(0, 2)),
)


@given(SETTINGS)
def test_settings_round_trip_through_json(chosen):
    assert Settings.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen
    assert hash(Settings.from_dict(chosen.to_dict())) == hash(chosen)


def test_defaults_take_no_space():
    assert Settings().to_dict() == {}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"levl": 0.9}, "Did you mean 'level'?"),
        ({"level": 97.5}, "level: must be a number from 0.5 to 0.9999"),
        ({"level": float("nan")}, "level"),
        ({"horizon": 0}, "horizon: must be a whole number"),
        ({"lookback": 1.5}, "lookback"),
        ({"estimator": "magic"}, "Choose filtered, gaussian"),
        ({"measure": ["es"]}, "measure"),
        ({"as_of": "someday"}, "as_of"),
        ({"haircuts": {"BTC": 2}}, "haircuts.BTC"),
        ({"haircuts": 5}, "haircuts"),
        ({"what_if": [["BTC", "BTC", 0.5]]}, "pairs an asset with itself"),
        ({"what_if": [["BTC", "ETH", 1.5]]}, "what_if.BTC/ETH"),
        ({"what_if": "BTCETH"}, "must be a list"),
        ({"safeguards": {"offset_cap": 1}}, "safeguards.offset_cap"),
        ({"safeguards": {"cap": True}}, "unknown key"),
        ({"safeguards": []}, "safeguards"),
        ([], "must be an object"),
    ],
)
def test_bad_settings_are_named(data, said):
    with pytest.raises(InputError) as error:
        Settings.from_dict(data)
    assert said in str(error.value)


def test_a_year_of_days_and_a_name_of_twenty_letters_are_the_most():
    assert Settings(horizon=365).horizon == 365
    name = "A" * 20
    assert Settings(what_if=((name, "BTC", 0.5),), correlation="what-if").what_if == ((name, "BTC", 0.5),)
    for wrong in ({"horizon": 366}, {"what_if": (("A" * 21, "BTC", 0.5),)}):
        with pytest.raises(InputError):
            Settings(**wrong)


SHARES = ("offset_cap_share", "correlation_weight", "stress_share", "basis_majors", "basis_others", "basis_carry")
MULTIPLES = {"stress_weight": 2.0, "impact_factor": 10.0, "buffer_share": 2.0}


@pytest.mark.parametrize(("name", "most"), [*((name, 1.0) for name in SHARES), *MULTIPLES.items()])
def test_a_safeguard_is_neither_below_nothing_nor_above_its_most(name, most):
    for value in (0.0, most):
        assert getattr(Safeguards(**{name: value}), name) == value
    for value in (-0.001, -0.5, most * 1.001, float("nan")):
        with pytest.raises(InputError, match=name):
            Safeguards(**{name: value})
