"""Hits: the process against scikit-learn, acquisition functions against draws, and the list that a lab gets."""

import numpy as np
import pytest
from scarceseq.design.check import check
from scarceseq.design.hits import ACQUISITIONS, Belief, choose_hits, fit_of_graphs
from scarceseq.errors import InputError
from scarceseq.perturbation.features import mean_kernel_features
from scarceseq.report import design as page
from scarceseq.selection.cover import Limits
from scipy import stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct
from test_design_choice import DEFAULTS
from test_design_criterion import GENES, SOURCES, run

__all__ = ["run"]

FEATURES = mean_kernel_features(SOURCES, GENES)
ROWS = np.array([1, 4, 7, 9, 12, 20, 25])
RESPONSES = np.random.default_rng(5).normal(3, 2, len(ROWS))


def process_of(rows, responses, amplitude):
    """Oracle: the process on standardised responses, its kernel times `amplitude`."""
    kernel = ConstantKernel(amplitude, "fixed") * DotProduct(0, "fixed")
    oracle = GaussianProcessRegressor(kernel, alpha=amplitude, optimizer=None)
    return oracle.fit(FEATURES.toarray()[rows], (responses - RESPONSES.mean()) / RESPONSES.std())


def test_expectations_and_deviations_are_those_of_scikit_learn():
    belief = Belief(FEATURES, ROWS, RESPONSES)
    standard = (RESPONSES - RESPONSES.mean()) / RESPONSES.std()
    kernel = (FEATURES @ FEATURES.T).toarray()[np.ix_(ROWS, ROWS)] + np.eye(len(ROWS))
    amplitude = standard @ np.linalg.solve(kernel, standard) / len(ROWS)
    mean, deviation = process_of(ROWS, RESPONSES, amplitude).predict(FEATURES.toarray(), return_std=True)
    np.testing.assert_allclose(belief.mean, RESPONSES.mean() + RESPONSES.std() * mean)
    np.testing.assert_allclose(belief.deviation(), RESPONSES.std() * deviation, atol=1e-7)


def test_a_taken_gene_counts_as_measured_with_what_was_expected_of_it():
    belief = Belief(FEATURES, ROWS, RESPONSES)
    mean = belief.mean.copy()
    for gene in (3, 15):
        belief.take(gene)
    rows, responses = np.array([*ROWS, 3, 15]), np.array([*RESPONSES, mean[3], mean[15]])
    again, deviation = process_of(rows, responses, belief.amplitude).predict(FEATURES.toarray(), return_std=True)
    np.testing.assert_allclose(RESPONSES.mean() + RESPONSES.std() * again, mean)
    np.testing.assert_allclose(belief.deviation(), RESPONSES.std() * deviation, atol=1e-7)
    assert belief.best == max(mean[ROWS].max(), mean[3], mean[15])


def test_expected_improvement_is_the_mean_of_what_draws_exceed_the_best_by():
    belief = Belief(FEATURES, ROWS, RESPONSES)
    random = np.random.default_rng(1)
    drawn = np.maximum(random.normal(belief.mean, belief.deviation(), (200_000, len(GENES))) - belief.best, 0)
    expected = ACQUISITIONS["expected_improvement"](belief, random)
    np.testing.assert_allclose(expected, drawn.mean(axis=0), atol=5 * drawn.std(axis=0).max() / np.sqrt(len(drawn)))


def test_draws_have_the_mean_and_the_covariance_of_the_process():
    belief = Belief(FEATURES, ROWS, RESPONSES)
    random = np.random.default_rng(2)
    drawn = np.array([ACQUISITIONS["thompson"](belief, random) for _ in range(20_000)])
    _, covariance = process_of(ROWS, RESPONSES, belief.amplitude).predict(FEATURES.toarray(), return_cov=True)
    close = 6 * belief.deviation().max() / np.sqrt(len(drawn))
    np.testing.assert_allclose(drawn.mean(axis=0), belief.mean, atol=close)
    np.testing.assert_allclose(
        np.cov(drawn.T), RESPONSES.std() ** 2 * covariance, atol=close * belief.deviation().max()
    )


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_a_batch_takes_the_best_first_and_no_gene_twice(acquisition):
    limits = Limits(budget=9, measured=tuple(ROWS), required=(28,), excluded=(0, 2))
    order, values = choose_hits(Belief(FEATURES, ROWS, RESPONSES), acquisition, limits, 1)
    assert order[0] == 28
    assert len(set(order)) == 9
    assert not set(order) & {0, 2, *ROWS}
    again = choose_hits(Belief(FEATURES, ROWS, RESPONSES), acquisition, limits, 1)
    np.testing.assert_array_equal(order, again[0])
    if acquisition == "expected_response":
        free = np.setdiff1d(np.arange(len(GENES)), [*ROWS, 0, 2, 28])
        assert values[1] == Belief(FEATURES, ROWS, RESPONSES).mean[free].max()


