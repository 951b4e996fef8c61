"""The small world resembles real data. Oracle: the same figures computed on real studies and screens.

Ranges are committed, chosen before any method was compared on the small world. Where the real data are present they
must lie in the ranges as well, so that a range cannot drift away from what it stands for.
"""

import anndata
import numpy as np
import pandas as pd
import pytest
import realism
from scarceseq.files import read_table

# figure -> (lowest, highest) over real data and small world
RANGES = {
    "zero_share": (0.12, 0.50),
    "median_dispersion": (0.005, 0.16),
    "variance_share_of_study": (0.50, 0.90),
    "accuracy_distinct_groups": (0.75, 1.00),
    "accuracy_subtle_groups": (0.25, 0.90),
    "graph_error_profiles": (0.50, 0.90),
    "graph_error_coordinates": (0.45, 0.90),
}


def assert_in_range(figure, value):
    low, high = RANGES[figure]
    assert low <= value <= high, f"{figure} = {value:.3f} outside {low}-{high}"


def plain_gene_ids(table):
    return table.set_axis(table.index.str.split(".").str[0]).groupby(level=0).first()


class RealBulk:
    """Real studies: read counts (genes x samples) and their labels."""

    def __init__(self, folder, mirror_of):
        self.folder = folder / "bulk"
        mirror = mirror_of(self.folder / "recount3_real/mouse_SRP081192_reconstructed_mirror/recount3")
        annotation = mirror.annotation()
        coding = annotation[annotation["gene_type"] == "protein_coding"]
        self.ids = set(coding["gene_id"].str.split(".").str[0])
        self.names = set(coding["gene_name"])

    def counts(self, path):
        table = pd.read_csv(self.folder / path, sep="\t", index_col=0)
        if str(table.index[0]).startswith("ENSMUSG"):
            table = plain_gene_ids(table)
            return table[table.index.isin(self.ids)]
        coding = table[table.index.isin(self.names)]
        return coding if len(coding) > 1000 else table

    def labels(self, path, counts, index="sample"):
        return pd.read_csv(self.folder / path, sep="\t").set_index(index).loc[counts.columns]

    def cochlea(self):
        return self.counts("recount3_real/mouse_SRP081192_expected/compute_read_counts.from_upstream_R.tsv.gz")


@pytest.fixture(scope="module")
def real(shared_data, mirror_of):
    return RealBulk(shared_data, mirror_of)


@pytest.fixture(scope="module")
def generated(full, mirror_of):
    """Fit samples of the small world: counts (samples, coding genes), log expression, study, tissue, treatment."""
    mirror = mirror_of(full / "archive")
    coding = (mirror.annotation()["gene_type"] == "protein_coding").to_numpy()
    blocks, labels = [], []
    for study in mirror.studies():
        sums = mirror.sums(study)
        quality = mirror.metadata(study, "recount_qc").set_index("external_id").loc[sums.columns]
        table = mirror.metadata(study, "sra").set_index("external_id").loc[sums.columns]
        fit = (quality["star.all_mapped_reads"].astype(float) > 1e6) & (table["library_source"] == "TRANSCRIPTOMIC")
        fit &= ~table["experiment_acc"].duplicated() & table["sample_attributes"].notna()
        length = quality["star.average_mapped_length"].astype(float)
        blocks.append(np.rint(sums.loc[:, fit] / length[fit]).to_numpy()[coding].T)
        pairs = table.loc[fit, "sample_attributes"].str.split("|")
        keys = pd.DataFrame([dict(pair.split(";;", 1) for pair in row) for row in pairs])
        labels.append(keys.reindex(columns=["tissue", "treatment"]).assign(study=study))
    counts = np.vstack(blocks)
    return counts, realism.log_expression(counts), pd.concat(labels, ignore_index=True)


def rows_by_study(labels, column, at_least=8):
    for study in labels["study"].unique():
        rows = np.flatnonzero((labels["study"] == study) & labels[column].notna())
        if len(rows) >= at_least and labels[column].iloc[rows].nunique() > 1:
            yield rows


def test_zero_share_of_the_small_world_is_in_range(generated):
    assert_in_range("zero_share", realism.zero_share(generated[0]))


def test_zero_share_of_real_studies_is_in_range(real):
    for path in (
        "recount3_real/mouse_SRP081192_expected/compute_read_counts.from_upstream_R.tsv.gz",
        "mouse/GSE96870_cerebellum_influenza/counts.tsv.gz",
        "mouse/ucdavis_KOMIR150_KOTet3/counts.tsv.gz",
        "mouse/weger18_liver_circadian/counts.tsv.gz",
    ):
        assert_in_range("zero_share", realism.zero_share(real.counts(path)))


