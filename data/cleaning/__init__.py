"""What is wrong with candles, and what is done about it."""
