"""The words of price files: columns in some thirty languages, currencies, coins' names, what vendors call files.

Adding a language or a vendor is adding words here. A name that no list knows is no price by itself: see price_names.py.
"""

import re
import unicodedata


def in_order(text: str) -> tuple[str, ...]:
    """The words of a text as they come."""
    return tuple(text.split())


def words(text: str) -> frozenset[str]:
    """The words of a text, in no order."""
    return frozenset(text.split())


# What a column holds, by its name without accents, spaces and signs (`fold`). English first, then German, French,
# Spanish, Italian, Portuguese, Dutch, Polish, Turkish, Russian, Chinese and Japanese, as Investing.com and stooq write
# them; those of further languages stand in FURTHER_WORDS.
ROLE_WORDS = {
    "date": """date datetime timestamp time day dateutc utcdate opentime timeopen unix unixtimestamp snappedat
        candlebegintime begin t dt epoch indexlevel0 datum zeit tag jour heure fecha hora dia data ora giorno
        tarih дата 日期 日付 日付け""",
    "close time": "closetime timeclose timehigh timelow endtime end",
    "adjusted": """adjclose adjustedclose closeadj adjustedcloseprice adjclosep adjcloseprice adjustedprice
        totalreturnprice""",
    "close": """close closeusd closeprice closingprice price priceusd last closelast pxlast lastprice value c priceclose
        pricelast settle settlement zuletzt schluss schlusskurs schlusspreis kurs preis dernier cloture prix
        cours ultimo cierre precio chiusura prezzo fechamento preco slot slotkoers laatste koers zamkniecie
        simdi kapanis цена закрытие последняя 收盘 收盘价 終値""",
    "open": """open openprice o priceopen openingprice eroffn eroffnung eroffnungskurs ouv ouverture apertura apert
        abertura abert openen opening otwarcie acilis откр 开盘 开盘价 始値""",
    "high": """high highprice h pricehigh max hoch hochst tageshoch plushaut haut maximo massimo maxima hoog najwyzszy
        yuksek макс 高 最高价 高値""",
    "low": """low lowprice l pricelow min tief tiefst tagestief plusbas bas minimo minima laag najnizszy dusuk мин 低
        最低价 安値""",
    "volume": """volume vol v volumen volumes totalvolume24h stucke umsatz wolumen hac hacim объем объём 交易量 成交量
        出来高 realvol amount""",
    "volume base": "volumebase basevolume volumefrom baseassetvolume volumecoin volumecoins volumeunits volumeshares",
    "volume usd": """volumeusd usdvolume volumequote quotevolume quoteassetvolume volumeto turnover turnoverusd
        dollarvolume         volumecurrency totalvolume tradedusd volume24husd volumeusdt volumeusdc""",
    "cap": "marketcap marketcapusd mcap capitalization marktkapitalisierung capitalisation fdv",
    "change": """change changepercent changepct pctchange percentchange chg return returns dailyreturn dailyreturns
        logreturn logreturns ret pct variation var veranderung rendite rendement rendimento retorno fark изм
        涨跌幅 変化率""",
    "asset": """asset symbol ticker coin pair market instrument base name tic stock security secid baseasset assetname
        crypto code""",
    "quote": """quote quotecurrency quoteasset currency convert vscurrency ccy counter quotesymbol denomination
        wahrung devise monnaie moneda divisa valuta moeda waluta parabirimi валюта 货币 通貨 pricedin unit units""",
    "other": """tickvol ticks spread count trades tradecount numberoftrades ignore takerbuyvolume takerbuyquotevolume
        takerbuybaseassetvolume takerbuyquoteassetvolume takerbuybasevolume dominance btcdominance supply
        circulatingsupply maxsupply totalsupply rank id sno index vwap weightedprice average avg dividends
        dividend stocksplits splits splitratio splitcoefficient capitalgains openinterest oi funding fundingrate
        s sma ema ma rsi macd signal rowid row no nr numtrades source exchange provider tradetype conversiontype
        conversionsymbol timeframe interval per period typical year month week weekday dayofweek quarter hour minute
        pnl weight weights position quantity qty balance equity drawdown hashrate difficulty mvrv nupl sopr fng
        total2 total3 totalcap nan null nil true false bbupper bblower bbmiddle bbands stoch stochrsi obv adx psar
        supertrend tenkan kijun zscore sharpe alpha beta score contracts contract lots lot hlc3 ohlc4
        feargreed sentiment total sum mean median std volatility basis label target comment note notes""",
}  # fmt: skip
# Swedish, Danish, Norwegian, Finnish, Czech, Hungarian, Romanian, Greek, Ukrainian, Bulgarian, Vietnamese, Indonesian
# and Malay, Korean, Chinese in both scripts, Thai, Arabic, Hebrew, Hindi. A name of two words is joined by a hyphen.
FURTHER_WORDS = {
    "date": """dato pvm päivämäärä päiväys dátum ημερομηνία дата-торгів ngày tanggal tarikh 날짜 일자 일시 日期時間
        交易日期 วันที่ التاريخ תאריך दिनांक तिथि observationdate tradedate tradingdate valuedate businessdate
        dates candledatetimeutc timeperiodstart periodstart startat mts""",
    "close time": """timeperiodend periodend""",
    "close": """clot ferm fermeture dernier-cours letzter erster-schluss senast senaste slutkurs stängning
        stängningskurs stängn seneste lukkekurs lukke luk siste slutt sluttkurs viimeisin viimeinen päätös
        päätöskurssi sulku zavření závěr uzavření poslední záró záróár utolsó închidere ultimul κλείσιμο τελευταία
        τιμή ціна закриття останній цена-закрытия последна затваряне lần-cuối đóng-cửa giá-đóng-cửa giá-đóng
        terakhir penutupan ditutup 종가 현재가 최근 收市 收市價 收盤 收盤價 最新价 最新價 ล่าสุด ราคาล่าสุด ปิด
        ราคาปิด السعر الإغلاق الاغلاق إغلاق آخر סגירה שער-סגירה שער שער-נעילה אחרון मूल्य अंतिम बंद tradeprice
        lastdone lasttrade pricelastusd referencerateusd referencerate closeask closebid closemid""",
    "open": """erster öppen öppning öppningskurs åbning åbningskurs åpning åpningskurs åpn avaus avaushinta
        otevření otevírací nyitó nyitóár deschidere άνοιγμα відкр відкриття открытие отваряне mở mở-cửa giá-mở-cửa
        pembukaan pembuka dibuka 시가 오픈 開市 開市價 開盤 開盤價 今开 เปิด ราคาเปิด الفتح الافتتاح فتح פתיחה
        שער-פתיחה खुला openingprice priceopenusd""",
    "high": """högst högsta högstakurs højest højeste høj høyest høy ylin korkein nejvyšší legmagasabb maxim υψηλό
        μέγιστο максимум найвища cao cao-nhất giá-cao-nhất tertinggi 고가 最高 最高價 สูงสุด สูง الأعلى الاعلى أعلى
        גבוה उच्च haut-du-jour""",
    "low": """lägst lägsta lägstakurs lavest laveste lav alin matalin nejnižší legalacsonyabb minim χαμηλό ελάχιστο
        минимум мін найнижча thấp thấp-nhất giá-thấp-nhất terendah 저가 最低 最低價 ต่ำสุด ต่ำ الأدنى الادنى أدنى
        נמוך निम्न bas-du-jour""",
    "volume": """volym omsättning mængde omsætning volum omsetning määrä volyymi vaihto objem forgalom όγκος обсяг
        обем kl khối-lượng 거래량 成交量 成交股數 ปริมาณ الحجم حجم-التداول נפח מחזור वॉल्यूम volumetraded
        candleacctradevolume""",
    "change": """zmiana změna változás μεταβολή зміна thay-đổi perubahan 변동 변동률 漲跌 漲跌幅 涨跌 เปลี่ยน
        التغير التغيّر نسبة-التغير نسبة-التغيّر שינוי परिवर्तन ændring endring muutos förändring""",
    "other": """köp sälj köpkurs säljkurs bid ask kauf verkauf osto myynti compra venta acheteur vendeur anzahl
        antal tickcount blkcnt adractcnt roi1yr roi30d capmrktcurusd capmrktffusd pricebtc hashrate feetotusd
        isscontusd splycur txcnt txtfrcnt nvtadj nvtadj90 marketvalue confirm timeopens openint""",
}  # fmt: skip