def test_dispersion_of_the_small_world_is_in_range(generated):
    counts, _, labels = generated
    groups = labels["study"] + labels["tissue"] + labels["treatment"].fillna("")
    assert_in_range("median_dispersion", realism.median_dispersion(counts, groups))


def test_dispersion_of_real_replicates_is_in_range(real):
    mouse = real.counts("mouse/GSE96870_cerebellum_influenza/counts.tsv.gz")
    labels = real.labels("mouse/GSE96870_cerebellum_influenza/samples.tsv", mouse)
    assert_in_range("median_dispersion", realism.median_dispersion(mouse.T, labels["sex"] + labels["time"]))
    human = real.counts("human/EMTAB2319_immune_63/expr.tsv.gz")
    labels = real.labels("human/EMTAB2319_immune_63/samples.tsv", human, "SampleID")
    assert_in_range("median_dispersion", realism.median_dispersion(human.T, labels["cell.type"]))


def test_share_of_variance_by_study_of_the_small_world_is_in_range(generated):
    """Three studies of one tissue each, all different, as in the real comparison; mean of twenty draws."""
    _, expression, labels = generated
    generator = np.random.default_rng(0)
    shares = []
    for _ in range(20):
        chosen, used = [], set()
        for study in generator.permutation(labels["study"].unique()):
            sizes = labels.loc[labels["study"] == study, "tissue"].value_counts()
            free = [tissue for tissue in sizes.index[sizes >= 3] if tissue not in used]
            if free and len(used) < 3:
                used.add(free[0])
                chosen.append(np.flatnonzero((labels["study"] == study) & (labels["tissue"] == free[0])))
        rows = np.concatenate(chosen)
        shares.append(realism.variance_share(expression[rows], labels["study"].iloc[rows]))
    assert_in_range("variance_share_of_study", np.mean(shares))


def test_share_of_variance_by_study_of_three_real_studies_is_in_range(real):
    tables = [
        real.cochlea(),
        real.counts("mouse/ucdavis_KOMIR150_KOTet3/counts.tsv.gz"),
        real.counts("mouse/weger18_liver_circadian/counts.tsv.gz"),
    ]
    shared = tables[0].index.intersection(tables[1].index).intersection(tables[2].index)
    tables = [table[~table.index.duplicated()] for table in tables]
    expression = np.vstack([realism.log_expression(table.loc[shared.unique()].T) for table in tables])
    study = np.repeat([0, 1, 2], [table.shape[1] for table in tables])
    assert_in_range("variance_share_of_study", realism.variance_share(expression, study))


def test_nearest_centroid_accuracy_of_the_small_world_is_in_range(generated):
    _, expression, labels = generated
    mean = {
        column: np.mean(
            [
                realism.nearest_centroid_accuracy(expression[rows], labels[column].iloc[rows])
                for rows in rows_by_study(labels, column)
            ]
        )
        for column in ("tissue", "treatment")
    }
    assert_in_range("accuracy_distinct_groups", mean["tissue"])
    assert_in_range("accuracy_subtle_groups", mean["treatment"])


def test_nearest_centroid_accuracy_of_real_studies_is_in_range(real):
    human = real.counts("human/EMTAB2319_immune_63/expr.tsv.gz")
    labels = real.labels("human/EMTAB2319_immune_63/samples.tsv", human, "SampleID")
    accuracy = realism.nearest_centroid_accuracy(realism.log_expression(human.T), labels["cell.type"])
    assert_in_range("accuracy_distinct_groups", accuracy)
    mouse = real.counts("mouse/ucdavis_KOMIR150_KOTet3/counts.tsv.gz")
    labels = real.labels("mouse/ucdavis_KOMIR150_KOTet3/samples.tsv", mouse)
    expression = realism.log_expression(mouse.T)
    assert_in_range("accuracy_distinct_groups", realism.nearest_centroid_accuracy(expression, labels["cell_group"]))
    assert_in_range("accuracy_subtle_groups", realism.nearest_centroid_accuracy(expression, labels["genotype"]))
    mouse = real.counts("mouse/GSE96870_cerebellum_influenza/counts.tsv.gz")
    labels = real.labels("mouse/GSE96870_cerebellum_influenza/samples.tsv", mouse)
    expression = realism.log_expression(mouse.T)
    assert_in_range("accuracy_subtle_groups", realism.nearest_centroid_accuracy(expression, labels["infection"]))


