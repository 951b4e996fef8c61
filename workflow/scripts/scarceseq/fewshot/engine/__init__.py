"""Fits many small networks at once: starts, rates, updates, and the loops that apply them."""
