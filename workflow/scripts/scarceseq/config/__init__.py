"""The config: its keys, its checks, and the table that describes them."""
