"""A kind of price file is one file in data/files/readers."""

import numpy as np

from data.files import readers as package
from data.files.read import read_prices


def test_a_new_reader_is_one_new_file(tmp_path, monkeypatch):
    (tmp_path / "stars.py").write_text(
        "import numpy as np\n"
        "from data.files.readers import Reader\n"
        "from data.files.table import Column, Table\n"
        "DAYS = np.arange('2024-01-01', '2024-01-11', dtype='datetime64[D]').astype('datetime64[us]')\n"
        "TABLE = Table([Column('date', DAYS), Column('BTC', np.arange(10.0) + 1.0)])\n"
        "READER = Reader('stars', 1, lambda content: content.startswith(b'***'), lambda content, name: TABLE)\n"
    )
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    package.readers.cache_clear()
    try:
        assert read_prices(b"***", "x.stars").closes["BTC"].tolist() == list(np.arange(10.0) + 1.0)
    finally:
        package.readers.cache_clear()
