"""What stands around every page: entrance, header, navigation, warm-up."""
