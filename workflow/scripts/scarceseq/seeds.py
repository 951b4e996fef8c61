"""Seeds that depend on what is drawn, not on when: each key gets its own stream."""

import hashlib


def derive(seed: int, *key: str | int | float) -> int:
    """Seed for one named draw.

    Parameters
    ----------
    seed : int
        The run's seed, from the config.
    *key : str or int
        What is drawn (stage, split, episode, ...). Order matters.

    Returns
    -------
    int
        Between 0 and 2**63 - 1; equal on every machine, independent of batching.
    """
    text = "\x1f".join([str(int(seed)), *(str(part) for part in key)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
