"""Forecast: how likely is a margin call? Any account under any margin model. Definitions: docs/forecast.md."""
