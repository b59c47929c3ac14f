"""Stockpile: custody of weapons as double-entry bookkeeping. The domain; knows no HTTP and no HTML."""
