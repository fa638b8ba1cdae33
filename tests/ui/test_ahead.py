"""The scripts that Streamlit's page is given on its way out. (The running server's answers: tests/browser/test_ahead.py)"""

from ui.shell.ahead import ELEMENTS, script_tags


def test_each_element_has_its_script_in_the_streamlit_installed():
    assert script_tags(ELEMENTS).count(b"<script ") == len(ELEMENTS)


def test_an_element_that_a_streamlit_lacks_is_left_out(tmp_path):
    (tmp_path / "Metric.a1.js").touch()
    (tmp_path / "MetricOther.b2.js").touch()
    tags = script_tags(["Metric", "Hologram"], tmp_path)
    assert tags == b'<script type="module" async crossorigin src="./static/js/Metric.a1.js"></script>'
