"""Fitting a cell: tuning on validation episodes only, determinism, and input that is refused."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from every_method import NAMES
from scarceseq.config import method_names
from scarceseq.config.candidates import LEARNING_RATES
from scarceseq.errors import InputError
from scarceseq.fewshot.cell import _choose, fit_cell
from scarceseq.fewshot.classifiers import random_forest
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.corpus import Corpus
from scarceseq.fewshot.episodes import plan_cell
from scarceseq.fewshot.method import Candidate
from scarceseq.fewshot.metrics import balanced_accuracy, log_loss
from scarceseq.fewshot.settings import Cell
from small_world import make_world, settings_of_episodes

CANDIDATES = {
    "learning_rate": [0.01, 0.1],
    "adaptive_learning_rate": [0.001, 0.01],
    "inverse_penalty": [0.1, 10.0],
    "centroid_threshold": [0.0, 0.5],
    "feature_transform": ["centred_unit_length", "unit_length"],
    "neighbours": [1, 3],
    "elastic_net_inverse_penalty": [1.0, 10.0],
    "svm_inverse_penalty": [1.0, 0.1],
    "variance_shrinkage": [0.5, 1.0],
    "ridge_penalty": [1.0, 0.1],
    "top_genes": [30, 10],
    "forest_feature_share": [0.2, 0.5],
    "average_weight": [0.5, 0.0],
}


@pytest.fixture(scope="module")
def plan():
    """Episodes of the small world."""
    world = make_world()
    tables = world.samples, world.attributes, world.splits
    return plan_cell(*tables, settings_of_episodes(), Cell("tissue", 3, 3), seed=1)[0]


@pytest.fixture
def run(world, guide, fitting, plan, make_corpus, monkeypatch):
    """Function from a method's name to the predictions of one cell; keywords replace what is given by default."""
    monkeypatch.setattr(random_forest, "TREES", 5)
    episodes = plan.copy()

    def both(*names, **changed):
        usual = dict(episodes=episodes, corpus=None, splits=world.splits, base=world.base, settings=fitting, seed=1)
        given = usual | changed
        given["corpus"] = given["corpus"] or make_corpus(world)
        guided, candidates = given.pop("guide", guide), given.pop("candidates", None)
        methods = {}
        for name in names:
            key = method_names.candidates_key(name)
            steps = 15 if key in LEARNING_RATES else 0
            tried = [
                value if isinstance(value, Candidate) else Candidate(value, steps)
                for value in candidates or CANDIDATES[key]
            ]
            methods[name] = compose(name), guided if method_names.learned(name) else None, tried
        return fit_cell(methods=methods, **given)

    def fitted(name, **changed):
        return both(name, **changed)[0].drop(columns="method")

    fitted.episodes, fitted.both = episodes, both
    return fitted


def accuracy(table):
    test = table[table["role"] == "test"]
    return (test["label"] == test["predicted"]).mean()


@pytest.mark.parametrize("name", NAMES)
def test_every_method_predicts_every_query_sample_once_with_probabilities(run, name):
    table = run(name)
    test = table[table["role"] == "test"]
    asked = run.episodes[(run.episodes["role"] == "test") & (run.episodes["part"] == "query")]
    assert sorted(zip(test["episode"], test["sample"], strict=True)) == sorted(
        zip(asked["episode"], asked["sample"], strict=True)
    )
    probabilities = test[["p_0", "p_1", "p_2"]].to_numpy()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    names = np.array(["brain", "liver", "muscle"])
    assert (names[probabilities.argmax(1)] == test["predicted"]).all()
    truth = [row[f"p_{list(names).index(row['label'])}"] for row in test.to_dict("records")]
    np.testing.assert_array_equal(test["probability"], truth)
    assert set(table["seed"]) == {11}
    assert test["candidate"].nunique() == 1
    assert table.loc[table["role"] == "validation", "candidate"].nunique() == 2


@pytest.mark.parametrize("name", ["full_fine_tuning", "guided@per_tensor", "logistic@pca", "nearest_centroid@genes"])
def test_methods_learn_something_where_there_is_something_to_learn(run, name):
    assert accuracy(run(name)) > 0.5  # chance is 1/3


