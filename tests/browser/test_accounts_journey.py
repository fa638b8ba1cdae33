"""Several accounts, options and by-hand entry on the Portfolio page, in Chromium, at a desk and on a phone."""

import pytest

from tests.running_app import settled

PHONE = {"viewport": {"width": 390, "height": 850}}


def three_venues(visit, expect, **options):
    page = visit(**options)
    page.get_by_text("Three venues", exact=True).click()
    expect(page.get_by_label("Symbol, position 3")).to_have_value("SOL/USDC:USDC", timeout=20_000)
    page.get_by_text("As held these 3 accounts need").wait_for()
    settled(page)
    return page


def put(page, text: str) -> None:
    """Paste into the focused cell."""
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            let focused = document.activeElement;
            while (focused.shadowRoot) focused = focused.shadowRoot.activeElement;
            focused.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        text,
    )


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_three_accounts_each_with_its_line_and_the_page_fits(visit, expect, options):
    page = three_venues(visit, expect, **options)
    for name in ("Binance USD-M", "Bybit", "Hyperliquid"):
        page.get_by_text(f"{name} · cross").wait_for()
    page.get_by_text("Nearest liquidation").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_position_moves_to_another_account_by_its_name_and_back(visit, expect):
    page = three_venues(visit, expect)
    cell = page.get_by_label("Account, position 3")
    expect(cell).to_have_value("Hyperliquid")
    cell.fill("Bybit")
    cell.press("Tab")
    page.get_by_text("Hyperliquid · cross · initial $0").wait_for()
    cell.fill("Nowhere")
    cell.press("Tab")
    page.get_by_text("is not among yours").wait_for()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Account, position 3")).to_have_value("Hyperliquid")


def test_an_account_is_added_named_and_removed(visit, expect):
    page = three_venues(visit, expect)
    page.get_by_role("button", name="Accounts").click()
    page.get_by_role("button", name="Add an account").click()
    page.get_by_text("As held these 4 accounts need").wait_for()
    page.get_by_role("textbox", name="Name", exact=True).nth(3).fill("cold")
    page.get_by_role("textbox", name="Name", exact=True).nth(3).press("Enter")
    page.get_by_text("cold · our portfolio method").wait_for()
    page.get_by_role("button", name="Remove", exact=True).nth(3).click()
    page.get_by_text("As held these 3 accounts need").wait_for()


def test_an_option_brings_its_own_column_and_its_payoff(visit, expect):
    page = visit()
    expect(page.get_by_label("IV, position 1")).to_be_hidden()
    cell = page.get_by_label("Symbol, position 1")
    cell.fill("BTC/USD:BTC-260925-80000-C")
    cell.press("Tab")
    vol = page.get_by_label("IV, position 1")
    expect(vol).to_be_visible()
    vol.fill("65%")
    vol.press("Tab")
    page.get_by_role("tab", name="Payoff and greeks").click()
    page.get_by_text("Days from as-of").wait_for()
    page.get_by_role("img", name="Profit of BTC positions").or_(
        page.get_by_label("Profit of BTC positions")
    ).first.wait_for()


def test_numbers_as_people_paste_them_a_header_row_and_enter(visit, expect):
    page = visit()
    page.get_by_label("Quantity, position 2").focus()
    put(page, "-12,5")
    expect(page.get_by_label("Quantity, position 2")).to_have_value("-12.5")
    page.get_by_label("Symbol, position 1").focus()
    put(page, "Symbol\tQuantity\nSOL/USDT:USDT\t1.234,5\nBTC/USDT:USDT\t$65,000")
    expect(page.get_by_label("Symbol, position 1")).to_have_value("SOL/USDT:USDT")
    expect(page.get_by_label("Quantity, position 1")).to_have_value("1234.5")
    expect(page.get_by_label("Quantity, position 2")).to_have_value("65000")
    page.get_by_label("Quantity, position 2").press("Enter")
    expect(page.get_by_label("Symbol, position 3")).to_be_focused()


def test_what_a_name_may_mean_is_clicked_and_the_answer_stays_in_sight_on_a_phone(visit, expect):
    page = visit(**PHONE)
    cell = page.get_by_label("Symbol, position 1")
    cell.fill("ETH")
    cell.press("Tab")
    page.get_by_text("Do you own it? Write ETH/USD.").wait_for()
    page.get_by_role("button", name="ETH/USD (owned)").click()
    expect(cell).to_have_value("ETH/USD")
    cell.fill("ETHUSDT")
    cell.press("Tab")
    offers = page.get_by_role("status").filter(has_text="Which one is it?").get_by_role("button")
    expect(offers).to_have_text(["ETH/USDT:USDT (perpetual)", "ETH/USDT (owned coins)"])
    offers.first.click()
    expect(cell).to_have_value("ETH/USDT:USDT")
    page.get_by_label("Quantity, position 2").scroll_into_view_if_needed()
    page.get_by_label("Quantity, position 2").fill("-1.5")
    settled(page)
    expect(page.locator(".st-key-answer").get_by_role("heading")).to_be_in_viewport(ratio=0.9)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") > 300


def test_a_presets_name_leaves_when_its_book_does(visit, expect):
    page = visit()
    chosen = page.get_by_role("radio", name="ETH/BTC pair").or_(page.get_by_role("button", name="ETH/BTC pair")).first
    chosen.wait_for()
    page.get_by_label("Quantity, position 1").fill("7")
    page.get_by_label("Quantity, position 1").press("Tab")
    page.get_by_role("button", name="Accounts").click()
    expect(page.get_by_role("textbox", name="Name of the book")).to_have_value("")
