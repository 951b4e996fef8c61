"""Pages of genes of interest. Oracles: matrices written out, numpy's correlation, what must be read on a page."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scarceseq.errors import InputError
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.prediction.predict import predict_screen
from scarceseq.prediction.settings import PredictionSettings
from scarceseq.report.gene_pages import can_be_told, page_name, pages_head, write_pages
from test_prediction_predict import GENES, family_graph, screen

SUMMARY = {"predictor": "mean_kernel", "confidence": 0.95}
ACCURACY = pd.DataFrame(
    {
        "stratum": ["all", "near a measured gene (similarity 0.2 or more)", "far (below 0.2)", "unlike all measured"],
        "perturbations": [60, 40, 15, 5],
        "relative_error": [0.8, 0.6, 1.02, 1.0],
        "low": [0.7, 0.5, 0.97, np.nan],
        "high": [0.9, 0.7, 1.1, np.nan],
    }
)


def made_for(pages, signal=1.5, **changes):
    settings = PredictionSettings(graphs=["g"], pages=pages, **changes)
    return predict_screen(screen(signal), [family_graph()], (), settings, 3)


def test_neighbours_are_the_most_similar_measured_genes_and_agree_as_numpy_says():
    made, data = made_for(["G50", "G03"]), screen(1.5)
    features = mean_kernel_features([family_graph()], GENES, constant=0.0).toarray()
    kernel, delta = features @ features.T, data.X.astype(float)
    for gene in ("G50", "G03"):
        found = made.neighbours[made.neighbours["perturbation"] == gene]
        own = int(gene[1:])
        others = {GENES[place]: kernel[own, place] for place in range(40) if place != own and kernel[own, place] > 0}
        assert found["similarity"].tolist() == pytest.approx(sorted(others.values(), reverse=True)[:5], abs=1e-6)
        for row in found.itertuples():
            assert others[row.neighbour] == pytest.approx(row.similarity, abs=1e-6)
            assert int(row.neighbour[1:]) % 6 == own % 6  # of its family
            mean = delta.mean(axis=0)
            profile = made.profiles[gene].X.ravel() - mean
            expected = np.corrcoef(profile, data[row.neighbour].X.ravel() - mean)[0, 1]
            assert row.agreement == pytest.approx(expected, abs=1e-4)
    assert made.pages["perturbation"].tolist() == ["G50", "G03"]
    assert made.pages["measured"].tolist() == [False, True]


def test_without_names_the_unmeasured_genes_that_would_change_most_get_a_page():
    made = made_for([])
    free = made.profiles[~made.profiles.obs["measured"].to_numpy()]
    size = pd.Series(((free.X / free.layers["sd"]) ** 2).mean(axis=1), free.obs_names)
    assert made.pages["perturbation"].tolist() == size.sort_values(ascending=False, kind="stable").index[:10].tolist()


def test_a_gene_of_which_nothing_is_known_gets_no_page():
    with pytest.raises(InputError, match=r"pages names G5O, which the screen did not measure and no graph"):
        made_for(["G50", "G5O"])


@pytest.mark.parametrize(
    ("stratum", "told", "words"),
    [
        (1, True, "X can be told better than the mean effect: held-out perturbations that were near"),
        (2, False, "X: cannot be told better than the mean effect; held-out perturbations that were far (below 0.2)"),
        (3, True, "Of those as near as X there were too few to say."),
    ],
)
def test_a_gene_is_told_by_perturbations_that_were_as_near(stratum, told, words):
    row = {"perturbation": "X", "measured": False, "stratum": ACCURACY["stratum"][stratum]}
    found, text = can_be_told(row, ACCURACY, SUMMARY)
    assert found is told
    assert words in text
    mean = can_be_told(row, ACCURACY, SUMMARY | {"predictor": "training_mean"})
    assert mean == (False, "X: cannot be told better than the mean effect, which is what is shown here.")


def test_each_gene_has_a_page_and_its_tables(tmp_path):
    made = made_for(["G50", "G03"])
    tables = {name: getattr(made, name) for name in ("pages", "neighbours", "changed", "accuracy")}
    head = pages_head("run", 3, "mine", {"pages": ["G50", "G03"]}, made.summary)
    write_pages(tmp_path, "mine", tables, made.summary, head)
    ends = [".html", "_picture.svg", "_changed.tsv", "_neighbours.tsv"]
    assert {path.name for path in tmp_path.iterdir()} == {
        f"gene_{gene}{end}" for gene in ("G50", "G03") for end in ends
    }
    page = (tmp_path / "gene_G50.html").read_text()
    assert "G50, if it were perturbed" in page
    assert "G03 was measured in this screen" in (tmp_path / "gene_G03.html").read_text()
    changed = pd.read_csv(tmp_path / "gene_G50_changed.tsv", sep="\t")
    profile = made.profiles["G50"].to_df().iloc[0]
    np.testing.assert_allclose(changed["change"], profile[changed["gene"]], rtol=1e-5)
    np.testing.assert_allclose(changed["mean_effect"], screen(1.5).to_df().mean()[changed["gene"]], rtol=1e-5)
    assert page.count("95% ranges") == 1
    for other in made.neighbours.query("perturbation == 'G50'")["neighbour"]:
        assert other in page


def test_names_that_no_file_can_have_are_changed_and_never_two_to_one(tmp_path):
    assert page_name("../x y") == "gene_.._x_y"
    tables = {"pages": pd.DataFrame({"perturbation": ["a/b", "a b"]})}
    with pytest.raises(InputError, match="two genes would have the page gene_a_b"):
        write_pages(tmp_path, "mine", tables, SUMMARY, None)


def test_a_screen_of_coordinates_has_pages_without_genes(tmp_path):
    data = screen(1.5)
    data = anndata.AnnData(data.X, obs=data.obs, var=data.var, uns={"kind": "coordinates"})
    settings = PredictionSettings(graphs=["g"], pages=["G50"])
    made = predict_screen(data, [family_graph()], (), settings, 3)
    tables = {name: getattr(made, name) for name in ("pages", "neighbours", "changed", "accuracy")}
    write_pages(tmp_path, "mine", tables, made.summary, pages_head("run", 3, "mine", {}, made.summary))
    assert {path.name for path in tmp_path.iterdir()} == {"gene_G50.html", "gene_G50_neighbours.tsv"}
