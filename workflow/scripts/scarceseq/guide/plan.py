"""Which samples each scout learns from and which it is judged by."""

import numpy as np
import pandas as pd

from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.guide.settings import HELD_OUT, TRAIN
from scarceseq.seeds import derive


def plan_scouts(matrix, base, settings, run_seed):
    """Tasks of a scheme, each with a training and a held-out part.

    Parameters
    ----------
    matrix : scarceseq.pretrain.samples.LabelledMatrix
    base : scarceseq.pretrain.model.Base
        Its mean and scale make the z-scores; its genes must be those of the matrix.
    settings : SchemeSettings
    run_seed : int

    Returns
    -------
    pandas.DataFrame
        ``scout``, ``sample``, ``label``, ``part`` (train or held_out); one row per sample of a scout.

    Raises
    ------
    InputError
        If the scheme finds no task, or no sample has a role to draw from.
    """
    rows = matrix.rows(settings.roles)
    if len(rows) == 0:
        raise InputError(
            f"guide scheme {settings.scheme}: no sample has a role in {list(settings.roles)}; give studies that role"
        )
    seed = derive(run_seed, "guide", settings.scheme)
    expression = base.standardise(matrix.expression[rows]).cpu().numpy()
    scheme = registry.load("guide.schemes", settings.scheme)
    tasks = scheme.draw_tasks(expression, matrix.studies[rows], settings, seed)
    parts = [
        draw_parts(classes, settings, derive(seed, "samples", scout)).assign(scout=scout)
        for scout, classes in enumerate(tasks)
    ]
    plan = pd.concat(parts, ignore_index=True)
    plan["sample"] = matrix.samples[rows][plan.pop("row")]
    return plan[["scout", "sample", "label", "part"]]


def draw_parts(classes, settings, seed):
    """Up to ``samples_per_class`` samples of each class, the last ``held_out_share`` of them held out.

    Parameters
    ----------
    classes : list of numpy.ndarray
        Rows of each class; at least two rows in each.
    settings : SchemeSettings
    seed : int

    Returns
    -------
    pandas.DataFrame
        ``row``, ``label``, ``part``; at least one sample of each class in each part.
    """
    generator = np.random.default_rng(seed)
    tables = []
    for label, members in enumerate(classes):
        chosen = generator.permutation(members)[: settings.samples_per_class]
        held_out = min(max(round(settings.held_out_share * len(chosen)), 1), len(chosen) - 1)
        parts = [TRAIN] * (len(chosen) - held_out) + [HELD_OUT] * held_out
        tables.append(pd.DataFrame({"row": chosen, "label": label, "part": parts}))
    return pd.concat(tables, ignore_index=True)
