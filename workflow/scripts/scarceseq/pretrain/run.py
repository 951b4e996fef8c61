"""One base model, from the corpus to an evaluated network."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scarceseq import registry
from scarceseq.errors import InputError
from scarceseq.pretrain.checkpoint import Checkpoint, fingerprint
from scarceseq.pretrain.distributed import ALONE, Group
from scarceseq.pretrain.evaluation import evaluate
from scarceseq.pretrain.evaluation_state import Done
from scarceseq.pretrain.events import Events
from scarceseq.pretrain.model import Base
from scarceseq.pretrain.normalisation import fit_normalisation, mean_tpm
from scarceseq.pretrain.run_state import choose_dtype
from scarceseq.pretrain.samples import LabelledMatrix
from scarceseq.pretrain.settings import PretrainSettings
from scarceseq.pretrain.task import make_task
from scarceseq.pretrain.training import train
from scarceseq.runtime import commit
from scarceseq.seeds import derive

logger = logging.getLogger(__name__)

FITTED_ROLES = ("pretrain", "scout")
HELD_OUT_ROLES = ("validation", "test")
NORMALISATION = "log2(TPM+1), z-score"


def pretrain(
    matrix: LabelledMatrix,
    settings: PretrainSettings,
    run_seed: int,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
    events: Events | None = None,
    group: Group = ALONE,
) -> tuple[Base, list[dict[str, Any]], list[dict[str, Any]]]:
    """Fit the normalisation, train the network, evaluate it on held-out studies; gives base, history and evaluation.

    The base's own seed is added to `run_seed`, the config's. `checkpoint` is where a killed run left off, if it did;
    the caller deletes it once the results are written. Curves are written to `events`. Of the processes of `group`,
    which share the training, the first alone evaluates. Raises InputError if no sample has a role to train on.
    """
    seed = derive(run_seed, "pretrain", settings.seed)
    rows = matrix.rows(settings.roles)
    if len(rows) < 2:
        raise InputError(
            f"split '{settings.split}': {len(rows)} samples have a role in {list(settings.roles)}; "
            "pre-training needs at least 2: give more studies that role"
        )
    base = initial_base(matrix, settings, seed, device)
    validation_rows = matrix.rows(["validation"])
    weights = sum(parameter.numel() for parameter in base.network.parameters())
    logger.info(
        "pre-training on %d samples of %d studies, %d genes; %d weights; validation on %d samples; activations in %s "
        "(precision: %s), %d threads of the processor",
        *(len(rows), len(set(matrix.studies[rows])), len(matrix.gene_ids), weights, len(validation_rows)),
        *(base.information["activations"], settings.precision, torch.get_num_threads()),
    )
    task = make_task(base, matrix, rows, settings, seed)
    history, base.information["trained_steps"] = train(
        task, base, matrix.expression, rows, validation_rows, settings, seed, checkpoint, events, group
    )
    for objective in task.objectives.values():
        base.heads |= objective.named_heads() if hasattr(objective, "named_heads") else {}
    base.information["training_studies"] = sorted(set(matrix.studies[rows].tolist()))
    results = []
    if group.is_first:
        groups = held_out_groups(matrix, settings.evaluation_samples, seed)
        done = Done()
        if checkpoint is not None:
            done = Done(checkpoint.folder, f"{checkpoint.fingerprint} {base.information['trained_steps']}")
        results = evaluate(task, base, matrix.expression, rows, groups, settings, seed, done)
    return base, history, results


def checkpoint_of(
    folder: str | Path,
    matrix: LabelledMatrix,
    settings: PretrainSettings,
    run_seed: int,
    device: torch.device,
    code: str,
) -> Checkpoint:
    """Checkpoint in `folder`, for a run of the same data, settings, seed, device and `code` (its hash)."""
    depends_on = {"corpus": matrix.fingerprint, "roles": matrix.roles.tolist(), "settings": settings.decisive()}
    depends_on |= {"attributes": {key: values.tolist() for key, values in matrix.attributes.items()}}
    depends_on |= {"seed": run_seed, "device": device.type, "torch": torch.__version__, "code": code}
    return Checkpoint(folder, fingerprint(**depends_on))


def initial_base(matrix: LabelledMatrix, settings: PretrainSettings, seed: int, device: torch.device) -> Base:
    """Untrained base: normalisation of the fitted roles, initial weights from the seed, provenance."""
    fitted = matrix.rows(FITTED_ROLES)
    normalisation = tuple(map(torch.from_numpy, fit_normalisation(matrix.expression, fitted, settings.minimum_scale)))
    architecture = registry.load("pretrain.architectures", settings.architecture)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "initial weights"))
        network = architecture.build(*normalisation, settings.as_dictionary())
    information = {
        "architecture": settings.architecture,
        "settings": settings.as_dictionary(),
        "normalisation": NORMALISATION,
        "normalisation_roles": list(FITTED_ROLES),
        "corpus_fingerprint": matrix.fingerprint,
        "split": settings.split,
        "seed": seed,
        "activations": str(choose_dtype(settings.precision, device)).removeprefix("torch."),
        "commit": commit(),
        "vocabulary": {
            "gene_names": list(matrix.gene_names),
            "bp_length": matrix.gene_lengths.tolist(),
            "mean_tpm": mean_tpm(matrix.expression, fitted).tolist(),
        },
    }
    mean, scale = (tensor.to(device) for tensor in normalisation)
    return Base(network.to(device), matrix.gene_ids, mean, scale, information)


def held_out_groups(matrix: LabelledMatrix, most: int, seed: int) -> dict[tuple[str, str], np.ndarray]:
    """(role, study) to rows, for the studies of the held-out roles, in the order of roles and study names.

    Of studies with more than `most` samples, so many are drawn by `seed` and the study's name.
    """
    groups = {}
    for role in HELD_OUT_ROLES:
        of_role = matrix.rows([role])
        for study in sorted(set(matrix.studies[of_role].tolist())):
            rows = of_role[matrix.studies[of_role] == study]
            if len(rows) > most:
                generator = np.random.default_rng(derive(seed, "evaluation samples", study))
                rows = np.sort(generator.permutation(rows)[:most])
            groups[role, study] = rows
    return groups
