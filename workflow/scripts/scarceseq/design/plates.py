"""Genes and controls on plates, well by well."""

import numpy as np
import pandas as pd

from scarceseq.errors import InputError

PLATES = {24: (4, 6), 48: (6, 8), 96: (8, 12), 384: (16, 24)}


def lay_out(order, wells, controls, replicates=1):
    """What goes into each well: all genes once, then all of them again; the last wells of a plate are for controls.

    Each further replicate begins at another gene, so that a gene's replicates are not at one place of all plates.

    Parameters
    ----------
    order : pandas.DataFrame
        rank, gene.
    wells : int
        Of a plate, one of `PLATES`.
    controls : int
        Wells for controls on each plate.
    replicates : int
        Wells of each gene.

    Returns
    -------
    pandas.DataFrame
        plate, well, row, column, content (gene, control or empty), gene, rank, replicate (0 where there is no gene):
        every well of the plates that are needed, plate by plate and row by row.
    """
    if controls >= wells:
        raise InputError(f"config key design.control_wells: {controls} of {wells} wells leaves none for genes")
    columns, room = PLATES[wells][1], wells - controls
    starts = [number * min(len(order), room) // replicates for number in range(replicates)]
    sequence = np.concatenate([np.roll(np.arange(len(order)), -start) for start in starts])
    plates = -(-len(sequence) // room)
    place = np.tile(np.arange(wells), plates)
    table = pd.DataFrame({"plate": np.repeat(np.arange(1, plates + 1), wells)})
    row = np.array([chr(ord("A") + number) for number in range(PLATES[wells][0])])[place // columns]
    table["well"] = [f"{letter}{number}" for letter, number in zip(row, place % columns + 1, strict=True)]
    table["row"], table["column"] = row, place % columns + 1
    table["content"] = np.where(place < room, "empty", "control")
    table[["gene", "rank", "replicate"]] = "", 0, 0
    used = np.flatnonzero(place < room)[: len(sequence)]
    table.loc[used, "content"] = "gene"
    for name in ("gene", "rank"):
        table.loc[used, name] = order[name].to_numpy()[sequence]
    table.loc[used, "replicate"] = np.repeat(np.arange(1, replicates + 1), len(order))
    return table
