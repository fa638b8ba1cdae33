"""What a page looks like, read from the page itself: figures that touch, words that are cut or too pale to be read."""

_FAULTS = r"""
() => {
  const faults = [];
  const shown = e => {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    return box.width > 0 && box.height > 0 && style.visibility !== "hidden" && style.opacity !== "0";
  };
  const colour = text => (text.match(/[\d.]+/g) || [0, 0, 0]).slice(0, 3).map(Number);
  const light = rgb => rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0.05);
  const paper = light(colour(getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor));
  const main = document.querySelector("[data-testid=stMain]");
  const words = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const parent = words.currentNode.parentElement, text = words.currentNode.textContent.trim();
    const typed = "[data-testid=stCode], [data-testid=stSlider], canvas, script, style, code";
    if (!text || !parent || parent.closest(typed) || !shown(parent)) continue;
    if (/\b(None|nan|NaN|undefined)\b/.test(text)) faults.push(`no figure: ${text.slice(0, 60)}`);
    if (/(?<![\w.\-\/:)])-\$?\d/.test(text)) faults.push(`a hyphen for a minus: ${text.slice(0, 60)}`);
    if (/\$\d{1,3}(,\d{3})+\.\d/.test(text)) faults.push(`cents above $1,000: ${text.slice(0, 60)}`);
  }
  for (const e of main.querySelectorAll("[data-testid=stMetric] *")) {
    if (shown(e) && getComputedStyle(e).textOverflow === "ellipsis" && e.scrollWidth > e.clientWidth + 1)
      faults.push(`cut: ${e.textContent.trim()}`);
  }
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    if (!shown(plot)) continue;
    const frame = plot.getBoundingClientRect();
    const texts = [...plot.querySelectorAll("svg text")].filter(t => t.textContent.trim() && shown(t)
      && !t.closest(".modebar, .hoverlayer") && !/rotate\((?!0)/.test(t.getAttribute("transform") || ""));
    const boxes = texts.map(t => [t.textContent, t.getBoundingClientRect()]);
    for (const t of texts.filter(t => t.closest(".xaxislayer-above, .yaxislayer-above, .legend, .infolayer"))) {
      const ink = light(colour(getComputedStyle(t).fill)); // words beside the data, on the page's own colour
      if (Math.max(ink, paper) / Math.min(ink, paper) < 3) faults.push(`too pale: ${t.textContent}`);
    }
    boxes.forEach(([text, a], i) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1) faults.push(`cut in a chart: ${text}`);
      for (const [other, b] of boxes.slice(i + 1)) {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 1 && high > 4) faults.push(`one on the other: ${text} and ${other}`);
      }
    });
    for (const [name, axis] of Object.entries(plot._fullLayout)) {
      if (!/^[xy]axis\d*$/.test(name) || axis.visible === false || axis.showticklabels === false) continue;
      if (axis.tickmode === "array" || ["date", "category"].includes(axis.type)) continue;
      if (!axis.title?.text) faults.push(`no title on the ${name} of ${plot.closest("[class*=st-key]")?.className}`);
    }
  }
  return [...new Set(faults)].slice(0, 12);
}
"""


def faults(page) -> list[str]:
    """What should not be on any page. Sliders and cells are what is typed: they keep the keyboard's hyphen."""
    return page.evaluate(_FAULTS)


_DRAWN = """
() => {
  const charts = [...document.querySelectorAll("[data-testid=stPlotlyChart]")].filter(e => e.checkVisibility());
  const whole = charts.every(e => e.querySelector(".js-plotly-plot")?._fullLayout && e.querySelector(".main-svg"));
  const still = document.querySelector("[data-testid=stApp]").dataset.testScriptState === "notRunning"
    && !document.querySelector("[data-testid=stSkeleton]");
  const now = document.querySelector("[data-testid=stMain]").innerText.length + charts.map(e => e.clientHeight).join();
  window.marginLabStood = whole && still && window.marginLabLooked === now ? (window.marginLabStood || 0) + 1 : 0;
  window.marginLabLooked = now;
  return window.marginLabStood >= 3;
}
"""


def drawn(page) -> None:
    """Wait until the run is over, every chart in sight is drawn, and words and heights have stood still for a while."""
    page.evaluate("window.marginLabStood = 0")
    page.wait_for_function(_DRAWN, polling=60)


_FOLLOWED = r"""
light => [getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor,
  ...[...document.querySelectorAll(".js-plotly-plot")].filter(e => e.checkVisibility())
    .map(e => e._fullLayout?.paper_bgcolor || "")]
  .every(c => (c[0] === "#" ? parseInt(c.slice(1, 3), 16) : Number((c.match(/\d+/) || [-1])[0])) > 200 === light)
"""


def theme(page, scheme: str) -> None:
    """The visitor's device turns light or dark while the page stands; returns once the app and its charts follow."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(_FOLLOWED, arg=scheme == "light")


def in_words(page) -> bool:
    """Whether every chart in sight has a description for a screen reader."""
    return page.evaluate(
        "() => [...document.querySelectorAll('[data-testid=stPlotlyChart]')].filter(e => e.checkVisibility())"
        ".every(e => [e, ...e.querySelectorAll('*')].some(x => (x.getAttribute('aria-label') || '').length > 20))"
    )