@pytest.mark.parametrize("name", ["scratch", "permuted@per_tensor", "logistic@pca"])
def test_same_input_gives_same_table(run, name):
    pd.testing.assert_frame_equal(run(name), run(name))


def test_guide_of_ones_predicts_as_full_fine_tuning(run, guide):
    ones = {name: torch.ones_like(value) for name, value in guide.items()}
    pd.testing.assert_frame_equal(run("guided@per_tensor", guide=ones), run("full_fine_tuning"))


def test_guide_of_zeros_predicts_as_linear_probe(run, guide):
    zeros = {name: torch.zeros_like(value) for name, value in guide.items()}
    one, two = run("guided@global", guide=zeros), run("linear_probe")
    pd.testing.assert_frame_equal(one, two, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["full_fine_tuning", "guided@per_tensor", "logistic@pca", "nearest_centroid@genes"])
def test_permuting_the_values_of_test_studies_changes_no_tuning_choice(run, world, name):
    before = run(name)
    test = world.samples["study"].isin(world.splits.loc[world.splits["role"] == "test", "study"]).to_numpy()
    mixed = world.expression.copy()
    mixed[test] = np.random.default_rng(0).permuted(mixed[test], axis=1)
    after = run(name, corpus=Corpus(mixed, world.samples, world.gene_ids, world.base))
    parts = [table[table["role"] == "validation"] for table in (before, after)]
    pd.testing.assert_frame_equal(*parts)
    chosen = [table.loc[table["role"] == "test", "candidate"].unique().tolist() for table in (before, after)]
    assert chosen[0] == chosen[1]
    assert accuracy(before) != accuracy(after)


def test_rows_stored_in_half_precision_are_not_computed_with_in_it(world):
    stored, names = world.expression.astype(np.float16), world.samples["sample"].tolist()
    corpus = Corpus(stored, world.samples, world.gene_ids, world.base)
    made = corpus.standardised(names)
    assert made.dtype == np.float32
    mean, scale = (values.double().numpy() for values in (world.base.mean, world.base.scale))
    np.testing.assert_allclose(made, (stored.astype(np.float64) - mean) / scale, atol=1e-5)


def test_candidate_best_on_validation_episodes_is_used_and_the_first_of_equals(run):
    table = run("nearest_centroid@genes", candidates=[50.0, 0.0])
    assert set(table.loc[table["role"] == "test", "candidate"]) == {"0.0"}  # 50 leaves no gene: chance
    table = run("nearest_centroid@genes", candidates=[60.0, 50.0])
    assert set(table.loc[table["role"] == "test", "candidate"]) == {"60.0"}


def test_a_candidate_that_diverges_is_never_chosen_for_being_chance(run):
    """Honest predictions below chance, against a candidate that gives none: guessing would win."""
    wrong, chance = [0.1, 0.9], [np.nan, np.nan]

    def frames(rows):
        return [
            pd.DataFrame({"label": ["a", "b"], "predicted": ["b", "a"] if row == wrong else ["a", "a"]}).assign(
                diverged=row == chance
            )
            for row in rows
        ]

    tried = [frames([chance, chance]), frames([chance, wrong]), frames([wrong, wrong])]
    candidates = [Candidate(value, 30) for value in (0.1, 0.01, 0.001)]
    assert _choose("x", candidates, tried) == candidates[2]
    assert _choose("x", candidates[:2], tried[:2]) == candidates[1], "if all diverge, the one that does least"


def test_without_validation_episodes_the_first_candidate_is_used(run):
    only = run.episodes[run.episodes["role"] == "test"]
    table = run("nearest_centroid@genes", episodes=only, candidates=[50.0, 0.0])
    assert set(table["role"]) == {"test"}
    assert set(table["candidate"]) == {"50.0"}


def test_empty_cell_gives_empty_table(run):
    table = run("guided@global", episodes=run.episodes[:0])
    assert len(table) == 0
    assert {"role", "episode", "sample", "label", "predicted", "probability", "candidate", "steps"} <= set(
        table.columns
    )


