"""Genes and controls on plates, well by well."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scarceseq.errors import InputError

PLATES = {24: (4, 6), 48: (6, 8), 96: (8, 12), 384: (16, 24)}


def lay_out(
    order: pd.DataFrame, wells: int, controls: int, kinds: Sequence[str], replicates: int = 1, seed: int = 0
) -> pd.DataFrame:
    """What goes into each well: at random places, so that rank and well have nothing to do with each other.

    No two replicates of a gene are on one plate. Controls are spread: the wells of a plate, column by column, are cut
    into as many stretches as there are controls, and each stretch gets one, of the kinds in turn.

    - `wells`: of a plate, one of `PLATES`
    - `controls`: wells for controls on each plate; `kinds`: kinds of controls
    - `replicates`: wells of each gene

    Returns columns plate, well, row, column, content (gene, control or empty), control (its kind), gene, rank,
    replicate (0 where there is no gene): every well of the plates that are needed, plate by plate and row by row.
    Raises `InputError` if controls leave no well for genes, or there are fewer of them than kinds.
    """
    if controls >= wells:
        raise InputError(f"config key design.control_wells: {controls} of {wells} wells leaves none for genes")
    if 0 < controls < len(kinds):
        raise InputError(
            f"config key design.controls: {len(kinds)} kinds do not fit {controls} control wells of a plate"
        )
    generator, room = np.random.default_rng(seed), wells - controls
    slot = np.arange(len(order) * replicates)
    plate_of = slot // len(order) if len(order) <= room else slot // room
    tables = [
        _plate(plate + 1, order.iloc[slot[plate_of == plate] % len(order)], wells, controls, kinds, generator)
        for plate in range(int(plate_of[-1]) + 1)
    ]
    table = pd.concat(tables, ignore_index=True)
    genes = table["content"] == "gene"
    table["replicate"] = np.where(genes, table.groupby(["content", "gene"]).cumcount() + 1, 0)
    return table


def plate_maps(plates: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Each plate as it lies on the bench, by title: its rows by letter, its columns by number, in each well the gene or
    the kind of control; from `lay_out`.
    """
    content = np.where(plates["content"] == "control", plates["control"], plates["gene"])
    maps = {}
    for plate, wells in plates.assign(text=content).groupby("plate"):
        whole = wells.pivot(index="row", columns="column", values="text")
        maps[f"plate {plate}"] = whole.set_axis([str(column) for column in whole.columns], axis=1).reset_index()
    return maps


def _plate(
    plate: int, genes: pd.DataFrame, wells: int, controls: int, kinds: Sequence[str], generator: np.random.Generator
) -> pd.DataFrame:
    """One plate, row by row."""
    rows, columns = PLATES[wells]
    place = np.arange(wells)
    by_column = place.reshape(rows, columns).T.ravel()
    stretches = np.array_split(by_column, controls) if controls else []
    chosen = [int(generator.choice(stretch)) for stretch in stretches]
    taken = generator.permutation(np.setdiff1d(place, chosen))[: len(genes)]
    letters = np.array([chr(ord("A") + row) for row in range(rows)])[place // columns]
    table = pd.DataFrame({"plate": plate, "row": letters, "column": place % columns + 1})
    table.insert(1, "well", table["row"] + table["column"].astype(str))
    table[["content", "control", "gene"]], table["rank"] = "empty", 0
    table.loc[:, ["control", "gene"]] = ""
    table.loc[chosen, "content"] = "control"
    table.loc[chosen, "control"] = [kinds[turn % len(kinds)] for turn in range(controls)]
    table.loc[taken, "content"] = "gene"
    table.loc[taken, "gene"] = genes["gene"].to_numpy()
    table.loc[taken, "rank"] = genes["rank"].to_numpy()
    return table
