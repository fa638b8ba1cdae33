"""Floor 4: would the margin have been enough, day by day?"""
