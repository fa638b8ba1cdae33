"""Liquidation: where, and what happens next?"""

from ui.liquidation import page as liquidation
from ui.shell import entrance

entrance.through_app("pages/liquidation.py")
liquidation.page()
