"""Floor 1: pieces that every page draws with; theme, tables, notices, downloads."""

__all__ = ["copy_button", "editable_table", "exporting", "formats", "importing", "notices", "text", "theme", "views"]