def fold(text: str) -> str:
    """`text` in lower case without accents, spaces and signs: 'Eröffn.' gives 'eroffn', 'Adj Close**' 'adjclose'."""
    plain = unicodedata.normalize("NFKD", str(text).replace("ß", "ss").replace("ı", "i").replace("ł", "l").casefold())
    # Only marks of Latin letters: the й of Russian is one letter.
    bare = "".join(c for c in plain if not (unicodedata.combining(c) and c < "\u0370"))
    bare = unicodedata.normalize("NFC", bare)
    return re.sub(r"[\W_]+", "", bare)


ROLES = {
    fold(word): role for each in (FURTHER_WORDS, ROLE_WORDS) for role, names in each.items() for word in names.split()
}

DOLLAR_COINS = (
    "USDT", "USDC", "BUSD", "TUSD", "FDUSD", "USDP", "PYUSD", "GUSD", "USDS", "USDE", "USDD", "DAI", "RLUSD", "USD1",
)  # fmt: skip
DOLLARS = frozenset(("USD", "US$", "$", "DOLLAR", "DOLLARS", "USDOLLAR", *DOLLAR_COINS))
FIAT = words(
    """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CLP CNY CNH COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GBX GEL GHS GIP GMD GNF GTQ
    GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR
    LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK
    PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND
    TOP TRY TTD TWD TZS UAH UGX UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL"""
)
COIN_QUOTES = words(
    """BTC XBT ETH BNB WBTC WETH EURT EURC EURS EURI AEUR EURR TRYB BIDR IDRT GBPT BRLA BVND XAUT SATS"""
)
OTHER_MONEY = FIAT | COIN_QUOTES
MONEY_WORDS = {
    "€": "EUR", "EURO": "EUR", "EUROS": "EUR", "£": "GBP", "POUND": "GBP", "POUNDS": "GBP", "STERLING": "GBP",
    "¥": "JPY", "YEN": "JPY", "WON": "KRW", "₩": "KRW", "₹": "INR", "RUPEE": "INR", "₽": "RUB", "₺": "TRY",
    "FRANC": "CHF", "FRANKEN": "CHF", "YUAN": "CNY", "RENMINBI": "CNY", "PENCE": "GBX", "$": "USD", "US$": "USD",
    "DOLLAR": "USD", "DOLLARS": "USD", "XBT": "BTC", "SATOSHI": "BTC", "SATS": "BTC", "BITCOINS": "BTC",
}  # fmt: skip
MONEY_WORDS |= {
    "C$": "CAD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD", "R$": "BRL", "HK$": "HKD", "NZ$": "NZD", "S$": "SGD",
    "MX$": "MXN", "NT$": "TWD", "J$": "JMD", "ZŁ": "PLN", "KČ": "CZK", "KR": "SEK", "฿": "THB", "₫": "VND", "₪": "ILS",
    "₴": "UAH", "₱": "PHP", "₦": "NGN", "₿": "BTC", "CENTS": "USX", "SATOSHIS": "BTC", "SAT": "BTC",
}  # fmt: skip
# Names of two words, and other languages' dollar, folded.
MONEY_NAMES = {
    fold(name): code
    for code, names in {
        "USD": "US-dollar US-dollars U.S.-dollar United-States-dollar American-dollar dollar-US dólar dólares dollaro "
        "доллар",
        "EUR": "евро ευρώ", "GBP": "British-pound pound-sterling UK-pound", "JPY": "Japanese-yen 円 日元 日圓",
        "CHF": "Swiss-franc franc-suisse", "CAD": "Canadian-dollar", "AUD": "Australian-dollar",
        "HKD": "Hong-Kong-dollar 港元", "SGD": "Singapore-dollar", "NZD": "New-Zealand-dollar",
        "CNY": "Chinese-yuan 人民币 元",
        "KRW": "Korean-won South-Korean-won 원", "INR": "Indian-rupee",
        "RUB": "Russian-ruble рубль руб", "BRL": "Brazilian-real",
        "TRY": "Turkish-lira", "SEK": "Swedish-krona", "NOK": "Norwegian-krone", "DKK": "Danish-krone",
        "PLN": "Polish-zloty złoty", "MXN": "Mexican-peso", "ZAR": "South-African-rand",
    }.items()
    for name in names.split()
}  # fmt: skip