def test_genes_of_the_model_that_the_corpus_lacks_are_refused_and_order_does_not_matter(run, world):
    usual = run("nearest_centroid@genes")
    turned = Corpus(world.expression[:, ::-1], world.samples, world.gene_ids[::-1], world.base)
    pd.testing.assert_frame_equal(run("nearest_centroid@genes", corpus=turned), usual)
    with pytest.raises(InputError, match=r"2 of the base model's 40 genes are not in the corpus \(first: G38, G39"):
        Corpus(world.expression[:, :38], world.samples, world.gene_ids[:38], world.base)
    with pytest.raises(InputError, match=r"training\.npy has shape"):
        Corpus(world.expression[:, :38], world.samples, world.gene_ids, world.base)


@pytest.mark.parametrize("name", NAMES)
def test_genes_that_never_vary_are_no_obstacle(run, world, name):
    world.expression[:, 5] = 3.0
    world.base.mean[5], world.base.scale[5] = 3.0, 0.1  # the floor
    table = run(name)
    assert np.isfinite(table["probability"]).all()
    assert not table["diverged"].any()


def test_a_base_without_a_floor_for_genes_that_never_vary_is_refused(world, make_corpus):
    world.base.scale[5] = 0.0
    with pytest.raises(InputError, match="gene G5 has the scale 0"):
        make_corpus(world)


def test_values_that_are_not_numbers_are_refused(run, world):
    query = run.episodes["sample"].iloc[-1]
    world.expression[world.samples["sample"].tolist().index(query), 3] = np.nan
    with pytest.raises(InputError, match=rf"training\.npy: sample {query}, gene G3: nan is no finite number"):
        run("nearest_centroid@genes")


@pytest.mark.parametrize("centring", ["none", "study"])  # which moves a copy in another study
def test_sample_with_the_content_of_a_support_sample_is_refused_in_the_query(run, world, centring):
    first = run.episodes[(run.episodes["role"] == "test") & (run.episodes["episode"] == 0)]
    names = world.samples["sample"].tolist()
    support, query = (first.loc[first["part"] == part, "sample"].iloc[0] for part in ("support", "query"))
    world.expression[names.index(query)] = world.expression[names.index(support)]
    with pytest.raises(InputError, match="have the same expression"):
        run(
            "nearest_centroid@genes",
            corpus=Corpus(world.expression, world.samples, world.gene_ids, world.base, centring),
        )


def test_studies_of_the_base_models_training_are_refused_as_episodes(run, world):
    world.splits.loc[world.splits["role"] == "test", "role"] = "scout"
    with pytest.raises(InputError, match="belongs to the pretrain or scout studies"):
        run("nearest_centroid@genes")
    world.base.information["training_studies"] = ["S09"]
    world.splits.loc[world.splits["role"] == "scout", "role"] = "test"
    with pytest.raises(InputError, match="study S09 of an episode"):
        run("nearest_centroid@genes")


def test_a_fit_that_diverges_scores_chance_and_is_not_chosen(run):
    table = run("full_fine_tuning", candidates=[1e30, 0.01])
    assert table["diverged"].tolist() == (table["candidate"] == "1e+30").tolist()
    wild = table[table["diverged"]]
    assert (wild["probability"] == 1 / 3).all()
    assert balanced_accuracy(wild["label"], wild["predicted"]) == pytest.approx(1 / 3)
    assert set(table.loc[table["role"] == "test", "candidate"]) == {"0.01"}


def test_methods_that_share_a_job_predict_as_they_do_alone(run):
    names = ["guided@per_tensor", "logistic@pca", "knn@pca", "linear_probe"]
    table, _ = run.both(*names)
    for name in names:
        own = table[table["method"] == name].drop(columns="method").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, run(name))


@pytest.mark.parametrize("name", [n for n in NAMES if not method_names.sees_network(n)])
def test_methods_that_say_so_never_see_the_network(run, world, name):
    before = run(name)
    with torch.no_grad():
        for weights in world.base.network.parameters():
            weights.normal_()
    pd.testing.assert_frame_equal(run(name), before)


