"""Settings of one screen; their defaults and meaning are in the config schema."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class ScreenSettings:
    """One entry of the config section ``screens``."""

    kind: str
    transductive: bool
    control: str | None
    exclude: list[str]
    old_symbol_column: str
    new_symbol_column: str
    splits: int
    test_share: float
    perturbation_column: str | None
    layer: str | None
    batch_column: str | None
    keep_cells: dict[str, str]
    gene_symbol_column: str | None
    values: str
    target_sum: float
    min_cells: int
    target_quantile: float
    drop_cells_expressing_target: bool
    highly_variable_genes: int
    differential_test: str
    top_differential_genes: int
    split_halves: int
    name_key: str
    delta_key: str

    @classmethod
    def of(cls, settings):
        """Settings from the config's dictionary, which also holds the path."""
        return cls(**{field.name: settings[field.name] for field in fields(cls)})