# The currencies that joined names end in (BTCEUR); rarer ones collide with tickers.
JOINED_FIAT = in_order(
    """EUR GBP JPY CHF AUD CAD NZD KRW TRY BRL INR CNY RUB PLN UAH ZAR MXN ARS COP NGN IDR THB VND SEK NOK DKK CZK
    HUF RON HKD SGD TWD ILS AED SAR PHP MYR EURT EURC EURS EURI AEUR TRYB BIDR IDRT"""
)
JOINED_COINS = ("BTC", "XBT", "ETH", "BNB")
# Coins and funds whose own names end like a pair.
KEPT_WHOLE = words(
    """CRVUSD TUSD BUSD FDUSD PYUSD GUSD LUSD SUSD HUSD RLUSD MUSD ZUSD EUSD OUSD FRXUSD DEUSD USDUSD CUSD DUSD
    NUSD USD1 USDT USDC USDD USDE USDS USDP AUSD BITUSD MIMUSD ALUSD DOLA VUSD XUSD WBTC CBBTC TBTC HBTC RENBTC
    SBTC LBTC BBTC FBTC PUMPBTC SOLVBTC UBTC IBTC EBTC KBTC OBTC BTCB BTC WETH STETH WSTETH RETH CBETH METH
    EZETH WEETH EETH RSETH OSETH SFRXETH FRXETH ANKRETH SWETH LSETH BETH OETH ETHX ETH WBNB BNB SBNB AUD EURC
    EURS EURT AEUR EURI EUR GBP JPY CHF"""
)
COINS = {
    "BITCOIN": "BTC", "ETHEREUM": "ETH", "ETHER": "ETH", "SOLANA": "SOL", "RIPPLE": "XRP", "CARDANO": "ADA",
    "DOGECOIN": "DOGE", "AVALANCHE": "AVAX", "CHAINLINK": "LINK", "LITECOIN": "LTC", "POLKADOT": "DOT",
    "UNISWAP": "UNI", "COSMOS": "ATOM", "TRON": "TRX", "STELLAR": "XLM", "MONERO": "XMR", "FILECOIN": "FIL",
    "APTOS": "APT", "TETHER": "USDT", "POLYGON": "POL", "ARBITRUM": "ARB", "OPTIMISM": "OP", "HYPERLIQUID": "HYPE",
    "TONCOIN": "TON", "ALGORAND": "ALGO", "INJECTIVE": "INJ", "MAKER": "MKR", "ZILLIQA": "ZIL", "DASH": "DASH",
    "ZCASH": "ZEC", "TEZOS": "XTZ", "EOS": "EOS", "NEO": "NEO", "IOTA": "IOTA", "VECHAIN": "VET", "HEDERA": "HBAR",
    "FANTOM": "FTM", "BITCOINCASH": "BCH", "ETHEREUMCLASSIC": "ETC", "SHIBAINU": "SHIB", "BINANCECOIN": "BNB",
    "INTERNETCOMPUTER": "ICP", "PAXGOLD": "PAXG", "NEARPROTOCOL": "NEAR", "USDCOIN": "USDC", "CRYPTOCOMCOIN": "CRO",
    "WRAPPEDBITCOIN": "WBTC", "LIDODAO": "LDO", "CURVEDAOTOKEN": "CRV", "THEGRAPH": "GRT", "CHILIZ": "CHZ",
    "DECENTRALAND": "MANA", "SANDBOX": "SAND", "AXIEINFINITY": "AXS", "QUANT": "QNT", "STACKS": "STX",
    "CELESTIA": "TIA", "SEI": "SEI", "TERRA": "LUNA", "TERRALUNA": "LUNA", "FTXTOKEN": "FTT",
}  # fmt: skip
KNOWN = frozenset(COINS.values()) | words(
    """BTC ETH SOL BNB XRP ADA DOGE AVAX LINK LTC DOT UNI AAVE ATOM PAXG TRX BCH NEAR POL MATIC ARB OP SUI HYPE XLM
    ETC FIL ICP APT INJ MKR CRV SHIB PEPE TON ALGO XMR USDC USDT DAI SPY QQQ GLD TLT CAKE LDO LUNA FTT WIF BONK
    JUP ENA ONDO TAO IMX STRK ZK WLD PYTH TIA SEI RUNE KAS FET RENDER SNX COMP SUSHI YFI GMX DYDX PENDLE ZRO W
    EIGEN ORDI SATS FLOKI TRUMP STETH WBTC WETH WSTETH CBBTC CBETH RETH AAPL MSFT NVDA TSLA AMZN GOOGL GOOG META
    SLV IWM DIA VTI VOO COIN MSTR FTM MANA SAND AXS GRT CHZ EOS XTZ NEO ZEC DASH VET HBAR QNT STX LUNC USTC USTC
    UST FXS KSM GALA APE BLUR"""
)
# Of those, shares and funds: their volumes count shares, and Yahoo may serve them.
SHARES = words("""SPY QQQ GLD TLT AAPL MSFT NVDA TSLA AMZN GOOGL GOOG META SLV IWM DIA VTI VOO COIN MSTR""")
ALIASES = {"XBT": "BTC", "XXBT": "BTC", "XETH": "ETH", "XDG": "DOGE", "XXDG": "DOGE", "XXRP": "XRP", "XLTC": "LTC"}