@pytest.mark.parametrize(
    "name", ["guided@per_tensor", "linear_probe_then_fine_tuning", "child_tuning_f", "guided_adamw@per_tensor"]
)
def test_curve_passes_through_the_fits_of_as_many_steps(run, fitting, name):
    along = dataclasses.replace(fitting, curve_steps=[1, 15, 40], curve_episodes=2)
    table, curve = run.both(name, settings=along)
    assert curve[["episode", "steps"]].to_numpy().tolist() == [[e, s] for e in (0, 1) for s in (1, 15, 40)]
    for episode, part in table[table["role"] == "test"].groupby("episode"):
        here = curve[(curve["episode"] == episode) & (curve["steps"] == 15)]
        for row in here.to_dict("records"):
            assert row["balanced_accuracy"] == balanced_accuracy(part["label"], part["predicted"])
            assert row["log_loss"] == pytest.approx(log_loss(part["probability"]), rel=1e-5)
    assert curve["log_loss"].nunique() > 4


def test_estimators_have_no_curve(run, fitting):
    _, curve = run.both(
        "nearest_centroid@genes", settings=dataclasses.replace(fitting, curve_steps=[1], curve_episodes=2)
    )
    assert curve.empty


def test_a_validation_episode_is_fitted_by_every_learning_rate_and_number_of_steps(run):
    tried = [Candidate(rate, steps) for rate in (0.01, 0.1) for steps in (5, 20)]
    table = run("guided@per_tensor", candidates=tried)
    validation = table[table["role"] == "validation"]
    assert set(zip(validation["candidate"].astype(float), validation["steps"], strict=True)) == set(tried)
    scores = validation.groupby(["candidate", "steps", "episode"]).apply(
        lambda part: balanced_accuracy(part["label"], part["predicted"]), include_groups=False
    )
    means = scores.groupby(["candidate", "steps"]).mean()
    best = max(tried, key=lambda candidate: means[candidate.text, candidate.steps])
    chosen = table.loc[table["role"] == "test", ["candidate", "steps"]].drop_duplicates()
    assert chosen.values.tolist() == [[best.text, best.steps]]


def test_centring_takes_away_what_the_samples_of_a_study_share(run, world):
    usual = run("logistic@genes", corpus=Corpus(world.expression, world.samples, world.gene_ids, world.base, "study"))
    shifts = np.random.default_rng(4).normal(0, 3, (world.samples["study"].nunique(), len(world.gene_ids)))
    moved = world.expression + shifts[pd.factorize(world.samples["study"])[0]].astype(world.expression.dtype)
    tables = {
        centring: run("logistic@genes", corpus=Corpus(moved, world.samples, world.gene_ids, world.base, centring))
        for centring in ("none", "study")
    }
    np.testing.assert_allclose(tables["study"]["probability"], usual["probability"], atol=1e-4)
    assert np.abs(tables["none"]["probability"] - usual["probability"]).max() > 0.1


def test_centred_rows_are_z_scores_minus_the_mean_of_all_samples_of_their_study(world):
    corpus = Corpus(world.expression, world.samples, world.gene_ids, world.base, "study")
    z = (world.expression - world.base.mean.numpy()) / world.base.scale.numpy()
    means = pd.DataFrame(z).groupby(world.samples["study"].to_numpy()).transform("mean").to_numpy()
    np.testing.assert_allclose(corpus.rows(world.samples["sample"].tolist()), z - means, atol=1e-5)
    kept = world.splits[world.splits["role"].isin(["pretrain", "scout"])]["study"]
    reference = world.samples["study"].isin(kept).to_numpy()
    np.testing.assert_allclose(corpus.reference(world.splits, 1000, 1), (z - means)[reference], atol=1e-5)


def test_of_a_large_reference_as_many_samples_are_drawn_as_asked_for(world, make_corpus):
    kept = world.splits[world.splits["role"].isin(["pretrain", "scout"])]["study"]
    every = make_corpus(world).reference(world.splits, 1000, 1)
    assert len(every) == world.samples["study"].isin(kept).sum()
    some, same, other = (make_corpus(world).reference(world.splits, 7, seed) for seed in (1, 1, 2))
    assert some.shape == (7, every.shape[1])
    assert {row.tobytes() for row in some} <= {row.tobytes() for row in every}
    np.testing.assert_array_equal(some, same)
    assert not np.array_equal(some, other)
