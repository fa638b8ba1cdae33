"""What traders and venues' pages call the columns of a positions table, folded as `price_words.fold` does."""

import re

from margin.core.instruments import USD_LIKE
from margin.formats.price_words import fold

# English first, then German, French, Spanish, Italian, Portuguese, Dutch and Chinese; words are folded (no accents).
COLUMNS: dict[str, tuple[str, ...]] = {
    "symbol": (
        "合约", "交易对", "币种", "币对", "合約",
        "symbol", "contract", "contracts", "instrument", "market", "pair", "coin", "ticker", "product", "name",
        "futures", "asset", "currency", "underlying", "instrument name", "position", "trading pair", "token",
        "asset class", "perpetual", "contract name", "security",
        "kontrakt", "paar", "handelspaar", "markt", "münze", "währung", "basiswert", "wertpapier", "krypto",
        "contrat", "symbole", "paire", "marché", "actif", "devise", "crypto", "paire de trading", "monnaie",
        "símbolo", "contrato", "par", "mercado", "activo", "moneda", "instrumento", "par de trading", "divisa",
        "simbolo", "strumento", "coppia", "contratto", "mercato", "attivo", "valuta", "ativo", "moeda", "munt",
    ),
    "side": (
        "方向", "持仓方向",
        "side", "direction", "long short", "l s", "b s", "buy sell", "position side", "dir", "type", "position type",
        "richtung", "seite", "kauf verkauf", "positionsart", "sens", "côté", "achat vente", "lado",
        "dirección", "sentido", "tipo", "compra venta", "lato", "direzione", "direção", "kant",
    ),
    "size": (
        "数量", "持仓量", "仓位大小", "持仓数量", "仓位", "數量",
        "size", "quantity", "qty", "amount", "position size", "pos", "units", "volume", "position amount",
        "pos size", "net size", "lots", "nominal", "held", "holding", "holdings", "contracts amount", "position qty",
        "size coins", "number", "no of contracts", "open size", "open quantity", "position quantity", "total size",
        "größe", "menge", "anzahl", "stück", "stückzahl", "bestand", "positionsgröße", "volumen",
        "kontraktmenge", "quantité", "taille", "taille de position", "taille de la position", "montant", "nombre",
        "cantidad", "tamaño", "tamaño de la posición", "tamaño de posición", "monto", "importe", "unidades",
        "quantita", "dimensione", "dimensione posizione", "importo", "quantidade", "tamanho", "tamanho da posição",
        "hoeveelheid", "aantal", "grootte",
    ),
    "entry_price": (
        "开仓价格", "开仓均价", "入场价格", "开仓价", "開倉價格",
        "entry price", "entry", "avg price", "average price", "avg entry", "avg entry price", "average entry price",
        "avg open price", "open price", "avg cost", "cost basis", "avg fill price", "price", "buy price", "entry px",
        "avg px", "cost", "opened at", "in at", "fill", "fill price", "average open price", "average cost",
        "average", "avg", "position price", "entry value price", "purchase price",
        "einstieg", "einstiegspreis", "einstandspreis", "einstiegskurs", "einstandskurs", "kaufpreis", "kaufkurs",
        "durchschnittspreis", "durchschnittskurs", "eröffnungspreis", "eröffnungskurs", "preis", "ø preis",
        "durchschnittlicher einstiegspreis", "durchschn einstiegspreis", "eröffnung",
        "prix d entrée", "prix entrée", "prix d entrée moyen", "prix moyen", "prix moyen d entrée", "prix d achat",
        "prix d ouverture", "prix", "prix de revient", "entrée", "pru",
        "precio de entrada", "precio entrada", "precio medio", "precio promedio", "precio de apertura", "precio",
        "precio de compra", "precio medio de entrada", "precio promedio de entrada", "entrada", "coste medio",
        "prezzo di entrata", "prezzo d ingresso", "prezzo medio", "prezzo di carico", "prezzo", "preço de entrada",
        "preço médio", "preço", "instapprijs", "aankoopprijs", "gemiddelde prijs",
    ),
    "mark_price": (
        "标记价格", "標記價格", "最新价格",
        "mark price", "mark", "current price", "mark px", "last price", "last", "index price", "market price",
        "oracle price",
        "markpreis", "marktpreis", "markierungspreis", "marktkurs", "aktueller preis", "aktueller kurs", "kurs",
        "letzter preis", "letzter kurs", "referenzpreis",
        "prix de marque", "prix marque", "prix mark", "prix actuel", "prix de marché", "prix du marché", "cours",
        "cours actuel", "dernier prix", "dernier cours", "prix de référence",
        "precio de marca", "precio marca", "precio actual", "precio de mercado", "último precio", "precio mark",
        "precio de referencia", "prezzo mark", "prezzo di mark", "prezzo attuale", "prezzo di mercato",
        "ultimo prezzo", "preço de marcação", "preço de marca", "preço atual", "preço de mercado", "marktprijs",
        "huidige prijs",
    ),
    "leverage": (
        "杠杆", "杠杆倍数",
        "leverage", "lev", "hebel", "levier", "effet de levier", "apalancamiento", "leva", "leva finanziaria",
        "alavancagem", "hefboom",
    ),
    "liquidation": (
        "强平价格", "预估强平价", "强平价",
        "liq price", "liquidation price", "liq", "est liq price", "estimated liquidation price",
        "est liquidation price", "liq price est", "liq px", "liquidation", "liquidationspreis", "liquidationskurs",
        "liq preis", "gesch liq preis", "geschätzter liquidationspreis", "prix de liquidation", "prix liq",
        "prix de liq", "prix de liquidation estimé", "precio de liquidación", "precio liq", "precio de liq",
        "precio de liquidación estimado", "liquidación", "prezzo di liquidazione", "prezzo liq",
        "preço de liquidação", "preço liq", "liquidatieprijs",
    ),
    "margin": (
        "保证金",
        "margin", "position margin", "isolated margin", "collateral posted", "margin usd", "einschuss", "marge",
        "margen", "margine", "margem", "sicherheitsleistung",
    ),
    "mode": (
        "保证金模式",
        "margin mode", "mode", "margin type", "marginmodus", "margin modus", "modus", "mode de marge", "type de marge",
        "modo de margen", "modo", "tipo de margen", "modalità margine", "modo de margem",
    ),
    "value": (
        "价值", "名义价值", "仓位价值",
        "value", "notional", "position value", "notional value", "notional usd", "value usd", "exposure", "size usd",
        "position notional", "market value", "wert", "gegenwert", "positionswert", "nominalwert", "nennwert",
        "marktwert", "valeur", "valeur de position", "valeur de la position", "valeur notionnelle", "notionnel",
        "valeur nominale", "valor", "valor de la posición", "valor de posición", "valor nocional", "nocional",
        "valor nominal", "valore", "valore posizione", "valore nozionale", "nozionale", "valor da posição", "waarde",
    ),
    "pnl": (
        "未实现盈亏", "收益", "浮动盈亏",
        "pnl", "unrealized pnl", "unrealised pnl", "pnl roi", "pnl roe", "upnl", "unrealized p l", "unrealised p l",
        "p l", "floating pnl", "profit", "unrealized profit", "pnl usd", "open pnl", "upl", "profit loss",
        "unrealized pnl roi", "unrealized pnl roe", "unrealized pl", "unrealised pl", "gain loss", "profit and loss",
        "gewinn", "gewinn verlust", "g v", "guv", "unrealisierter gewinn", "unrealisierter pnl", "unrealisierte pnl",
        "unreal pnl", "nicht realisierter gewinn", "pnl latent", "pnl non réalisé", "gain perte", "p p",
        "plus value latente", "profits pertes", "bénéfice", "pnl no realizado", "ganancia", "ganancia pérdida",
        "ganancias y pérdidas", "pyg no realizadas", "g p", "pyg", "beneficio", "pnl non realizzato", "profitto",
        "guadagno perdita", "pnl não realizado", "lucro", "lucro prejuízo", "winst verlies",
    ),
    "implied_vol": (
        "iv", "implied vol", "implied volatility", "mark iv", "vol", "sigma", "implizite volatilität", "impl vol",
        "volatilité implicite", "volatilidad implícita", "volatilità implicita", "volatilidade implícita", "vi",
    ),
    "balance": (
        "余额", "资产",
        "balance", "wallet balance", "total", "equity", "total balance", "available balance", "guthaben", "saldo",
        "kontostand", "gesamtguthaben", "solde", "solde total", "solde disponible", "saldo total", "saldo disponible",
    ),
    "venue": (
        "venue", "exchange", "börse", "plattform", "handelsplatz", "bourse", "plateforme", "bolsa", "plataforma",
        "borsa", "beurs",
    ),
    "account": (
        "account", "sub account", "subaccount", "wallet", "konto", "unterkonto", "compte", "sous compte",
        "portefeuille", "cuenta", "subcuenta", "conto", "conta",
    ),
    "funding": ("funding", "funding payments", "funding rate"),
    "kind": ("kind", "instrument type", "product type"),
}  # fmt: skip
BY_WORD = {fold(word): column for column, words in COLUMNS.items() for word in words}
_LONG = """long buy b l bid bought longs buylong longbuy openlong kauf kaufen gekauft achat acheter acheteur achete
    longue compra comprar comprado largo larga largos acquisto lungo lunga comprada koop kopen
    多 做多 多仓 买入 开多"""
