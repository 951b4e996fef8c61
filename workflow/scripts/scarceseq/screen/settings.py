"""Settings of one screen."""

from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal, Self

from scarceseq.keys import Count, Distinct, File, Fraction, Limits, Positive, Several, Share, Text, Whole, listed


@dataclass(frozen=True)
class ScreenSettings:
    """How a screen is read and divided."""

    kind: Literal["cells", "profiles", "coordinates"]
    """`cells`: single cells x genes; `profiles`: mean profiles or log-fold changes, perturbation x gene, without what
    needs single cells; `coordinates`: mean profiles, perturbation x component, for which only squared error and cosine
    make sense."""
    transductive: bool = False
    """Whether the file was prepared from all perturbations together, such as public principal components; every table
    says so."""
    control: str | Several[str] | None = None
    """Label of unperturbed cells, or a list of several, or of the rows to leave out in coordinates; null recognises
    `control`, `ctrl`, `non-targeting` and other usual ones. Further labels that look like controls stop the run until
    they are named here or in exclude."""
    exclude: list[str] = listed()
    """Further labels to leave out, such as `nan`, `*` or `unassigned`."""
    label_prefix: str | None = None
    """Kinds `cells` and `profiles`: what labels have before the gene's name, such as `sg`."""
    label_separator: Text | None = None
    """Kinds `cells` and `profiles`: the gene is the text of a label before this, such as `_` for `TP53_guide2`;
    labels of one gene, its guides, are one perturbation."""
    minimum_matched_share: Share = 0.5
    """Kind `cells`: share of the perturbations that must name a gene of the file, by symbol in any case or by
    Ensembl id; lower it where the genes of the file are a selection."""
    old_symbol_column: str = "old"
    """Column of `symbol_table` with the former symbol."""
    new_symbol_column: str = "new"
    """Column of `symbol_table` with today's symbol."""
    splits: Annotated[int, Limits(ge=2)] = 10
    """Number of random divisions of the perturbations into a pool, to choose and learn from, and a test set."""
    test_share: Fraction = 0.2
    """Share of the perturbations in each test set."""
    doubles: bool = False
    """Kinds `cells` and `profiles`: keep perturbations of two genes (`A+B`), to learn from and to predict; otherwise
    they are set aside and counted. Splits are then by gene, as those of GEARS: `test_share` is of the genes, and
    whatever perturbs one of these is tested. `perturbation.predictors` alone takes such a screen."""
    pool_doubles: Share = 0.75
    """With `doubles`: share of the doubles of two seen genes that the pool gets, the others are tested; 0 to learn from
    single genes alone."""
    perturbation_column: str | None = None
    """Kind `cells`: column of obs with the perturbed gene's symbol; null recognises those of GEARS (`condition`),
    scPerturb (`perturbation`) and Replogle (`gene`). Kind `profiles`: column (of obs in an .h5ad) with the perturbed
    gene of each row; null for the first one (the index)."""
    perturbations_in: Literal["rows", "columns"] = "rows"
    """Kind `profiles`: whether a table's rows or its columns are the perturbations; columns that are neither are named
    in exclude."""
    profile_values: Literal["delta", "expression"] = "delta"
    """Kind `profiles`: differences to control, such as log-fold changes; or mean log expression, from which that of the
    control profiles is taken."""
    layer: str | None = None
    """Kinds `cells` and `profiles`: layer with the values; null for X."""
    batch_column: str | None = None
    """Kind `cells`: column of obs with the batch."""
    keep_cells: dict[str, str] = field(default_factory=dict)
    """Kind `cells`: only cells with these values in these columns of obs, for files of several cell lines."""
    gene_symbol_column: str | None = None
    """Kind `cells`: column of var with gene symbols; null for the index, or a usual column if that holds Ensembl
    ids. Kind `profiles`: column of var, or of a table whose columns are the perturbations; null for the index, or the
    first column."""
    values: Literal["auto", "counts", "estimated_counts", "normalised", "log_normalised"] = "auto"
    """Kind `cells`: `counts`; `estimated_counts`, with fractions; `normalised`, counts divided by the totals of their
    cells, of which the logarithm is taken here; or `log_normalised`. `auto` takes whole numbers for counts, and
    fractions for logarithms if none is above 15 and sums of expm1 agree between cells. `cells.json` says which it
    was."""
    target_sum: Positive = 10000
    """Kind `cells`: counts per cell after normalisation, before log(1 + x)."""
    min_cells: Annotated[int, Limits(ge=4)] = 20
    """Kind `cells`: perturbations with fewer cells are left out and counted."""
    target_quantile: Share = 0.1
    """Kind `cells`: a perturbed cell that expresses its target above this quantile of the control cells is flagged as
    still expressing it. Such cells are counted."""
    drop_cells_expressing_target: bool = False
    """Kind `cells`: leave flagged cells out of the profiles; right for knock-downs, not for knock-outs or
    activation."""
    drop_escaped_cells: bool = False
    """Kind `cells`: leave out cells that do not respond to their guide, told by a mixture along each perturbation's
    signature (as Mixscape does). What is measured of test perturbations changes too: compare with a run without."""
    highly_variable_genes: Whole = 0
    """Kind `cells`: keep this many genes, the most variable among control cells, and the perturbed genes; 0 for
    all."""
    differential_test: Literal["t_test", "wilcoxon"] = "t_test"
    """Kind `cells`: test by which genes are ranked against control cells."""
    top_differential_genes: Count = 20
    """Kind `cells`: length of each perturbation's list of differentially expressed genes."""
    split_halves: Count = 5
    """Kind `cells`: random halvings of the cells over which reliability is averaged."""
    name_key: str = "perturbation"
    """Kind `coordinates`: array of gene symbols in the .npz; rows of one gene (its guides) are averaged."""
    delta_key: str = "delta"
    """Kind `coordinates`: array of differences to control in the .npz, rows x components."""

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Self:
        """Settings from the config's dictionary, which also holds the paths.

        Screens of the catalogue hold a choice of genes that were log-normalised with all others, which their sums do
        not show.
        """
        chosen = {field.name: settings[field.name] for field in fields(cls)}
        if settings.get("catalogue") and chosen["values"] == "auto":
            chosen["values"] = "log_normalised"
        return cls(**chosen)


