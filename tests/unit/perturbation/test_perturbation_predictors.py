"""Predictors learn from training perturbations alone, by formulas that can be checked."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.network.build import build_graph
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.predictors import graph_ridge, training_mean
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.ridge import RIDGES, fit_dual
from scarceseq.perturbation.walk import neighbourhood_cosine
from scarceseq.screen.coordinates import read_coordinates


def random_graph(seed, genes=40, edges=150):
    generator = np.random.default_rng(seed)
    names = np.array([f"G{gene:02d}" for gene in range(genes)])
    source, target = generator.integers(genes, size=(2, edges))
    frame = pd.DataFrame({"source": names[source], "target": names[target], "weight": generator.uniform(0.1, 1, edges)})
    return graph_from_edges(frame[frame["source"] != frame["target"]])


def prepare(predictor, genes, graph=None, columns=(), embedding=None):
    return predictor.prepare(Prior(np.asarray(genes), np.asarray(columns), graph, embedding))


def test_the_training_mean_is_the_mean():
    delta = np.arange(12.0).reshape(4, 3)
    model = training_mean.fit(delta, np.arange(4), None)
    assert training_mean.predict(model, np.array([7, 8])).tolist() == [[4.5, 5.5, 6.5]] * 2


def test_the_kernel_is_the_cosine_of_rows_of_the_normalised_graph_with_self_loops():
    graph = random_graph(1)
    weights = graph.incoming.toarray()
    weights = np.maximum(weights, weights.T) + np.eye(len(weights))
    degree = weights.sum(axis=1)
    rows = weights / np.sqrt(degree[:, None] * degree[None])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    genes = [graph.nodes[3], "not in the graph", graph.nodes[0]]
    kernel = neighbourhood_cosine(graph, genes)
    assert kernel[0, 2] == pytest.approx(rows[3] @ rows[0])
    assert np.diag(kernel) == pytest.approx([1, 0, 1])


@pytest.mark.parametrize("columns", [3, 50])
def test_the_ridge_constant_has_the_least_leave_one_out_error(columns):
    """Oracle: refitting without each sample in turn."""
    generator = np.random.default_rng(columns)
    features = generator.normal(size=(15, 6))
    kernel = features @ features.T / 6
    targets = features @ generator.normal(size=(6, columns)) + generator.normal(size=(15, columns))
    errors = []
    for ridge in RIDGES:
        error = 0
        for left_out in range(15):
            rest = np.delete(np.arange(15), left_out)
            alpha = np.linalg.solve(kernel[np.ix_(rest, rest)] + ridge * np.eye(14), targets[rest])
            error += ((targets[left_out] - kernel[left_out, rest] @ alpha) ** 2).sum()
        errors.append(error)
    coefficients, ridge = fit_dual(kernel, targets)
    assert ridge == RIDGES[int(np.argmin(errors))]
    np.testing.assert_allclose(coefficients, np.linalg.solve(kernel + ridge * np.eye(15), targets), atol=1e-9)


def test_genes_outside_the_graph_are_predicted_by_the_training_mean():
    graph = random_graph(2)
    genes = np.array([*graph.nodes[:20], "X1", "X2"])
    delta = np.random.default_rng(0).normal(size=(22, 4))
    rows = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20])
    model = graph_ridge.fit(delta[rows], rows, prepare(graph_ridge, genes, graph))
    np.testing.assert_allclose(graph_ridge.predict(model, np.array([21]))[0], delta[rows].mean(axis=0))


def test_training_on_genes_outside_the_graph_alone_gives_their_mean():
    graph = random_graph(2)
    genes = np.array([graph.nodes[0], "X1", "X2"])
    delta = np.arange(6.0).reshape(3, 2)
    rows = np.array([1, 2])
    model = graph_ridge.fit(delta[rows], rows, prepare(graph_ridge, genes, graph))
    assert graph_ridge.predict(model, np.array([0])).tolist() == [[3, 4]]


def test_a_graph_without_any_perturbed_gene_is_refused():
    with pytest.raises(InputError, match="none of the perturbed genes"):
        prepare(graph_ridge, np.array(["a", "b"]), random_graph(3))


def relative_error(profiles, graph, shuffle=None):
    """Squared error of graph ridge relative to the training mean's, over five folds."""
    names = profiles.obs_names.to_numpy(dtype=str)
    if shuffle is not None:
        known = graph.positions(names) >= 0
        names[known] = np.random.default_rng(shuffle).permutation(names[known])
    delta, features = profiles.X.astype(float), prepare(graph_ridge, names, graph)
    order = np.random.default_rng(0).permutation(len(names))
    error = floor = 0.0
    for fold in range(5):
        test, train = order[fold::5], np.sort(np.delete(order, np.arange(fold, len(order), 5)))
        model = graph_ridge.fit(delta[train], train, features)
        error += ((graph_ridge.predict(model, test) - delta[test]) ** 2).sum()
        floor += ((delta[train].mean(axis=0) - delta[test]) ** 2).sum()
    return error / floor


SCREENS = {
    "k562": ("replogle/replogle_k562_pc9_delta.npz", "perturbation", "delta"),
    "adamson": ("pc_means/adamson2016_upr.npz", "gene", "delta_pc"),
    "tian": ("pc_means/tian2021_crispri.npz", "gene", "delta_pc"),
}


@pytest.fixture(scope="module")
def real(shared_data, tmp_path_factory):
    """Real screens in coordinates, and real graphs."""
    folder, screens = shared_data / "perturb", {}
    for name, (path, name_key, delta_key) in SCREENS.items():
        settings = SimpleNamespace(
            name_key=name_key, delta_key=delta_key, control="control", exclude=["*"], transductive=True
        )
        screens[name] = read_coordinates(folder / path, settings)[0]
    genes = tmp_path_factory.mktemp("genes") / "genes.txt"
    perturbed = {gene for screen in screens.values() for gene in screen.obs_names}
    genes.write_text("\n".join(sorted(perturbed)))
    go = {"kind": "annotation", "gene_column": "symbol", "term_column": "go_id", "min_jaccard": 0.1, "top_k": 20}
    string = {"kind": "edges", "source_column": "a", "target_column": "b", "weight_column": "combined_score"}
    string |= {"min_weight": 0, "full_weight": 1000, "directed": False}
    go_edges, _ = build_graph("go", go, {"table": folder / "graphs/go_direct.csv.gz", "restriction": genes})
    string_edges, _ = build_graph("string", string, {"table": folder / "graphs/string_v12_links.csv.gz"})
    return screens, {"go": graph_from_edges(go_edges), "string": graph_from_edges(string_edges)}


@pytest.mark.parametrize(
    ("screen", "graph", "most"), [("k562", "go", 0.6), ("k562", "string", 0.71), ("adamson", "go", 0.9)]
)
def test_a_real_graph_predicts_unseen_knockdowns(real, screen, graph, most):
    """Oracle: figures of the data's own description, reached there with the constant tuned on the score."""
    screens, graphs = real
    assert relative_error(screens[screen], graphs[graph]) < most


@pytest.mark.parametrize("screen", ["k562", "adamson", "tian"])
def test_a_shuffled_graph_predicts_nothing(real, screen):
    screens, graphs = real
    assert relative_error(screens[screen], graphs["go"], shuffle=1) > 0.97


def test_a_screen_without_signal_is_not_predicted(real):
    screens, graphs = real
    assert relative_error(screens["tian"], graphs["go"]) > 0.97
