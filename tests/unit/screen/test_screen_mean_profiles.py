"""Screens given as mean profiles over genes. Oracles: pandas, the same numbers read as coordinates, numpy."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.perturbation.evaluate import evaluate
from scarceseq.perturbation.metrics import METRICS, NO_CELLS, defined_for
from scarceseq.perturbation.prior import Prior
from scarceseq.screen.coordinates import read_coordinates
from scarceseq.screen.prepare import prepare_screen
from scarceseq.screen.profiles import read_profiles
from scarceseq.screen.settings import ScreenSettings

NAMES = ["ctrl", "A", "sgA", "B", "unassigned", "C"]
VALUES = pd.DataFrame(np.arange(24.0).reshape(6, 4) ** 1.5, columns=["A", "G1", "G2", "C"])


def settings(**changes):
    return ScreenSettings(kind="profiles", **{"exclude": ["unassigned"], "label_prefix": "sg"} | changes)


def write(path, values, names, column="gene"):
    if path.suffix == ".h5ad":
        data = anndata.AnnData(values.to_numpy())
        data.obs_names, data.var_names = [f"row{place}" for place in range(len(names))], values.columns
        data.obs[column] = pd.Categorical(names)
        data.write_h5ad(path)
        return str(path)
    table = values.assign(**{column: names})[[column, *values.columns]]
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, sep="\t" if ".tsv" in path.name else ",", index=False)
    return str(path)


@pytest.mark.parametrize("name", ["s.tsv", "s.csv", "s.tsv.gz", "s.parquet", "s.h5ad"])
@pytest.mark.parametrize("held", ["delta", "expression"])
def test_every_form_of_file_gives_the_same_profiles(tmp_path, name, held):
    path = write(tmp_path / name, VALUES, NAMES)
    profiles, counts = read_profiles(path, settings(perturbation_column="gene", profile_values=held), {"G1": "NEW1"})
    expected = VALUES - (VALUES.iloc[0] if held == "expression" else 0)
    expected = expected.iloc[[1, 2, 3, 5]].groupby(["A", "A", "B", "C"]).mean()
    assert list(profiles.obs_names) == ["A", "B", "C"]
    assert list(profiles.var_names) == ["A", "NEW1", "G2", "C"]
    np.testing.assert_allclose(profiles.X, expected, rtol=1e-6)
    assert profiles.uns["kind"] == "profiles"
    assert ("control_mean" in profiles.var) == (held == "expression")
    assert (counts["rows"], counts["rows_left_out"] >= 1, counts["genes_renamed"]) == (4, True, 1)


def test_a_table_may_have_its_perturbations_in_columns(tmp_path):
    turned = VALUES.set_axis([f"{name}_ko" for name in NAMES], axis=0).T.rename_axis("symbol").reset_index()
    turned.insert(1, "ensembl", ["E1", "E2", "E3", "E4"])
    turned.to_csv(tmp_path / "s.tsv", sep="\t", index=False)
    chosen = settings(
        perturbations_in="columns",
        gene_symbol_column="symbol",
        exclude=["ensembl", "unassigned_ko", "ctrl_ko"],
        label_separator="_",
    )
    profiles, _ = read_profiles(str(tmp_path / "s.tsv"), chosen, {})
    straight, _ = read_profiles(write(tmp_path / "t.tsv", VALUES, NAMES), settings(), {})
    pd.testing.assert_frame_equal(profiles.to_df(), straight.to_df())


def test_combinations_are_set_aside_and_a_gene_beside_the_control_is_that_gene(tmp_path):
    names = ["ctrl", "A+ctrl", "sgA", "B", "A+B", "C"]
    profiles, counts = read_profiles(write(tmp_path / "s.tsv", VALUES, names), settings(), {})
    assert list(profiles.obs_names) == ["A", "B", "C"]
    np.testing.assert_allclose(profiles.X[0], VALUES.iloc[1:3].mean(), rtol=1e-6)
    assert counts["rows_of_combinations"] == 1


def test_genes_without_a_value_everywhere_are_left_out_and_counted(tmp_path):
    values = VALUES.copy()
    values.loc[3, "G1"] = np.nan
    profiles, counts = read_profiles(write(tmp_path / "s.tsv", values, NAMES), settings(), {})
    assert list(profiles.var_names) == ["A", "G2", "C"]
    assert counts["genes_with_missing_values"] == 1


@pytest.mark.parametrize(
    ("change", "chosen", "message"),
    [
        (lambda v: v, {"perturbation_column": "target"}, "there is no column 'target'"),
        (lambda v: v.rename(columns={"G1": "G3"}).assign(G1="high"), {}, "holds text among its numbers"),
        (lambda v: v.drop(index=0), {"profile_values": "expression"}, "no profile is of control cells"),
        (lambda v: v * np.nan, {}, "every gene lacks a value in some profile"),
        (lambda v: v, {"exclude": ["A", "sgA", "B", "unassigned"]}, "1 perturbation is left.*perturbations_in"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, change, chosen, message):
    values = change(VALUES)
    path = write(tmp_path / "s.tsv", values, [NAMES[place] for place in values.index])
    with pytest.raises(InputError, match=message):
        read_profiles(path, settings(**chosen), {})


def test_two_genes_of_one_present_symbol_are_refused(tmp_path):
    with pytest.raises(InputError, match="gene G2 is there twice"):
        read_profiles(write(tmp_path / "s.tsv", VALUES, NAMES), settings(), {"G1": "G2"})


def test_metrics_are_those_that_need_no_cells():
    without = {name for name, metric in METRICS.items() if "profiles" in metric.undefined}
    assert all(METRICS[name].undefined["profiles"] == NO_CELLS for name in without)
    assert {"mse_top", "differential_auroc", "weighted_mse"} <= without
    assert {"mae", "pearson_delta", "spearman_delta", "discrimination", "cosine"} <= set(defined_for("profiles"))


def test_means_over_components_read_as_coordinates_are(tmp_path, shared_data):
    path = shared_data / "perturb/pc_means/adamson2016_upr.npz"
    chosen = {"exclude": ["*"], "name_key": "gene", "delta_key": "delta_pc"}
    theirs, _ = read_coordinates(str(path), ScreenSettings(kind="coordinates", **chosen), {})
    with np.load(path) as archive:
        table = pd.DataFrame(archive["delta_pc"]).add_prefix("PC")
        table.insert(0, "gene", archive["gene"].astype(str))
    table.to_csv(tmp_path / "s.tsv", sep="\t", index=False)
    ours, _ = read_profiles(
        str(tmp_path / "s.tsv"), ScreenSettings(kind="profiles", control="control", exclude=["*"]), {}
    )
    assert list(ours.obs_names) == list(theirs.obs_names)
    np.testing.assert_allclose(ours.X, theirs.X, rtol=1e-6, atol=1e-7)


def test_knock_outs_in_bulk_are_a_screen(tmp_path, shared_data):
    """Contrasts of MorPhiC, genes in rows; the knock-outs of a gene by three strategies are averaged."""
    contrasts = pd.read_csv(shared_data / "perturb/morphic_bulk_KO/contrasts.tsv", sep="\t")
    contrasts = contrasts[contrasts["kind"] == "KO_vs_WT"]
    wide = pd.read_csv(shared_data / "perturb/morphic_bulk_KO/log2fc.tsv.gz", sep="\t", nrows=3000).dropna()
    genes = dict(zip(contrasts["contrast"], contrasts["gene"], strict=True))
    wide = wide.drop_duplicates("symbol")[["symbol", *contrasts["contrast"]]]
    wide.columns = ["symbol", *(f"{genes[name]}|{place}" for place, name in enumerate(wide.columns[1:]))]
    wide.to_csv(tmp_path / "s.tsv.gz", sep="\t", index=False)
    chosen = ScreenSettings(kind="profiles", perturbations_in="columns", label_separator="|", splits=2, test_share=0.25)
    screen = prepare_screen("morphic", str(tmp_path / "s.tsv.gz"), chosen, 1)
    profiles = screen["profiles"]
    assert set(profiles.obs_names) == set(contrasts["gene"])
    expected = wide.set_index("symbol").T.groupby(lambda name: name.split("|")[0]).mean()
    np.testing.assert_allclose(profiles.to_df(), expected.loc[profiles.obs_names, profiles.var_names], rtol=1e-5)
    names = profiles.obs_names.to_numpy(str)
    values, errors = evaluate(
        {"screen": "m", "predictor": "control", "source": "none"},
        screen,
        Prior(names, profiles.var_names.to_numpy(str)),
    )
    ran = values[values["status"] == "run"]
    assert set(ran["metric"]) == set(defined_for("profiles"))
    assert ran.loc[ran["metric"].isin(["mse", "mae", "discrimination"]), "value"].notna().all()
    other = profiles.to_df().where(lambda t: t.columns.to_numpy() != t.index.to_numpy()[:, None])
    np.testing.assert_allclose(errors["error"], (other**2).mean(axis=1)[errors["perturbation"]], rtol=1e-4)


def test_lists_of_significant_genes_are_no_profiles_until_the_rest_is_filled_in(tmp_path, shared_data):
    rows = pd.read_parquet(shared_data / "perturb/adamson_de/perturb-seq.parquet")
    rows = rows.drop_duplicates(["perturbation", "gene"])
    wide = rows.pivot(index="perturbation", columns="gene", values="log2fc").iloc[:, :400]
    wide.reset_index().to_parquet(tmp_path / "s.parquet")
    with pytest.raises(InputError, match="every gene lacks a value in some profile"):
        read_profiles(str(tmp_path / "s.parquet"), ScreenSettings(kind="profiles"), {})
    wide.fillna(0).reset_index().to_parquet(tmp_path / "t.parquet")
    profiles, counts = read_profiles(str(tmp_path / "t.parquet"), ScreenSettings(kind="profiles"), {})
    assert counts["genes"] == 400
    assert profiles.n_obs > 90
