"""The Learn page: every step, every control at its ends, guesses right and wrong."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from tests.support import ROOT
from ui.learn.steps import STEPS


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(step: str = "1") -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["step"] = step
    return app.run().switch_page("pages/learn.py").run()


def check(app: AppTest) -> None:
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(str(x.value) for x in (*app.metric, *app.markdown, *app.caption))
    assert not re.search(r"\bnan\b|\binf\b|None", said), said
    assert app.metric, "every step shows figures"


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_each_step_answers_after_a_guess_right_or_wrong(number):
    app = opened(str(number))
    step = STEPS[number - 1]
    assert app.header[0].value == step.claim.replace("$", "\\$")
    check(app)
    assert not any("How it is computed" in c.value for c in app.caption), "the answer waits for a guess"
    for choice in step.choices:
        app = app.pills(key=f"guess_{number}").set_value(choice).run()
        check(app)
        said = "Yes." if choice == step.choices[step.right] else "Not quite."
        assert any(said in m.value for m in app.markdown)
        assert any("How it is computed" in c.value for c in app.caption)


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_every_slider_at_both_ends(number):
    app = opened(str(number))
    for slider in list(app.slider):
        for end in (slider.min, slider.max):
            app = app.slider(key=slider.key).set_value(end).run()
            check(app)


@pytest.mark.parametrize(
    ("number", "key", "value"),
    [(1, "learn_asset", "GLD"), (3, "learn_side", "Both long"), (5, "learn_break_mode", "Named events")],
)
def test_every_choice(number, key, value):
    app = opened(str(number))
    before = [m.value for m in app.metric]
    app = app.segmented_control(key=key).set_value(value).run()
    check(app)
    assert [m.value for m in app.metric] != before or number == 3, "at correlation 0 both sides need the same"


def test_safeguards_one_by_one_only_add():
    app = opened("6")
    amounts = []
    for chosen in ([], ["offset_cap"], ["offset_cap", "stressed"], ["offset_cap", "stressed", "procyclicality"]):
        app = app.pills(key="learn_safeguards").set_value(chosen).run()
        check(app)
        shown = {m.label: m.value for m in app.metric}
        amounts.append(float(shown["With safeguards"].replace("$", "").replace(",", "")))
    assert amounts == sorted(amounts)
    assert amounts[-1] > amounts[0]


def test_next_and_back_walk_through_all_steps():
    app = opened()
    for number in range(2, len(STEPS) + 1):
        app = app.button(key="next").click().run()
        check(app)
        assert app.session_state["step"] == str(number)
    assert app.button(key="own_book")
    app = app.button(key="back").click().run()
    assert app.session_state["step"] == str(len(STEPS) - 1)


@pytest.mark.parametrize("step", ["0", "9", "x", "<script>"])
def test_a_step_that_does_not_exist_is_the_first(step):
    app = opened(step)
    check(app)
    assert app.session_state["step"] == "1"
