"""Every field of an answer of a venue is read as listed: left out, negative, nothing, switched (tests/formats/readings.py)."""

from tests.formats import readings


def test_every_field_changes_the_reading_as_listed():
    found, listed = readings.found(), readings.listed()
    assert len(listed) > 600
    other = {name: (listed.get(name), said) for name, said in found.items() if listed.get(name) != said}
    assert not other, (
        f"if it was meant, run `python -m tests.formats.readings` and look at the difference: {list(other.items())[:3]}"
    )
    assert set(listed) == set(found)


def test_no_change_makes_a_number_that_is_none():
    """Whatever is left out or turned, nothing that is read is infinite or no number, and every refusal names its field."""
    for name, said in readings.listed().items():
        assert "NaN" not in said and "Infinity" not in said, name
