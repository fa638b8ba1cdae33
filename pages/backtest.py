"""Backtest: would the lower margin have been enough?"""

from ui.backtest import page as backtest
from ui.shell import entrance

entrance.through_app("pages/backtest.py")
backtest.page()