# What stands beside the word volume and is no asset: a moving average of it, a side, a kind of unit.
NO_VOLUME = words(
    """MA SMA EMA WMA AVG AVERAGE MEAN CHANGE DELTA BUY SELL TAKER CONTRACTS CONTRACT LOTS LOT TRADES TICKS TICK
    COUNT 24H 1H 7D 30D RATIO PROFILE OSC"""
)
EXCHANGE_WORDS = words(
    """BINANCE BINANCEUS COINBASE COINBASEPRO KRAKEN BITSTAMP BITFINEX OKX OKEX BYBIT KUCOIN GEMINI BITGET HUOBI
    HTX GATEIO GATE MEXC POLONIEX BITTREX CRYPTOCOM UPBIT BITHUMB BITMEX DERIBIT PHEMEX WHITEBIT FTX NASDAQ NYSE
    AMEX ARCA NYSEARCA BATS CBOE INDEX CRYPTOCAP TVC FX OANDA FXCM CAPITALCOM PEPPERSTONE FOREXCOM EIGHTCAP
    GLASSNODE MESSARI KAIKO COINMETRICS COINAPI SANTIMENT CRYPTOQUANT NANSEN DEFILLAMA LLAMA FRED STLOUISFED QUANDL
    BLOOMBERG REFINITIV EIKON LSEG ARIVA BOURSORAMA WSJ MARKETWATCH GOOGLE GOOGLEFINANCE EODHD TWELVEDATA COINCODEX
    COINLORE COINPAPRIKA LIVECOINWATCH GECKOTERMINAL DUKASCOPY HISTDATA BARCHART FIRSTRATE CRYPTOARCHIVE BITVAVO
    BITPANDA LUNO COINONE KORBIT BITFLYER LBANK BINGX XT COINEX ASCENDEX BLOCKCHAINCOM TARDIS CCXT CBSE BNCE KRKN BTMP
    YAHOO YF YFINANCE CRYPTOCOMPARE COINGECKO CMC COINMARKETCAP STOOQ INVESTING INVESTINGCOM TRADINGVIEW KAGGLE
    CDD CRYPTODATADOWNLOAD GBTC24 XETRA TRADEGATE FINNHUB POLYGONIO ALPHAVANTAGE TIINGO MT4 MT5 METATRADER"""
)
CONTRACT_WORDS = words("""PERP PERPETUAL PERPETUALS SWAP SPOT FUTURES FUTURE P UM CM LINEAR INVERSE""")
FILLER_WORDS = words(
    """HISTORICAL HISTORY HISTORISCHE HISTORIC DATEN DATA DATOS HISTORICOS HISTORIQUES DONNEES DATI STORICI DADOS
    HISTORISCH GEGEVENS DANE PRICE PRICES PREIS PREISE KURS KURSE CLOSE CLOSES CLOSING DAILY DAY DAYS WEEKLY
    HOURLY HOUR MINUTE TAG TAGLICH DIARIO MAX FULL ALL EXPORT DOWNLOAD DOWNLOADS FILE CHART TABLE SHEET SHEET1
    BOOK1 UNTITLED MARKET UPLOAD CANDLES CANDLE KLINES KLINE OHLC OHLCV QUOTES QUOTE RATES RATE COPY FINAL CLEAN
    NEW OLD TEST SAMPLE DATASET HISTORICALDATA COIN COINS CRYPTO CURRENCY TOKEN STOCK STOCKS SHARE SHARES ETF
    FUND COL COLUMN WIDE LONG VOL VOLUME RETURNS RETURN D H M W MIN TIMESERIES SERIES FEED LATEST RECENT TODAY
    MY THE OF AND FOR FROM TO VERLAUF KURSVERLAUF COURS PREZZI PRECIOS PRECOS TRADING ADJUSTED ADJ US UTC CSV
    HISTORICALPRICES PRICEHISTORY MARKETPRICE TRADE TRADES TRADED MARK MID BID ASK OFFICIAL REFERENCE REFERENCERATE
    SETTLEMENT SETTLE UNADJUSTED NOMINAL REAL CANDLESTICK CANDLESTICKS BAR BARS OPENING ENDING LASTPRICE VALUE VALUES
    DAYCLOSE EOD DONE PUBLIC
    PARQUET TXT TSV BUNDLE INPUT OUTPUT DUP FAR YEAR TZ STAMP SPLIT MEMORY NEG BAD GOOD"""
)
# Yahoo's endings of exchanges that do not quote US dollars.
FOREIGN_LISTINGS = words(
    """DE F L PA AS MI MC SW TO V T HK SS SZ KS KQ NS BO AX NZ SA ST OL CO HE BR LS VI WA IR IS JK KL SI TA BK TW
    TWO ME JO MX BE DU HM HA MU SG CN NE PR IL AT VX RG TL VS IC BA BD CR CL"""
)


def currency(text: str) -> str:
    """The currency code a word names ('EUR', 'USD', 'BTC'), '' when it names none."""
    word = str(text).strip().upper()
    word = MONEY_WORDS.get(word) or MONEY_NAMES.get(fold(word), word)
    return word if word in DOLLARS or word in OTHER_MONEY else ""
