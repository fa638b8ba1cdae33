"""Where prices come from: exchanges, Yahoo, files, the bundled sample, the local store."""
