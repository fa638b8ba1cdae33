"""The visitor's book, prices, answers and links; no drawing."""
