"""Rows of a matrix that are computed together, so that what lies between two steps stays in the processor's cache."""

CACHED_SAMPLES = 64


def cached_rows(values):
    """Slices of the rows of `values`, (samples, genes), in order; devices but the processor take all at once."""
    together = CACHED_SAMPLES if values.device.type == "cpu" else max(len(values), 1)
    return [slice(start, start + together) for start in range(0, len(values), together)]
