"""The generated screen and annotation. Oracle: the truth that the generator writes beside them."""

import anndata
import numpy as np
import pytest
from realism import pseudobulk_deltas
from scarceseq.demo.doubles import draw_doubles
from scarceseq.demo.programmes import diffuse, programme_graph
from scarceseq.files import read_table


@pytest.fixture(scope="module")
def screen(full):
    return anndata.read_h5ad(full / "screen.h5ad")


@pytest.fixture(scope="module")
def effects(full):
    return read_table(full / "truth/effects.parquet").set_index("perturbation")


def test_the_screen_holds_whole_counts_controls_and_one_group_per_perturbation(screen, effects):
    assert (screen.X.data == np.rint(screen.X.data)).all()
    sizes = screen.obs["perturbation"].value_counts()
    assert set(sizes.index) == {"control", *effects.index}
    assert sizes["control"] == 400
    perturbed = sizes.drop("control")
    assert perturbed.min() >= 20
    assert perturbed.max() <= 80
    assert set(effects.index) <= set(screen.var_names)
    assert screen.obs["batch"].nunique() == 3


def test_genes_of_the_screen_are_those_of_the_archive(screen, full, mirror_of):
    annotation = mirror_of(full / "archive").annotation()
    assert list(screen.var_names) == list(annotation["gene_name"])
    assert list(screen.var["gene_id"]) == list(annotation["gene_id"])


def test_measured_changes_follow_the_true_effects_and_targets_are_knocked_down(screen, effects):
    names, deltas = pseudobulk_deltas(screen.X, screen.obs["perturbation"])
    strength = effects.loc[names, "strength"].to_numpy()
    truth = effects.loc[names].drop(columns="strength").to_numpy()
    expressed = np.asarray(screen.X.mean(axis=0)).ravel() > 1
    strong = strength > np.median(strength)
    agreement = [np.corrcoef(deltas[row, expressed], truth[row, expressed])[0, 1] for row in np.flatnonzero(strong)]
    assert np.median(agreement) > 0.7
    own = screen.var_names.get_indexer(names)
    seen = expressed[own]
    assert (deltas[np.arange(len(names)), own][seen] < 0).mean() > 0.95


def test_effects_differ_in_strength_and_spread_beyond_the_targets_programmes(effects, full):
    strength = effects["strength"]
    assert strength.max() / strength.min() > 5
    world = read_table(full / "truth/programmes.parquet").set_index("gene_name")
    loadings = world[[name for name in world if name.startswith("programme_")]]
    shifts = read_table(full / "truth/shifts.parquet").set_index("perturbation")
    graph = read_table(full / "truth/programme_graph.parquet")
    near, far = [], []
    for gene, shift in shifts.iterrows():
        own = set(loadings.columns[loadings.loc[gene] != 0])
        beside = set(graph.loc[graph["source"].isin(own), "target"]) - own
        if own:
            near.append(shift[sorted(beside)].abs().mean() / strength[gene])
            far.append(shift.drop(sorted(own | beside)).abs().mean() / strength[gene])
    assert np.mean(near) > 1.5 * np.mean(far)


def test_diffusion_spreads_to_neighbours_only_where_the_graph_is_smooth():
    adjacency = programme_graph(12, np.random.default_rng(0))
    assert (adjacency == adjacency.T).all()
    assert (adjacency.sum(axis=1) >= 3).all()
    np.testing.assert_allclose(diffuse(adjacency, 0.0), np.eye(12), atol=1e-12)
    smooth = diffuse(adjacency, 0.6)
    joined = smooth[adjacency > 0].mean()
    apart = smooth[(adjacency == 0) & ~np.eye(12, dtype=bool)].mean()
    assert joined > 2 * apart > 0


def test_genes_of_one_programme_share_more_terms_than_others(full):
    annotation = read_table(full / "annotation.tsv.gz")
    assert list(annotation.columns) == ["gene", "term"]
    assert not annotation.duplicated().any()
    terms = annotation.groupby("gene")["term"].agg(set)
    world = read_table(full / "truth/programmes.parquet")
    world = world[world["gene_name"].isin(terms.index) & (world["first_programme"] >= 0)].head(300)
    programme = world["first_programme"].to_numpy()
    shared = np.array([[len(terms[a] & terms[b]) for b in world["gene_name"]] for a in world["gene_name"]])
    same = programme[:, None] == programme[None, :]
    np.fill_diagonal(same, False)
    other = programme[:, None] != programme[None, :]
    assert shared[same].mean() > 5 * shared[other].mean() > 0


def test_doubles_are_weighted_sums_of_their_genes_and_change_nothing_else(tiny, make_demo, tmp_path):
    """Oracle: the truth of single genes; the same world without doubles."""
    folder = make_demo(tmp_path, seed=7, studies=14, genes=300, perturbations=30, cells_per_perturbation=20, doubles=12)
    doubles = read_table(folder / "truth/doubles.parquet")
    assert doubles["kind"].value_counts().to_dict() == dict.fromkeys(
        ["additive", "synergy", "suppression", "epistasis"], 3
    )
    assert doubles["perturbation"].is_unique
    effects = read_table(folder / "truth/effects.parquet").set_index("perturbation").drop(columns="strength")
    assert effects.equals(read_table(tiny / "truth/effects.parquet").set_index("perturbation")[effects.columns])
    assert not (tiny / "truth/doubles.parquet").exists()
    screen = anndata.read_h5ad(folder / "screen.h5ad")
    assert (screen.obs["perturbation"].value_counts()[doubles["perturbation"]] == 20).all()
    changes, _ = draw_doubles(effects.index, effects.to_numpy(), effects.columns.get_indexer(effects.index), 12, 7)
    for row, change in zip(doubles.itertuples(), changes, strict=True):
        expected = row.c1 * effects.loc[row.first] + row.c2 * effects.loc[row.second]
        rest = ~effects.columns.isin([row.first, row.second])
        np.testing.assert_allclose(change[rest], expected[rest])
        for gene in (row.first, row.second):
            assert change[list(effects.columns).index(gene)] == effects.loc[gene, gene] == -2.5
