"""Genes to measure next where hits are wanted: acquisition functions on a Gaussian process of the responses so far.

The process is that of the predictor `mean_kernel` (mean kernel of the graphs, a constant kernel, noise by rule), on
responses centred and scaled over the measured genes. A batch is taken gene by gene: what was taken counts as measured
with the response that was expected of it, which leaves the expectations as they are and narrows their deviations (the
kriging believer of Ginsbourger, Le Riche & Carraro 2010; with the upper confidence bound, GP-BUCB of Desautels, Krause
& Burdick 2014).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse, stats
from scipy.linalg import cho_solve, solve_triangular

from scarceseq.design.choice import as_much_again, in_turn
from scarceseq.errors import InputError
from scarceseq.perturbation import process
from scarceseq.seeds import derive
from scarceseq.selection.cover import Limits

KAPPA = 1.0
"""Upper confidence bound: standard deviations above the expected response."""
PERMUTATIONS = 999
LEAST = 5
"""Responses below which nothing is learned from them."""


class Belief:
    """What the responses so far say of every gene, in the responses' own units; larger is better.

    - `features` (genes, features): from `scarceseq.perturbation.features.mean_kernel_features`
    - `rows`: measured genes
    - `responses` (rows,)

    Raises `InputError` if there are fewer than `LEAST` responses, or all are the same.
    """

    def __init__(self, features: sparse.csr_array, rows: Sequence[int] | np.ndarray, responses: np.ndarray) -> None:
        if len(rows) < LEAST or np.ptp(responses) == 0:
            raise InputError(
                f"design.responses: {len(rows)} genes of the graphs with {len(np.unique(responses))} different "
                f"responses; give at least {LEAST} genes, not all alike"
            )
        self.center, self.scale = float(responses.mean()), float(responses.std())
        self.standard = (responses - self.center) / self.scale
        self.model = process.fit(self.standard[:, None], rows, features)
        kernel = process.kernel_between(features, rows, range(features.shape[0]))
        self.mean = self._in_units(kernel.T @ self.model.coefficients[:, 0])
        self.amplitude = float(self.model.amplitude[0])
        self.updates = solve_triangular(self.model.factor, kernel, lower=True, check_finite=False)
        prior = np.asarray(features.power(2).sum(axis=1)).ravel()
        self.variance = np.maximum(prior - (self.updates**2).sum(axis=0), 0)
        self.taken: list[np.ndarray] = []
        self.best = self.mean[self.model.rows].max()

    def deviation(self) -> np.ndarray:
        """Standard deviations of the genes' responses, without the noise of measuring."""
        return self.scale * np.sqrt(self.variance * self.amplitude)

    def take(self, gene: int) -> None:
        """Count a gene as measured, with the response that is expected of it."""
        features = self.model.features
        column = np.asarray(features @ features[[gene]].toarray().ravel())
        column -= self.updates[:, gene] @ self.updates + sum(row[gene] * row for row in self.taken)
        self.taken.append(column / np.sqrt(max(column[gene], 0) + self.model.noise))
        self.variance = np.maximum(self.variance - self.taken[-1] ** 2, 0)
        self.best = max(self.best, self.mean[gene])

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """Responses of all genes, one draw from the process given what is measured (Matheron's rule)."""
        model, features = self.model, self.model.features
        prior = np.sqrt(self.amplitude) * np.asarray(features @ random.normal(size=features.shape[1])).ravel()
        seen = prior[model.rows] + np.sqrt(self.amplitude * model.noise) * random.normal(size=len(model.rows))
        shift = cho_solve((model.factor, True), self.standard - seen, check_finite=False)
        return self._in_units(prior + np.asarray(features @ (features[model.rows].T @ shift)).ravel())

    def _in_units(self, values: np.ndarray) -> np.ndarray:
        return self.center + self.scale * values


def upper_confidence_bound(belief: Belief, random: np.random.Generator) -> np.ndarray:
    """Expected response and `KAPPA` deviations (Srinivas et al. 2010)."""
    return belief.mean + KAPPA * belief.deviation()


def expected_improvement(belief: Belief, random: np.random.Generator) -> np.ndarray:
    """By how much a response is expected to exceed the best that is expected of a measured gene (Jones et al. 1998).

    The best is that of the expectations, not of the responses, which are noisy (Picheny et al. 2013).
    """
    deviation = np.maximum(belief.deviation(), 1e-12 * belief.scale)
    above = (belief.mean - belief.best) / deviation
    return deviation * (above * stats.norm.cdf(above) + stats.norm.pdf(above))


