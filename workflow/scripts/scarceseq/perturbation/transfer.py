"""Guided transfer of perturbation models: trained on one screen, fine-tuned on few perturbations of another.

Scouts are copies of the trained network that are fine-tuned on random subsets of its own screen's perturbations; how
far each weight moves makes the guide, by which weights' updates are multiplied on the other screen. Compared with that:
plain fine-tuning, controls that keep the guide's mean alone or put its values elsewhere, training from scratch, no
training at all, and the mean of the few.

The learning rate of each method is chosen on validation splits, from equally many candidates, and the last step counts.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from scarceseq.errors import InputError
from scarceseq.fewshot.engine.updates import Schedule, TensorUpdate
from scarceseq.guide.displacement import Displacement
from scarceseq.guide.guides import per_tensor
from scarceseq.network.graph import Graph
from scarceseq.perturbation.evaluate import mean_or_nan, members
from scarceseq.perturbation.gears.batches import MomentBatches, Place
from scarceseq.perturbation.gears.model import Gears
from scarceseq.perturbation.gears.settings import TrainingSettings
from scarceseq.perturbation.gears.training import batch_losses
from scarceseq.perturbation.metrics import METRICS
from scarceseq.perturbation.predictors import gears
from scarceseq.perturbation.prior import Prior
from scarceseq.perturbation.settings import TransferSettings
from scarceseq.perturbation.training_cells import read_cells
from scarceseq.perturbation.truth import read_truth
from scarceseq.seeds import derive

log = logging.getLogger(__name__)

TUNED = ("scratch", "plain", "guided", "scalar_mean", "tensor_mean", "permuted")
MEASURED = ("mse", "pearson_delta")
NODE_TENSOR = "perturbation_embedding"
FEW = TrainingSettings(
    mode="moments",
    batch=0,
    weights="uniform",
    steps_per_epoch=0,
    epochs=20,
    learning_rate=1e-3,
    weight_decay=5e-4,
    decay_per_epoch=0.5,
    largest_gradient=1.0,
    direction_weight=0.1,
    uncertainty_weight=1.0,
)
"""Fine-tuning takes all of the few at once, each with the weight of control."""


def transfer(
    name: str, source: dict[str, Any], target: dict[str, Any], settings: TransferSettings, seed: int
) -> pd.DataFrame:
    """Errors of all methods on the test perturbations of the target's splits.

    Parameters
    ----------
    source, target : dict
        prior (scarceseq.perturbation.prior.Prior), and for the target profiles, differential, splits. Both have the
        same genes in the same order, the same graph, and perturbed genes that the graph has. One and the same screen
        lends a half of each pool as the source.

    Returns
    -------
    pandas.DataFrame
        transfer, split, role (validation or judged), pool, test, budget, method, learning_rate, metric, value.
    """
    splits, rows, names = target["splits"], [], target["profiles"].obs_names.to_numpy(dtype=str)
    numbers = sorted(splits["split"].unique())
    if len(numbers) <= settings.validation_splits:
        raise InputError(
            f"config key perturbation.transfer.{name}: {len(numbers)} splits leave none to judge beside "
            f"{settings.validation_splits} for validation; raise the screen's splits"
        )
    experiment = Experiment(source, target, settings)
    chosen = {}
    for split_index in numbers:
        table = splits[splits["split"] == split_index]
        pool, test = (members(table, role, names) for role in ("pool", "test"))
        split_seed = derive(seed, "transfer", name, int(split_index))
        role = "validation" if split_index in numbers[: settings.validation_splits] else "judged"
        if role == "judged" and not chosen:
            chosen = best_rates(pd.DataFrame(rows))
        results = experiment.split(pool, test, names, split_seed, chosen)
        about = {"transfer": name, "split": int(split_index), "role": role, "pool": len(pool), "test": len(test)}
        rows += [about | row for row in results]
        log.info("%s: split %d (%s)", name, split_index, role)
    return pd.DataFrame(rows)


def best_rates(validation: pd.DataFrame) -> dict[tuple[int, str], float]:
    """Learning rate with the least mean squared error over the validation splits, by (budget, method)."""
    tuned = validation[validation["method"].isin(TUNED) & (validation["metric"] == "mse")]
    mean = tuned.groupby(["budget", "method", "learning_rate"])["value"].mean().reset_index()
    best = mean.sort_values(["value", "learning_rate"]).drop_duplicates(["budget", "method"])
    return {(row.budget, row.method): row.learning_rate for row in best.itertuples()}


class Experiment:
    """Both screens as the network sees them; parameters as of `transfer`."""

    def __init__(self, source: dict[str, Any], target: dict[str, Any], settings: TransferSettings) -> None:
        self.settings, self.same = settings, settings.source == settings.target
        self.target, self.names = target, source["prior"].perturbations
        theirs = target["prior"].perturbations
        self.features = gears.prepare(source["prior"], others=theirs)
        self.new = self.features if self.same else gears.prepare(target["prior"], others=self.names)

    def split(
        self,
        pool: np.ndarray,
        test: np.ndarray,
        names: np.ndarray,
        seed: int,
        chosen: dict[tuple[int, str], float] | None,
    ) -> list[dict[str, Any]]:
        """Rows of one split: budget, method, learning_rate, metric, value."""
        generator = np.random.default_rng(derive(seed, "few"))
        order = generator.permutation(pool)
        tested = set(names[test])
        if self.same:
            measured, order = np.sort(order[: len(order) // 2]), order[len(order) // 2 :]
        else:
            measured = np.flatnonzero([gene not in tested for gene in self.names])
        base = gears.fit(np.zeros((len(measured), 1)), measured.tolist(), self.features, derive(seed, "base"))
        guide = self.guide(base, measured, seed)
        truth = read_truth(self.target["profiles"], self.target["differential"], test, pool)
        delta, rows = np.asarray(self.target["profiles"].X, dtype=np.float64), []
        for budget in self.settings.budgets:
            if budget > len(order):
                raise InputError(
                    f"config key perturbation.transfer: a budget of {budget} of {len(order)} perturbations; lower it"
                )
            few = np.sort(order[:budget])
            predictions = {("few_mean", np.nan): np.tile(delta[few].mean(axis=0), (len(test), 1))}
            predictions[("base", np.nan)] = self.predict(self.copies(base, 1), test)[0]
            predictions |= self.tuned(base, guide, few, test, budget, seed, chosen)
            for (method, rate), prediction in predictions.items():
                values = {metric: METRICS[metric].value(prediction, truth) for metric in MEASURED}
                about = {"budget": budget, "method": method, "learning_rate": rate}
                rows += [about | {"metric": metric, "value": mean_or_nan(value)} for metric, value in values.items()]
        return rows

    def guide(self, base: gears.Model, measured: np.ndarray, seed: int) -> dict[str, torch.Tensor]:
        """Guide of every weight of the network, by parameter name, from scouts on subsets of the source.

        Rows of the node embedding that no scout reaches say nothing about new perturbations: each of its columns has
        the mean over the rows that are reached.
        """
        settings, generator = self.settings, np.random.default_rng(derive(seed, "scouts"))
        size = min(settings.scout_perturbations, len(measured))
        subsets = np.stack([generator.choice(measured, size, replace=False) for _ in range(settings.scouts)])
        scouts = self.copies(base, settings.scouts, self.features)
        start = {name: values.detach().clone() for name, values in scouts.named_parameters()}
        rate = np.full(settings.scouts, np.median(settings.learning_rates))
        first = fine_tune(scouts, self.batches(self.features), 1 + np.sort(subsets), None, rate, settings.steps)
        sums = Displacement({name: values[0] for name, values in start.items()}, "squared")
        for member in range(settings.scouts):
            now = {name: values.detach()[member] for name, values in scouts.named_parameters()}
            before = {name: values[member] for name, values in start.items()}
            sums.add(before, now, {name: values[member] for name, values in first.items()})
        displacement = {name: total / settings.scouts for name, total in sums.moved.items()}
        nodes = displacement[NODE_TENSOR]
        reached = nodes.sum(dim=1) > 0
        displacement[NODE_TENSOR] = nodes[reached].mean(dim=0).expand_as(nodes) if reached.any() else nodes
        return {name: values.to(start[name].dtype) for name, values in per_tensor(displacement).items()}

    def tuned(
        self,
        base: gears.Model,
        guide: dict[str, torch.Tensor],
        few: np.ndarray,
        test: np.ndarray,
        budget: int,
        seed: int,
        chosen: dict[tuple[int, str], float] | None,
    ) -> dict[tuple[str, float], np.ndarray]:
        """Predictions by (method, learning rate): with all rates, or with the chosen ones. One network for each."""
        predictions = {}
        for start, methods in (("scratch", ["scratch"]), ("base", [m for m in TUNED if m != "scratch"])):
            rates = self.settings.learning_rates
            pairs = [(m, r) for m in methods for r in ([chosen[budget, m]] if chosen else rates)]
            if start == "scratch":
                network, steps = self.anew(base, [derive(seed, "scratch")] * len(pairs)), self.settings.scratch_steps
            else:
                network, steps = self.copies(base, len(pairs)), self.settings.steps
            speed = {m: method_rate(m, guide, derive(seed, "permuted")) for m in methods}
            by_name = {name: torch.stack([speed[m][name] for m, _ in pairs]) for name in guide}
            rows = np.tile(1 + few, (len(pairs), 1))
            fine_tune(network, self.batches(self.new), rows, by_name, np.array([r for _, r in pairs]), steps)
            predictions |= dict(zip(pairs, self.predict(network, test), strict=True))
        return predictions

    def batches(self, features: gears.Features) -> MomentBatches:
        """Moments of all perturbations of a screen; which of them are used is said with each batch."""
        conditions = np.arange(len(features.moments.cells))
        return MomentBatches(conditions, features.moments, FEW, [0], Place(torch.device("cpu")))

    def copies(self, base: gears.Model, count: int, features: gears.Features | None = None) -> Gears:
        """Copies of a trained network side by side, for the target's perturbations unless others are given."""
        network = self.anew(base, [0] * count, features)
        state = base.network.state_dict()
        network.load_state_dict({name: values.expand(count, *values.shape[1:]) for name, values in state.items()})
        return network

    def anew(self, base: gears.Model, seeds: Sequence[int], features: gears.Features | None = None) -> Gears:
        """Networks with the graphs of the base and a random start."""
        features = features or self.new
        targets = np.pad(features.node, ((1, 0), (0, 0)), constant_values=-1)  # control perturbs none
        genes = features.cells.expression.shape[1]
        shape = features.settings[1]
        return Gears(genes, base.coexpression, features.similarity, targets, features.nodes, shape, seeds)

    def predict(self, network: Gears, rows: np.ndarray) -> np.ndarray:
        """Predicted differences, (networks, perturbations, genes)."""
        return network.predict(torch.from_numpy(1 + rows))[0].double().numpy()