def test_costs_limit_how_many_are_taken():
    costs = np.ones(len(GENES), np.int64)
    costs[::2] = 5
    limits = Limits(budget=11, costs=costs, measured=tuple(ROWS))
    order, _ = choose_hits(Belief(FEATURES, ROWS, RESPONSES), "expected_response", limits, 1)
    assert costs[order].sum() <= 11
    left = np.setdiff1d(np.arange(len(GENES)), [*ROWS, *order])
    assert costs[left].min() > 11 - costs[order].sum()


def test_graphs_tell_responses_that_follow_them_and_no_others():
    random = np.random.default_rng(3)
    rows = np.arange(len(GENES))
    smooth = np.asarray(FEATURES @ random.normal(size=FEATURES.shape[1])).ravel() * 3
    belief = Belief(FEATURES, rows, smooth)
    correlation, p_value = fit_of_graphs(belief, 1)
    left_out = [
        Belief(FEATURES, np.delete(rows, row), np.delete(belief.standard, row)) for row in rows
    ]  # oracle: refits; standardised anew, so that the two differ a little
    predicted = [refit.mean[row] for row, refit in enumerate(left_out)]
    assert correlation == pytest.approx(stats.spearmanr(smooth, predicted).statistic, abs=0.05)
    assert p_value < 0.05
    chance = [fit_of_graphs(Belief(FEATURES, rows, random.normal(size=len(rows))), seed)[1] for seed in range(40)]
    assert stats.kstest(chance, "uniform").pvalue > 0.01


def table(values):
    return "gene\tresponse\n" + "".join(f"{gene}\t{value}\n" for gene, value in values.items())


def test_a_list_for_hits_says_what_is_expected_of_it(run):
    values = dict(zip(GENES[ROWS], RESPONSES.round(3), strict=True))
    made = run(goal="hits", budget=5, responses=table(values), acquisition="expected_response", required="G28\n")
    order, facts = made.order, made.summary["hits"]
    assert order["gene"].iloc[0] == "G28"
    assert not set(order["gene"]) & set(values)
    belief = Belief(FEATURES, ROWS, RESPONSES.round(3))
    place = [int(np.flatnonzero(gene == GENES)[0]) for gene in order["gene"]]
    np.testing.assert_allclose(order["expected_response"], belief.mean[place])
    np.testing.assert_allclose(order["response_sd"], belief.deviation()[place])
    assert facts["best"] == pytest.approx(max(values.values()))
    assert (order["reason"][1:] == "largest expected response").all()
    opposite = run(
        goal="hits",
        budget=5,
        responses=table({gene: -value for gene, value in values.items()}),
        acquisition="expected_response",
        required="G28\n",
        hits_are="smallest",
    )
    assert opposite.order["gene"].tolist() == order["gene"].tolist()
    np.testing.assert_allclose(opposite.order["expected_response"], -order["expected_response"])
    assert "the smallest so far is" in page.sentence(opposite.summary)


def test_the_page_says_when_the_graphs_tell_nothing(run):
    values = dict(zip(GENES[ROWS], RESPONSES.round(3), strict=True))
    summary = run(goal="hits", budget=5, responses=table(values)).summary
    nothing = summary | {"hits": summary["hits"] | {"correlation": 0.05, "p_value": 0.4}}
    assert "do not expect more hits" in page.sentence(nothing)
    assert "do not expect" not in page.sentence(nothing | {"hits": nothing["hits"] | {"p_value": 0.01}})
    assert "On real screens" in page.worth(summary, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (table({"G01": 1, "G02": 2, "G03": 1}), "give at least 5 genes"),
        (table({f"G0{place}": 1 for place in range(8)}), "not all alike"),
        (table({"G01": "high", **{f"G1{place}": place for place in range(8)}}), "the response 'high' of gene G01"),
        ("gene\tscore\nG01\t1\n", "response"),
    ],
)
def test_responses_that_cannot_be_used_are_refused(run, text, words):
    with pytest.raises(InputError, match=words):
        run(goal="hits", responses=text)


@pytest.mark.parametrize("changes", [{"goal": "hits"}, {"responses": "some.tsv"}])
def test_the_goal_and_its_table_go_together(changes):
    section = DEFAULTS | {"graph": "mine"} | changes
    with pytest.raises(InputError, match=r"config key design.responses: goal `hits` needs a table"):
        check({"design": section, "network": {"graphs": {"mine": {}}, "embeddings": {}}})
