"""Corpus room: from coverage sums to one filtered, normalised samples x genes matrix, and its splits by study."""