def test_graph_error_of_the_generated_screen_is_in_range(full):
    screen = anndata.read_h5ad(full / "screen.h5ad")
    annotation = read_table(full / "annotation.tsv.gz")
    names, deltas = realism.pseudobulk_deltas(screen.X, screen.obs["perturbation"])
    rows = screen.var_names.get_indexer(names)
    kernel = realism.neighbourhood_cosine(realism.jaccard_graph(list(screen.var_names), annotation))
    kernel = kernel[np.ix_(rows, rows)]
    left, values, _ = np.linalg.svd(deltas - deltas.mean(axis=0), full_matrices=False)
    assert_in_range("graph_error_profiles", realism.graph_ridge_error(deltas, kernel))
    assert_in_range("graph_error_coordinates", realism.graph_ridge_error((left * values)[:, :50], kernel))
    order = np.random.default_rng(0).permutation(len(names))
    assert realism.graph_ridge_error(deltas, kernel[np.ix_(order, order)]) > 0.95  # a graph of shuffled names


def test_graph_error_of_real_screens_is_in_range(shared_data):
    folder = shared_data / "perturb"
    annotation = pd.read_csv(folder / "graphs/go_direct.csv.gz").rename(columns={"symbol": "gene", "go_id": "term"})
    adamson = np.load(folder / "pc_means/adamson2016_upr.npz")
    kept = ~adamson["is_control"] & (adamson["gene"] != "*")
    profiles = pd.DataFrame(adamson["delta_pc"][kept]).groupby(adamson["gene"][kept]).mean()
    replogle = np.load(folder / "replogle/replogle_k562_pc9_delta.npz")
    for genes, deltas in ((profiles.index, profiles), (replogle["perturbation"], replogle["delta"])):
        kernel = realism.neighbourhood_cosine(realism.jaccard_graph(list(genes), annotation))
        assert_in_range("graph_error_coordinates", realism.graph_ridge_error(deltas, kernel, repeats=1))


def test_dispersion_and_variance_share_are_recovered_from_drawn_data():
    """Oracle: the parameters the data are drawn with."""
    generator = np.random.default_rng(0)
    counts = generator.poisson(1000 * generator.gamma(1 / 0.1, 0.1, size=(400, 200)))
    assert realism.median_dispersion(counts, np.zeros(400)) == pytest.approx(0.1, rel=0.1)
    study = np.repeat(np.arange(40), 10)
    values = generator.normal(size=(40, 200))[study] + generator.normal(size=(400, 200))
    assert realism.variance_share(values, study) == pytest.approx(0.5, abs=0.03)
    assert realism.variance_share(generator.normal(size=(400, 200)), study) == pytest.approx(0, abs=0.02)


def test_leave_one_out_centroids_do_not_see_the_sample_left_out():
    """By hand: with its own value in the centroid the third sample would be right, without it is wrong."""
    values = np.array([[0.0], [4.0], [5.5], [12.0]])
    assert realism.nearest_centroid_accuracy(values, ["a", "a", "b", "b"]) == 0.75


def test_graph_error_equals_plain_kernel_ridge():
    """Oracle: scikit-learn's kernel ridge on the same folds, every ridge constant."""
    from sklearn.kernel_ridge import KernelRidge

    generator = np.random.default_rng(3)
    features = generator.normal(size=(30, 4))
    deltas, kernel = features @ generator.normal(size=(4, 6)) + generator.normal(size=(30, 6)), features @ features.T
    folds = np.array_split(np.random.default_rng(0).permutation(30), 5)
    errors, floor = [], 0
    for constant in realism.RIDGE_CONSTANTS:
        error, floor = 0, 0
        for test in folds:
            train = np.setdiff1d(np.arange(30), test)
            mean = deltas[train].mean(axis=0)
            model = KernelRidge(alpha=constant, kernel="precomputed")
            model.fit(kernel[np.ix_(train, train)], deltas[train] - mean)
            error += ((deltas[test] - mean - model.predict(kernel[np.ix_(test, train)])) ** 2).sum()
            floor += ((deltas[test] - mean) ** 2).sum()
        errors.append(error)
    ours = realism.graph_ridge_error(deltas, kernel, folds=5, repeats=1)
    assert ours == pytest.approx(min(errors) / floor, rel=1e-9)
