"""Backtest: would the lower margin have been enough?"""

from ui import backtest, entrance

entrance.through_app("pages/backtest.py")
backtest.page()