def control_names(control: str | list[str] | None) -> list[str]:
    """The labels of the key control; none if it is null."""
    return [control] if isinstance(control, str) else list(control or [])


@dataclass(frozen=True, kw_only=True)
class ScreenEntry(ScreenSettings):
    """A perturbation screen."""

    path: File | None = None
    """Kind `cells`: a .h5ad file; null if the screen is one of the catalogue. Kind `profiles`: a .h5ad, or a table
    (.parquet, .tsv, .csv, gzipped or not). Kind `coordinates`: a .npz file without pickled objects."""
    catalogue: str | None = None
    """Kind `cells`, in place of path: name of a public screen (`adamson`, `dixit`, `norman`,
    `replogle_k562_essential`, `replogle_rpe1_essential`), which is fetched and verified; the table at the end of
    config/README.md has them."""
    published_split: File | None = None
    """With `doubles`, in place of `splits`: a split that others used, a JSON file with the lists `train`, `val` and
    `test` of names such as `A+B` and `A+ctrl`. What is in `val` joins the pool."""
    contexts: Distinct[str] = listed()
    """Other screens of `screens` with the same perturbations in other cell lines or conditions, which the predictors
    `other_contexts` and `other_contexts_kernel` learn from; all that was measured there is known from the start."""
    symbol_table: File | None = None
    """Table of former and present gene symbols (.csv, .tsv, .txt, gzipped or not, .parquet). Renamed genes get their
    present symbol, so that graphs have them."""
