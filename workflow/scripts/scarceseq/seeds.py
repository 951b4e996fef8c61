"""Seeds that depend on what is drawn, not on when: each key gets its own stream."""

import hashlib


def derive(seed: int, *key: str | int | float) -> int:
    """Seed for one named draw, from 0 to 2**63 - 1; equal on every machine, independent of batching.

    `seed` is the run's, from the config; the key says what is drawn (stage, split, episode, ...) and its order matters.
    """
    text = "\x1f".join([str(int(seed)), *map(str, key)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
