"""Escaped cells. Oracle: generated cells of which it is known whether they respond."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.screen.cell_normalisation import normalise_cells
from scarceseq.screen.escape import drop_escaped, escaped_cells, moments, near_control
from scipy import sparse
from scipy.stats import norm
from small_screen import settings

CELLS, CONTROL, GENES, RESPOND = 120, 400, 200, 30


def make_cells(seed, share, strength=1.5):
    """Log-normalised cells of a perturbation of which a share is as control cells are, and control cells."""
    generator = np.random.default_rng(seed)
    rest = generator.uniform(0.5, 3, GENES)
    effect = np.zeros(GENES)
    effect[generator.choice(GENES, RESPOND, replace=False)] = strength * generator.choice([-1, 1], RESPOND)
    escaped = generator.random(CELLS) < share
    values = rest + np.where(escaped[:, None], 0.0, effect) + 0.7 * generator.normal(size=(CELLS, GENES))
    control = rest + 0.7 * generator.normal(size=(CONTROL, GENES))
    return sparse.csr_matrix(values), sparse.csr_matrix(control), escaped


@pytest.mark.parametrize(
    ("share", "strength", "least", "most"), [(0.1, 1.5, 0.99, 0.01), (0.5, 1.5, 0.99, 0.01), (0.3, 0.5, 0.85, 0.06)]
)
def test_generated_escapers_are_told_from_cells_that_respond(share, strength, least, most):
    hit = wrong = truly = responding = 0
    for seed in range(6):
        cells, control, escaped = make_cells(seed, share, strength)
        found = escaped_cells(cells, control)
        hit, wrong = hit + (found & escaped).sum(), wrong + (found & ~escaped).sum()
        truly, responding = truly + escaped.sum(), responding + (~escaped).sum()
    print(f"share {share}, strength {strength}: sensitivity {hit / truly:.3f}, false removal {wrong / responding:.4f}")
    assert hit / truly > least
    assert wrong / responding < most


@pytest.mark.parametrize("strength", [0.0, 0.15])
def test_weak_perturbations_lose_no_cell(strength):
    for seed in range(4):
        cells, control, _ = make_cells(seed, 0.3, strength)
        found = escaped_cells(cells, control)
        assert found is None or not found.any()


def test_where_all_cells_respond_hardly_one_is_left_out():
    removed = [escaped_cells(*make_cells(seed, 0.0)[:2]).sum() for seed in range(6)]
    print(f"false removal {sum(removed) / (6 * CELLS):.4f}")
    assert sum(removed) <= 0.01 * 6 * CELLS


def test_the_border_lies_where_two_known_normal_laws_are_as_likely():
    """Oracle: Bayes' rule with the true laws."""
    generator = np.random.default_rng(1)
    control = generator.normal(0, 1, 4000)
    scores = np.concatenate([generator.normal(0, 1, 2000), generator.normal(5, 1.5, 2000)])
    # control and escaped cells together: 6,000 of one law, 2,000 of the other
    rest = 6000 * norm.pdf(scores, 0, 1) > 2000 * norm.pdf(scores, 5, 1.5)
    assert (near_control(scores, control) == rest).mean() > 0.99


def test_moments_are_those_of_numpy():
    values = np.random.default_rng(2).poisson(0.7, size=(30, 8)).astype(float)
    mean, variance = moments(sparse.csr_matrix(values))
    np.testing.assert_allclose(mean, values.mean(axis=0))
    np.testing.assert_allclose(variance, values.var(axis=0, ddof=1), atol=1e-12)


def test_a_file_is_written_anew_without_them(tmp_path):
    generator = np.random.default_rng(7)
    labels = ["NT"] * 150 + ["G1"] * 60 + ["G2"] * 60 + ["G3"] * 60
    rate = np.tile(generator.uniform(4, 20, 80), (len(labels), 1))
    truth = np.array([label == "G1" for label in labels]) & (np.arange(len(labels)) % 3 == 0)
    for row, label in enumerate(labels):
        if label in ("G1", "G2") and not truth[row]:
            rate[row, 10:30] *= 4
    data = anndata.AnnData(sparse.csr_matrix(generator.poisson(rate).astype(np.float32)))
    data.var_names = [f"G{gene}" for gene in range(80)]
    data.obs["target"] = pd.Categorical(labels)
    data.obs_names = [f"{'lost' if lost else 'kept'}_{row}" for row, lost in enumerate(truth)]
    data.write_h5ad(tmp_path / "screen.h5ad")
    normalise_cells(tmp_path / "screen.h5ad", tmp_path / "cells.h5ad", settings(), {})
    before = anndata.read_h5ad(tmp_path / "cells.h5ad")
    counts = drop_escaped(tmp_path / "cells.h5ad")
    after = anndata.read_h5ad(tmp_path / "cells.h5ad")
    assert counts["escaped_cells"].keys() == {"G1"}
    assert counts["cells_escaped"] == len(before) - len(after) == truth.sum()
    assert not after.obs_names.str.startswith("lost").any()
    assert counts["perturbations_not_judged"] == 1  # G3 does nothing
    pd.testing.assert_frame_equal(after.to_df(), before[after.obs_names].to_df())
    pd.testing.assert_frame_equal(after.obs.astype(str), before[after.obs_names].obs.astype(str))
    assert not list(tmp_path.glob("*.kept"))