def thompson(belief: Belief, random: np.random.Generator) -> np.ndarray:
    """A draw of all responses; each gene of a batch is the best of a draw of its own (Kandasamy et al. 2018)."""
    return belief.draw(random)


def expected_response(belief: Belief, random: np.random.Generator) -> np.ndarray:
    """Expected response: nothing is explored."""
    return belief.mean


@dataclass(frozen=True)
class HitList:
    """Genes to measure for hits, and what is expected of them.

    - `order` (int): the budget and as much again, or what costs allow
    - `values`: of the acquisition function, which takes the largest (of minus the responses, for the smallest hits)
    - `expected`, `deviation` (genes,): before anything is taken; in units of the responses
    - `facts`: for the page: measured, best, correlation and p_value (`fit_of_graphs`), mean_candidates
    """

    order: np.ndarray
    values: np.ndarray
    expected: np.ndarray
    deviation: np.ndarray
    facts: dict[str, float]


ACQUISITIONS: dict[str, Callable[[Belief, np.random.Generator], np.ndarray]] = {
    "upper_confidence_bound": upper_confidence_bound,
    "expected_improvement": expected_improvement,
    "thompson": thompson,
    "expected_response": expected_response,
}


def choose_hits(belief: Belief, acquisition: str, limits: Limits, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Genes in the order in which to take them, within the budget, and the acquisition function's value of each.

    Required genes come first. Costs limit how many are taken, not which: the next best that the budget still pays for.
    The genes are taken in `belief`, too.
    """
    random = np.random.default_rng(derive(seed, "design hits"))

    def look() -> tuple[np.ndarray, np.ndarray]:
        scores = ACQUISITIONS[acquisition](belief, random)
        return scores, scores

    return in_turn(look, belief.take, len(belief.mean), limits)


def list_hits(
    settings: dict[str, Any],
    responses: Mapping[str, float],
    genes: np.ndarray,
    features: sparse.csr_array,
    limits: Limits,
    seed: int,
) -> HitList:
    """Choose by the config's section ``design``; `responses` are by gene, all among `genes`."""
    sign = 1.0 if settings["hits_are"] == "largest" else -1.0
    rows = np.flatnonzero(np.isin(genes, list(responses)))
    belief = Belief(features, rows, sign * np.array([responses[gene] for gene in genes[rows]]))
    expected, deviation = sign * belief.mean, belief.deviation()
    free = np.setdiff1d(np.arange(len(genes)), [*limits.measured, *limits.excluded]).astype(int)
    correlation, p_value = fit_of_graphs(belief, seed)
    limits = as_much_again(limits, len(genes))
    order, values = choose_hits(belief, settings["acquisition"], limits, seed)
    facts = {
        "responses": len(rows),
        "best": sign * float(belief.standard.max() * belief.scale + belief.center),
        "correlation": correlation,
        "p_value": p_value,
        "mean_candidates": float(expected[free].mean()),
    }
    return HitList(order, values, expected, deviation, facts)


def fit_of_graphs(belief: Belief, seed: int) -> tuple[float, float]:
    """Whether the graphs tell the responses: rank correlation of each with what the others predict, and its P.

    Leave-one-out predictions in closed form, y - alpha / diag(K^-1) (Rasmussen & Williams 2006, section 5.4.2); P by
    permuting the responses over the genes, so that it holds whatever the predictions' bias. The correlation is
    Spearman's; P is that of one as large by chance.
    """
    identity = np.eye(len(belief.standard))
    inverse = cho_solve((belief.model.factor, True), identity, check_finite=False)
    random = np.random.default_rng(derive(seed, "design hits", "permutations"))
    permuted = [random.permutation(belief.standard) for _ in range(PERMUTATIONS)]
    values = np.column_stack([belief.standard, *permuted])
    left_out = values - inverse @ values / np.diag(inverse)[:, None]
    ranks = stats.rankdata(values, axis=0), stats.rankdata(left_out, axis=0)
    first, second = (each - each.mean(axis=0) for each in ranks)
    scale = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
    likeness = np.divide((first * second).sum(axis=0), scale, out=np.zeros(len(scale)), where=scale > 0)
    return float(likeness[0]), float((likeness >= likeness[0] - 1e-12).mean())