def fine_tune(
    network: Gears,
    batches: MomentBatches,
    chosen: np.ndarray,
    rates: dict[str, torch.Tensor] | None,
    learning_rate: np.ndarray,
    steps: int,
) -> dict[str, torch.Tensor] | None:
    """Train networks side by side on perturbations of their own, by Adam whose updates are multiplied; in place.

    Gradients of the first step are returned, by parameter name.

    Parameters
    ----------
    batches : scarceseq.perturbation.gears.batches.MomentBatches
        Of all conditions.
    chosen : numpy.ndarray of int, shape (networks, perturbations)
        Conditions; control comes in addition.
    rates : dict of str to torch.Tensor, or None
        Multipliers of each weight's updates, by parameter name, with a leading dimension for networks, as
        `learning_rate` has.
    """
    rows = np.concatenate([np.zeros((len(chosen), 1), dtype=int), chosen], axis=1)
    batch = batches.batch_of(batches.place.positions(rows))
    schedule = Schedule(torch.as_tensor(learning_rate, dtype=torch.float32), 0.0, steps, "adam")
    updates = {
        name: TensorUpdate(weight.detach(), 1.0 if rates is None else rates[name], 0.0, schedule)
        for name, weight in network.named_parameters()
    }
    first = None
    for _ in range(steps):
        network.zero_grad(set_to_none=True)
        batch_losses(network.train(), batch, batches.settings, batches).sum().backward()
        gradients = {
            name: torch.zeros_like(weight) if weight.grad is None else weight.grad
            for name, weight in network.named_parameters()
        }
        first = first or {name: values.clone() for name, values in gradients.items()}
        for name, values in gradients.items():
            updates[name].step(values.clamp_(-FEW.largest_gradient, FEW.largest_gradient))
    return first


