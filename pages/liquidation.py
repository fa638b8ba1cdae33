"""Liquidation: where, and what happens next?"""

from ui import entrance, liquidation

entrance.through_app("pages/liquidation.py")
liquidation.page()
