"""What traders and venues' pages call the columns of a positions table, folded as `price_words.fold` does."""

from margin.formats.price_words import fold

COLUMNS: dict[str, tuple[str, ...]] = {
    "symbol": (
        "symbol", "contract", "contracts", "instrument", "market", "pair", "coin", "ticker", "product", "name",
        "futures", "asset", "currency", "underlying", "instrument name", "position", "trading pair", "token",
        "kontrakt", "contrat", "s\u00edmbolo", "strumento", "paar", "asset class",
    ),
    "side": ("side", "direction", "long short", "l s", "b s", "buy sell", "position side", "richtung", "seite",
        "sens", "lado", "dir", "type"),
    "size": (
        "size", "quantity", "qty", "amount", "position size", "pos", "units", "volume", "position amount",
        "pos size",
        "net size", "lots", "nominal", "gr\u00f6\u00dfe", "menge", "anzahl", "quantit\u00e9", "cantidad",
        "quantita", "held", "holding",
        "holdings", "contracts amount", "position qty", "size coins", "number", "no of contracts",
    ),
    "entry_price": (
        "entry price", "entry", "avg price", "average price", "avg entry", "avg entry price", "average entry price",
        "avg open price", "open price", "avg cost", "cost basis", "avg fill price", "price", "buy price",
        "einstieg",
        "einstiegspreis", "einstandspreis", "kaufpreis", "prix d entr\u00e9e",
        "precio de entrada", "prezzo di entrata",
        "entry px", "avg px", "cost", "opened at", "in at", "fill", "fill price",
    ),
    "mark_price": ("mark price", "mark", "current price", "markpreis", "mark px", "last price", "last",
        "index price", "marktpreis"),
    "leverage": ("leverage", "lev", "hebel", "levier", "apalancamiento", "leva"),
    "liquidation": (
        "liq price", "liquidation price", "liq", "est liq price", "estimated liquidation price",
        "est liquidation price",
        "liq price est", "liquidationspreis", "liq px", "liquidation",
    ),
    "margin": ("margin", "position margin", "isolated margin", "collateral posted", "margin usd", "einschuss"),
    "mode": ("margin mode", "mode", "margin type", "marginmodus"),
    "value": (
        "value", "notional", "position value", "notional value", "notional usd", "value usd", "wert", "exposure",
        "size usd", "position notional", "gegenwert", "market value",
    ),
    "pnl": (
        "pnl", "unrealized pnl", "unrealised pnl", "pnl roi", "pnl roe", "upnl", "unrealized p l",
        "unrealised p l", "p l", "floating pnl",
        "profit", "unrealized profit", "gewinn", "pnl usd", "open pnl", "upl", "profit loss",
        "unrealized pnl roi", "unrealized pnl roe",
    ),
    "implied_vol": ("iv", "implied vol", "implied volatility", "mark iv", "vol", "sigma"),
    "balance": ("balance", "wallet balance", "total", "equity", "total balance", "guthaben", "saldo",
        "available balance"),
    "venue": ("venue", "exchange", "b\u00f6rse"),
    "account": ("account", "sub account", "subaccount", "wallet", "konto"),
    "funding": ("funding", "funding payments", "funding rate"),
    "kind": ("kind", "instrument type", "product type"),
}  # fmt: skip
BY_WORD = {fold(word): column for column, words in COLUMNS.items() for word in words}
LONG = frozenset(("long", "buy", "b", "l", "bid", "bought", "kauf", "buylong", "longs", "achat", "compra", "acquisto"))
SHORT = frozenset(("short", "sell", "s", "ask", "sold", "verkauf", "sellshort", "shorts", "vente", "venta", "vendita"))
ISOLATED = frozenset(("isolated", "iso", "isoliert", "isol\u00e9"))
CROSS = frozenset(("cross", "crossed", "crossmargin"))
# Columns that only a table of derivatives has.
DERIVATIVE = frozenset(("leverage", "liquidation", "margin", "mode", "mark_price", "funding", "pnl"))


def column_of(header: str) -> tuple[str, str]:
    """(column, unit) of a header cell: 'Size (BTC)' is ('size', 'BTC'); ('', '') where it is none that is read."""
    text = header.strip().strip("*:#").strip()
    unit = ""
    if text.endswith(")") and "(" in text:
        head, _, inside = text.rpartition("(")
        if fold(text) in BY_WORD:
            return BY_WORD[fold(text)], ""
        text, unit = head, inside.rstrip(")").strip().upper()
        if not unit.replace(".", "").isalnum():
            unit = ""
    return BY_WORD.get(fold(text), ""), unit


def side_of(word: str) -> float:
    """+1 long, -1 short, 0 where the word is neither."""
    plain = fold(word)
    return 1.0 if plain in LONG else -1.0 if plain in SHORT else 0.0