def method_rate(method: str, guide: dict[str, torch.Tensor], seed: int) -> dict[str, torch.Tensor]:
    """Multiplier of each weight's updates, by parameter name."""
    mean = sum(values.double().sum() for values in guide.values()) / sum(values.numel() for values in guide.values())
    generator = torch.Generator().manual_seed(seed)

    def permuted(values: torch.Tensor) -> torch.Tensor:
        return values.flatten()[torch.randperm(values.numel(), generator=generator)].view_as(values)

    forms = {
        "guided": lambda values: values,
        "scalar_mean": lambda values: torch.full_like(values, float(mean)),
        "tensor_mean": lambda values: torch.full_like(values, float(values.double().mean())),
        "permuted": permuted,
    }
    return {name: forms.get(method, torch.ones_like)(values) for name, values in guide.items()}


def read_side(
    screen: dict[str, Any],
    path: str | Path,
    graph: Graph,
    settings: dict[str, Any],
    genes: np.ndarray,
    drop_expressing: bool,
) -> dict[str, Any]:
    """One screen on the genes that both have, without perturbed genes that the graph does not have.

    The screen has profiles, differential and splits, as `prepare_screen` gives them; they are returned with a prior
    (scarceseq.perturbation.prior.Prior). The path is that of cells as `normalise_cells` wrote them, settings are those
    of GEARS in the config.
    """
    profiles = screen["profiles"]
    kept = profiles.obs_names[graph.positions(profiles.obs_names) >= 0]
    columns = profiles.var_names.get_indexer(genes)
    cells = read_cells(path, kept, drop_expressing)
    cells = replace(cells, expression=cells.expression[:, columns])
    differential, splits = screen["differential"], screen["splits"]
    log.info("%s: %d of %d perturbations are in the graph; %d genes", path, len(kept), profiles.n_obs, len(genes))
    return {
        "profiles": profiles[kept, genes].copy(),
        "differential": differential[differential["gene"].isin(genes)],
        "splits": splits[splits["perturbation"].isin(kept)],
        "prior": Prior(kept.to_numpy(dtype=str), genes, graph, cells=cells, settings=settings),
    }