_SHORT = """short sell s ask sold shorts sellshort shortsell openshort verkauf verkaufen verkauft leerverkauf vente
    vendre vendeur vendu court courte venta vender vendido corto corta cortos vendita corto venda vendida verkoop
    verkopen 空 做空 空仓 卖出 开空"""
LONG, SHORT = frozenset(_LONG.split()), frozenset(_SHORT.split())
_ISOLATED = """isolated iso isoliert isole isolee isolees aislado aislada isolato isolata isolado isolada geisoleerd
    逐仓 isolatedmargin margeisolee margenaislado"""
_CROSS = """cross crossed crossmargin croise croisee croisees cruzado cruzada incrociato incrociata 全仓 crossmarge
    margecroisee margencruzado ubergreifend"""
ISOLATED, CROSS = frozenset(_ISOLATED.split()), frozenset(_CROSS.split())
CONTRACT_UNITS = frozenset(
    ("CONT", "CONTS", "CONTRACT", "CONTRACTS", "LOT", "LOTS", "KONTRAKTE", "KONTRAKT", "CONTRATS", "CONTRATOS", "CTS")
)
UNITS = CONTRACT_UNITS | USD_LIKE
VENUES = (
    "binance", "bybit", "okx", "deribit", "kraken", "bitmex", "dydx", "hyperliquid", "lighter", "paradex", "extended",
    "aster", "derive", "drift", "gmx", "synthetix",
)  # fmt: skip
# Columns that only a table of derivatives has.
DERIVATIVE = frozenset(("leverage", "liquidation", "margin", "mode", "funding"))
WEAK = frozenset(
    ("costbasis", "cost", "avgcost", "price", "preis", "prix", "precio", "prezzo", "preco", "last", "kurs", "cours")
)


def column_of(header: str) -> tuple[str, str]:
    """(column, unit) of a header cell: 'Size (BTC)' is ('size', 'BTC'); ('', '') where it is none that is read."""
    text = header.strip().strip("*:#").strip()
    unit = ""
    if text.endswith(")") and "(" in text:
        head, _, inside = text.rpartition("(")
        if fold(text) in BY_WORD:
            return BY_WORD[fold(text)], ""
        text, unit = head, inside.rstrip(")").strip().upper()
        if unit.isdecimal():  # Positions(2) counts rows, it names no column
            return "", ""
        if not unit.replace(".", "").isalnum():
            unit = ""
    return BY_WORD.get(fold(text), ""), unit


def side_of(word: str) -> float:
    """+1 long, -1 short, 0 where the words are neither or disagree: Long, Kauf, Compra / Largo, Short (Sell)."""
    plain = fold(word)
    if plain in LONG or plain in SHORT:
        return 1.0 if plain in LONG else -1.0
    parts = [fold(part) for part in re.split(r"[\s/()|-]+", word)]
    said = {1.0 if part in LONG else -1.0 for part in parts if len(part) > 1 and part in LONG | SHORT}
    return said.pop() if len(said) == 1 else 0.0
