"""One test of the best classifier as a whole: all that sees labels is done again for each permutation of them."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from scarceseq.own_study.exchange import arrangements, every_arrangement, permuted
from scarceseq.own_study.nested import best_scores
from scarceseq.own_study.settings import FoldSettings
from scarceseq.own_study.training_set import StudyValues
from scarceseq.own_study.unfinished import Unfinished
from scarceseq.progress import follow
from scarceseq.seeds import derive
from scarceseq.statistics.p_values import TIES, permutation_test

COLUMNS = ["permutation", "balanced_accuracy", "log_loss"]


def is_exact(samples: pd.DataFrame, permutations: int) -> bool:
    """Whether every arrangement of the labels is tried, as there are no more than would be drawn."""
    return permutations > 0 and arrangements(samples) <= permutations + 1


def permutation_scores(
    values: StudyValues,
    samples: pd.DataFrame,
    candidates: list[str],
    settings: FoldSettings,
    permutations: int,
    seed: int,
    unfinished: Unfinished,
) -> pd.DataFrame:
    """Scores of one cross-validation of the best classifier with the true labels and with each permutation of them.

    Folds, choice of genes, of settings and of the classifier are made anew each time. Labels change places as
    `scarceseq.own_study.exchange.exchange_sets` says; all arrangements are tried if there are no more than
    `permutations`. `unfinished` keeps each result as it comes. `COLUMNS`; permutation 0 is the true labels.
    """
    if is_exact(samples, permutations):
        labelled = [samples.assign(label=labels) for labels in every_arrangement(samples)]
    else:
        draws = range(permutations)
        labelled = [permuted(samples, np.random.default_rng(derive(seed, "permutation", draw))) for draw in draws]
    rows = []
    for place, table in enumerate(follow([samples, *labelled], "permutations of the labels")):
        scores = partial(best_scores, values, table, candidates, settings, seed)
        rows.append((place, *unfinished.result(str(place), scores)))
    return pd.DataFrame(rows, columns=COLUMNS)


def the_test(scores: pd.DataFrame, samples: pd.DataFrame) -> dict[str, Any]:
    """P value of the best classifier: balanced accuracy, ties broken by log loss; and of each alone beside it.

    Gives p, smallest_p (what any data could reach), p_accuracy, p_log_loss, exact, permutations (the true labels not
    counted), permuted_mean, permuted_high (95th percentile); empty if nothing was permuted.
    """
    true, drawn = scores.iloc[0], scores.iloc[1:]
    if drawn.empty:
        return {}
    possible = arrangements(samples)
    by_accuracy = permutation_test(true["balanced_accuracy"], drawn["balanced_accuracy"], possible)
    by_loss = permutation_test(-true["log_loss"], -drawn["log_loss"], possible)
    gain = drawn["balanced_accuracy"] - true["balanced_accuracy"]
    better = np.where(np.abs(gain) > TIES, np.sign(gain), np.where(drawn["log_loss"] <= true["log_loss"] + TIES, 1, -1))
    whole = permutation_test(0.0, pd.Series(better), possible)
    return {
        "p": whole.p,
        "smallest_p": whole.smallest_p,
        "p_accuracy": by_accuracy.p,
        "p_log_loss": by_loss.p,
        "exact": len(scores) == possible,
        "permutations": len(drawn),
        "permuted_mean": float(drawn["balanced_accuracy"].mean()),
        "permuted_high": float(drawn["balanced_accuracy"].quantile(0.95)),
    }
