"""The address holds the view: refresh, back and a copied address show the same book on every page."""

from urllib.parse import parse_qs, urlsplit

import pytest

from margin import Portfolio, Position
from margin.core.account import Account
from tests.running_app import settled
from ui.shell.facts import page_facts
from ui.state.book import Book
from ui.state.share import decode, encode

BOOK = Portfolio(positions=(Position("SOL/USDT:USDT", 321.0), Position("ETH/USDT:USDT", -7.0)), name="Two of mine")
PAGES = [page.name for page in page_facts() if not page.home]


def held(page) -> Portfolio:
    """The book that the address bar holds, once the run has put it there."""
    page.wait_for_function("document.title.endsWith('· Margin Lab')")
    page.wait_for_function("location.search.includes('p=')")
    (text,) = parse_qs(urlsplit(page.url).query)["p"]
    return decode(text).book.portfolio


@pytest.mark.parametrize("name", PAGES)
def test_refresh_and_back_show_the_same_book_and_its_link_can_be_copied(visit, name):
    page = visit(f"/{name}?p={encode(Book.of(BOOK))}")
    assert held(page) == BOOK
    page.reload()
    settled(page)
    assert held(page) == BOOK and urlsplit(page.url).path == f"/{name}"
    page.wait_for_function("document.title.startsWith('Two of mine: ')")
    page.get_by_role("button", name="Copy link").wait_for()
    link = page.url
    page.goto("about:blank")
    page.go_back()
    settled(page)
    assert held(page) == BOOK and page.url == link


def test_a_copied_address_shows_the_same_book_to_another_visitor(visit):
    page = visit(f"/stress?p={encode(Book.of(BOOK))}")
    assert held(page) == BOOK
    copied = visit(page.url)
    assert held(copied) == BOOK and urlsplit(copied.url).path == "/stress"


def test_an_edit_replaces_the_address_and_makes_no_history(visit):
    page = visit(f"/?p={encode(Book.of(BOOK))}")
    held(page)
    before, link = page.evaluate("history.length"), page.evaluate("location.search")
    quantity = page.get_by_label("Quantity, position 1")
    quantity.fill("322")
    page.wait_for_function("old => location.search !== old", arg=link)
    assert held(page).positions[0].quantity == 322.0
    assert page.evaluate("history.length") == before
    page.reload()
    settled(page)
    assert held(page).positions[0].quantity == 322.0


def test_back_leads_to_the_page_before_with_the_same_book_and_choice(visit):
    accounts = (Account(name="a", positions=BOOK.positions), Account(name="b", positions=BOOK.positions[:1]))
    page = visit(f"/stress?p={encode(Book.of(Portfolio(accounts=accounts)))}&model=hyperliquid%3Across&account=1")
    page.get_by_role("button", name="b · Hyperliquid, cross").wait_for()
    page.reload()
    settled(page)
    page.get_by_role("button", name="b · Hyperliquid, cross").wait_for()
    page.goto(page.url.replace("/stress?", "/venues?"))
    settled(page)
    page.go_back()
    settled(page)
    page.get_by_role("button", name="b · Hyperliquid, cross").wait_for()
    assert len(held(page).accounts) == 2


def chosen(page) -> dict[str, str]:
    """What the address says beside the book, once the run has put it there."""
    held(page)
    return {key: value for key, (value,) in parse_qs(urlsplit(page.url).query).items() if key != "p"}


def back_to(page, wanted: dict[str, str], forward: bool = False) -> None:
    page.go_forward() if forward else page.go_back()
    page.wait_for_function(
        "wanted => { const all = new URLSearchParams(location.search); all.delete('p');"
        " return JSON.stringify(Object.fromEntries(all)) === JSON.stringify(wanted); }",
        arg=wanted,
    )
    settled(page)


def test_back_undoes_the_last_choice_of_model_and_tab_and_the_book_stays(visit):
    page = visit(f"/stress?p={encode(Book.of(BOOK))}")
    assert chosen(page) == {}
    page.get_by_role("tab", name="Your own shock").click()
    page.wait_for_function("location.search.includes('stress_view=')")
    settled(page)
    page.get_by_role("slider", name="Everything but stablecoins, %").press("ArrowRight")
    page.wait_for_function("location.search.includes('shock_all=-19')")
    settled(page)
    page.get_by_role("button", name="As held").click()
    page.get_by_role("combobox", name="Margin model").fill("Bybit, cross")
    page.keyboard.press("Enter")
    page.wait_for_function("location.search.includes('model=bybit')")
    settled(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Bybit, cross").wait_for()
    shown = {"shock_all": "-19", "stress_view": "Your own shock"}
    assert chosen(page) == {**shown, "model": "bybit:cross"}
    back_to(page, shown)
    page.get_by_role("button", name="As held").wait_for()
    back_to(page, {})
    page.get_by_role("tab", name="Named events", selected=True).wait_for()
    back_to(page, shown, forward=True)
    page.get_by_role("tab", name="Your own shock", selected=True).wait_for()
    assert held(page) == BOOK


def test_a_lesson_turns_by_key_and_back_and_a_link_opens_the_teachers_numbers(visit):
    page = visit("/learn?step=5&learn_actual=0.25", viewport={"width": 1280, "height": 600})
    assert chosen(page) == {"step": "5", "learn_actual": "0.25"}
    page.get_by_role("heading", name="A hedge is only as good").wait_for()
    slider = page.get_by_role("slider", name="Tomorrow's correlation")
    assert slider.get_attribute("aria-valuetext") == "0.25"
    slider.press("ArrowRight")
    page.wait_for_function("location.search.includes('learn_actual=0.3')")
    assert chosen(page)["step"] == "5"  # a key on a slider is the slider's
    slider.blur()
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="A careful clearing house").wait_for()
    settled(page)
    page.keyboard.press("PageDown")  # down the page first, then on to the next step
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop > 0")
    for _ in range(6):
        page.keyboard.press("PageDown")
        page.wait_for_timeout(300)
        if "step=7" in page.url:
            break
    page.get_by_role("heading", name="Counted twice").wait_for()
    settled(page)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 400)")
    page.keyboard.press("n")  # the button's own key: the step begins at its top all the same
    page.get_by_role("heading", name="A loss travels").wait_for()
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop === 0")
    page.go_back()
    page.get_by_role("heading", name="Counted twice").wait_for()
    page.go_back()
    page.get_by_role("heading", name="A careful clearing house").wait_for()


def test_the_link_of_any_page_is_copied_and_opens_that_page(visit):
    page = visit(f"/venues?p={encode(Book.of(BOOK))}")
    held(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url and urlsplit(link).path == "/venues"
