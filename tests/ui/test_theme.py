"""Every pair of colours that a page puts together can be read: 4.5:1 at least, by WCAG's relative luminance."""

import ast
import re
import tomllib

import numpy as np
import pytest

from tests.support import ROOT
from ui.blocks import theme
from ui.charts.heat import heat, profit_scale

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
TINTS = ("green", "red", "orange", "blue", "gray")
LEAST = 4.5


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def luminance(colour):
    parts = (v / 255 / 12.92 if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in colour)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def faded(colour, paper, opacity):
    return [opacity * a + (1 - opacity) * b for a, b in zip(colour, paper, strict=True)]


def test_the_measure_itself():
    assert contrast([0, 0, 0], [255, 255, 255]) == pytest.approx(21.0)
    assert contrast(rgb("#777777"), [255, 255, 255]) == pytest.approx(4.48, abs=0.01)  # the published borderline


@pytest.mark.parametrize("name", ["light", "dark"])
def test_words_on_the_page(name):
    own = THEME[name]
    paper, second, text = (rgb(own[key]) for key in ("backgroundColor", "secondaryBackgroundColor", "textColor"))
    words = {"text": text, "caption": None, "link": rgb(own["linkColor"]), "tab": rgb(own["primaryColor"])}
    words |= {tint: rgb(own[f"{tint}TextColor"]) for tint in TINTS}
    for word, colour in words.items():
        for ground in (paper, second):
            shown = faded(text, ground, 0.6) if colour is None else colour  # Streamlit draws captions at 60%
            assert contrast(shown, ground) >= LEAST, (word, ground)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_badges_messages_chips_and_charts(name):
    own, drawn = THEME[name], {"light": theme.LIGHT, "dark": theme.DARK}[name]
    for tint in TINTS:
        assert contrast(rgb(own[f"{tint}TextColor"]), rgb(own[f"{tint}BackgroundColor"])) >= LEAST, tint
    on_primary = drawn.paper if name == "dark" else "#FFFFFF"
    assert contrast(rgb(on_primary), rgb(own["primaryColor"])) >= LEAST
    assert drawn.text == own["textColor"] and drawn.paper == own["backgroundColor"]
    for written in (drawn.text, drawn.muted, drawn.loss_text):
        assert contrast(rgb(written), rgb(drawn.paper)) >= LEAST
    for line in (drawn.gain, drawn.loss, drawn.total):  # drawn, not read: 3:1
        assert contrast(rgb(line), rgb(drawn.paper)) >= 3.0, line


def test_the_tables_own_faint_words_can_be_read():
    css = (ROOT / "ui/blocks/editable_table/editable_table.css").read_text()
    for own in (THEME["light"], THEME["dark"]):
        text, paper = rgb(own["textColor"]), rgb(own["backgroundColor"])
        for opacity in map(float, re.findall(r"opacity: (0\.\d+)", css)):
            assert contrast(faded(text, paper, opacity), paper) >= LEAST, opacity


def test_the_cross_means_liquidated_and_nothing_else():
    """Wherever a page explains the cross, or a chart puts one, something was closed by force."""
    bare = {"✕ ", " ✕"}
    for path in (ROOT / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "✕" in node.value:
                word = re.search(r"liquidat|closed by force", node.value)
                assert word or (node.value in bare and path.name == "stress.py"), (path.name, node.value)
            if isinstance(node, ast.Dict) and any(
                isinstance(k, ast.Constant) and k.value == "symbol" for k in node.keys
            ):
                marks = ast.unparse(node)
                assert "'symbol': 'x'" not in marks, (path.name, marks[:80])


def test_words_on_a_bar_take_the_ink_that_is_read_better():
    for drawn in (theme.LIGHT, theme.DARK):
        for bar in (drawn.gain, drawn.loss, drawn.total, *drawn.series):
            inks = [theme.LIGHT.paper, theme.LIGHT.text]
            assert theme.ink_on(bar) == max(inks, key=lambda ink: contrast(rgb(ink), rgb(bar))), bar
            assert contrast(rgb(theme.ink_on(bar)), rgb(bar)) >= LEAST, bar


def test_cards_in_a_row_are_of_one_height():
    """A metric in a frame fills its place in the grid, whether or not a second line stands in it."""
    loose = []
    for path in sorted((ROOT / "ui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "metric":
                given = {k.arg: ast.unparse(k.value) for k in node.keywords}
                if given.get("border") == "True" and given.get("height") != "'stretch'":
                    loose.append(f"{path.name}:{node.lineno}")
    assert not loose


def test_every_figure_of_a_heat_map_can_be_read_on_its_cell():
    """From the quiet colour to the strongest, in both themes; the ink is plotly's grey nowhere."""
    for drawn in (theme.LIGHT, theme.DARK):
        for scale in (profit_scale(drawn), drawn.scale, (drawn.paper, drawn.loss), (drawn.scale[1], drawn.gain)):
            places = np.linspace(0.0, 1.0, 41)
            layer = heat(places[None, :], [["7"] * 41], scale, 0.0, 1.0)
            assert layer["textfont"]["color"] in (theme.LIGHT.text, theme.LIGHT.paper)
            stops = np.array([rgb(colour) for colour in scale], float)
            for place, text in zip(places, layer["text"][0], strict=True):
                cell = [np.interp(place, np.linspace(0, 1, len(stops)), stops[:, i]) for i in range(3)]
                ink = re.search(r"#\w{6}", text)
                assert contrast(rgb(ink[0] if ink else layer["textfont"]["color"]), cell) >= 4.2, (scale, place)
