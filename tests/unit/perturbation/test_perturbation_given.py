"""Predictions made elsewhere score as the predictor that made them. Oracle: `evaluate` of that predictor."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.network.graph import graph_from_edges
from scarceseq.perturbation.evaluate import evaluate, members
from scarceseq.perturbation.given import score_given
from scarceseq.perturbation.prior import Prior
from scarceseq.screen.splits import split_perturbations

NAMES = [f"G{place:02d}" for place in range(24)]
GENES = [f"C{place}" for place in range(12)]
IDENTITY = {"screen": "s", "predictor": "theirs", "source": "given"}


@pytest.fixture
def screen():
    generator = np.random.default_rng(4)
    data = anndata.AnnData(generator.normal(size=(24, 12)).astype(np.float32))
    data.obs_names, data.var_names = NAMES, GENES
    data.obs["reliability"] = data.obs["reliability_centred"] = 0.6
    data.obs["half_squared_error"] = 1.2
    data.var["control_mean"] = generator.uniform(1, 3, 12)
    data.uns = {"kind": "cells", "transductive": False}
    top = pd.DataFrame({"perturbation": NAMES, "gene": [GENES[place % 12] for place in range(24)], "rank": 1})
    return {"profiles": data, "differential": top, "splits": split_perturbations(NAMES, 3, 0.25, 1)}


@pytest.fixture
def graph():
    pairs = [(NAMES[place], NAMES[(place + step) % 24], 0.5) for place in range(24) for step in (1, 2)]
    return graph_from_edges(pd.DataFrame(pairs, columns=["source", "target", "weight"]))


def predictions(screen, graph):
    """Rows that graph_ridge predicts, and what `evaluate` says of them."""
    prior = Prior(np.array(NAMES), np.array(GENES), graph)
    entry = registry.load("perturbation.predictors", "graph_ridge")
    features, delta = entry.prepare(prior), np.asarray(screen["profiles"].X, float)
    tables = []
    for split, table in screen["splits"].groupby("split"):
        pool, test = (members(table, role, np.array(NAMES)) for role in ("pool", "test"))
        rows = pd.DataFrame(entry.predict(entry.fit(delta[pool], pool, features), test), columns=GENES)
        tables.append(rows.assign(split=split, perturbation=np.array(NAMES)[test]))
    identity = {"screen": "s", "predictor": "graph_ridge", "source": "g"}
    return pd.concat(tables, ignore_index=True), evaluate(identity, screen, prior)[0]


def write(rows, path):
    if path.suffix == ".h5ad":
        data = anndata.AnnData(rows[GENES].to_numpy(float))
        data.obs = rows[["split", "perturbation"]].astype({"perturbation": object}).set_index(data.obs_names)
        data.var_names = GENES
        data.write_h5ad(path)
    elif path.suffix == ".parquet":
        rows.to_parquet(path)
    else:
        rows.to_csv(path, sep="\t", index=False)
    return path


@pytest.mark.parametrize("name", ["theirs.tsv", "theirs.parquet", "theirs.h5ad"])
@pytest.mark.parametrize("values", ["delta", "expression"])
def test_given_predictions_score_as_the_predictor_that_made_them(screen, graph, tmp_path, name, values):
    rows, expected = predictions(screen, graph)
    if values == "expression":
        rows[GENES] += screen["profiles"].var["control_mean"].to_numpy()
    extra = rows.sample(frac=1, random_state=1)[["perturbation", *GENES[::-1], "split"]]
    table, errors = score_given(IDENTITY, screen, write(extra, tmp_path / name), values)
    assert len(errors) == 18
    assert (table["predictor"] == "theirs").all()
    keys = ["split", "metric"]
    both = table.merge(expected, on=keys, suffixes=("", "_expected"))
    assert len(both) == len(table) == len(expected)
    np.testing.assert_allclose(both["value"], both["value_expected"], rtol=1e-6)


def test_what_is_missing_twice_or_no_number_is_named(screen, graph, tmp_path):
    rows, _ = predictions(screen, graph)
    cases = [
        (rows.iloc[1:], r"split 0 has no prediction of G\d\d \(1 of 6"),
        (pd.concat([rows, rows.head(1)]), r"split 0 has G\d\d twice"),
        (rows.drop(columns="C3"), "1 of the screen's 12 genes are not predicted, such as C3"),
        (rows.assign(C3=np.nan), "no finite number for gene C3"),
        (rows.assign(split=rows["split"] + 0.5), "no whole number"),
    ]
    for place, (table, message) in enumerate(cases):
        with pytest.raises(InputError, match=message):
            score_given(IDENTITY, screen, write(table, tmp_path / f"{place}.parquet"), "delta")
    (tmp_path / "broken.h5ad").write_bytes(b"no file")
    with pytest.raises(InputError, match="cannot be read as"):
        score_given(IDENTITY, screen, tmp_path / "broken.h5ad", "delta")


def test_the_measured_profile_is_no_prediction(screen, graph, tmp_path):
    rows, _ = predictions(screen, graph)
    measured = screen["profiles"].to_df().loc[rows["perturbation"].iloc[0], GENES].to_numpy(float)
    rows.loc[0, GENES] = measured
    with pytest.raises(InputError, match="is the measured profile itself"):
        score_given(IDENTITY, screen, write(rows, tmp_path / "copied.parquet"), "delta")
