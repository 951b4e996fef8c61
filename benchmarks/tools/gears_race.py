"""Two ways of training GEARS on one generated screen: validation error by step and by wall time, in pieces.

A piece stops after so many seconds with its state on disk and goes on from there, so that long runs fit machines that
are idle for minutes only.
"""

import json
import time
from pathlib import Path

import numpy as np
import torch
from gears_screen import Screen, generate_screen
from safetensors.torch import load_file, save_file
from scarceseq.perturbation.gears.batches import CellBatches, MomentBatches, Place
from scarceseq.perturbation.gears.evaluation import mean_errors
from scarceseq.perturbation.gears.model import Gears
from scarceseq.perturbation.gears.moments import Moments, ScreenMoments, screen_moments
from scarceseq.perturbation.gears.settings import ModelSettings
from scarceseq.perturbation.gears.training import training_step
from scipy import sparse

MOMENTS_OF_ADAM = ("exp_avg", "exp_avg_sq", "step")


class Race:
    """A screen with its held-out perturbations, and the model that is trained on the others.

    Parameters
    ----------
    folder : path
        Keeps the screen and the state of unfinished training.
    size : tuple of int
        Cells, genes, perturbations, nodes.
    device : torch.device
    """

    def __init__(self, folder, size, device):
        self.folder, self.size, self.device = Path(folder), size, device
        self.screen = self.kept_screen()
        self.moments, self.seconds_of_moments = self.kept_moments()
        self.held_out = np.arange(1, size[2] + 1, 10)
        self.trained = np.setdiff1d(np.arange(size[2] + 1), self.held_out)
        self.difference = self.moments.difference.mean[self.held_out]
        score = np.abs(self.difference) / np.sqrt(self.moments.difference.second[self.held_out] + 1e-6)
        self.top = np.argsort(np.argsort(-score, axis=1), axis=1) < 20

    def kept_screen(self):
        """The generated screen, read if an earlier piece has made it."""
        name = self.folder / "-".join(map(str, ("screen", *self.size)))
        edges = name.with_suffix(".edges.npz")
        if not edges.exists():
            screen = generate_screen(*self.size, seed=3)
            sparse.save_npz(name.with_suffix(".cells.npz"), screen.expression, compressed=False)
            np.savez(edges, *screen.coexpression, *screen.similarity, screen.condition)
        with np.load(edges) as kept:
            arrays = [kept[f"arr_{index}"] for index in range(7)]
        expression = sparse.load_npz(name.with_suffix(".cells.npz"))
        return Screen(expression, arrays[6], tuple(arrays[:3]), tuple(arrays[3:6]), self.size[3])

    def kept_moments(self):
        """Moments of the screen and the seconds that they took, read if an earlier piece has made them."""
        path = self.folder / "moments.npz"
        if not path.exists():
            start = time.perf_counter()
            made = screen_moments(self.screen.expression, self.screen.condition)
            seconds = time.perf_counter() - start
            rest = made.cells, made.expressed, made.mean_control, seconds
            np.savez(path, *made.difference.arrays(), *made.control.arrays(), *rest)
        with np.load(path) as kept:
            arrays = [kept[f"arr_{index}"] for index in range(12)]
        difference, control = Moments(*arrays[:4]), Moments(*arrays[4:8])
        return ScreenMoments(difference, arrays[8], arrays[9], control, arrays[10]), float(arrays[11])

    def model(self):
        """A new model."""
        targets, screen = np.arange(-1, self.size[2])[:, None], self.screen
        shape = self.size[1], screen.coexpression, screen.similarity, targets, screen.nodes, ModelSettings()
        return Gears(*shape, [1]).to(self.device)

    def batches(self, settings):
        """What the settings train on."""
        place = Place(self.device)
        if settings.mode == "moments":
            return MomentBatches(self.trained, self.moments, settings, [1], place)
        rows = np.flatnonzero(np.isin(self.screen.condition, self.trained))
        return CellBatches(self.screen.expression, self.screen.condition, self.moments, settings, [1], place, rows=rows)

    def error(self, model, settings):
        """Squared error over the most differential genes, mean over held-out perturbations."""
        alone = (settings.batch - 1) / settings.batch if settings.mode == "reference" else 0.0
        return float(mean_errors(model, self.held_out, self.difference, self.top, alone).mean())

    def no_change(self):
        """Error of predicting no difference."""
        return float((np.square(self.difference) * self.top).sum(axis=1).mean() / 20)

    def run(self, name, settings, every, seconds, until=0.0):
        """Train on, or begin; returns (curve, whether it is finished, steps of an epoch).

        Parameters
        ----------
        name : str
            Of the state in the folder.
        settings : scarceseq.perturbation.gears.settings.TrainingSettings
        every : int
            Steps between evaluations; there is one at each epoch's end too.
        seconds : float
            Of this piece.
        until : float
            Error at which to stop.

        Returns
        -------
        list of [step, seconds without evaluations, error], bool, int
            The last is the number of an epoch's steps.
        """
        model, batches = self.model(), self.batches(settings)
        optimiser = torch.optim.Adam(
            model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        curve, elapsed, begun = self.restore(name, model, optimiser), 0.0, time.perf_counter()
        done, before = (curve[-1][0], curve[-1][1]) if curve else (0, 0.0)
        for epoch in range(done // batches.steps, settings.epochs):
            for group in optimiser.param_groups:
                group["lr"] = settings.learning_rate * settings.decay_per_epoch**epoch
            first, start = max(0, done - epoch * batches.steps), time.perf_counter()
            for step, batch in enumerate(batches.epoch(epoch, first), start=epoch * batches.steps + first + 1):
                training_step(model.train(), batch, batches, settings, optimiser)
                if self.device.type == "cuda":
                    torch.cuda.synchronize()
                elapsed += time.perf_counter() - start
                start = time.perf_counter()
                if step % every == 0 or step % batches.steps == 0:
                    curve.append([step, round(before + elapsed, 2), self.error(model, settings)])
                    if curve[-1][2] <= until:
                        return curve, True, batches.steps
                    if time.perf_counter() - begun > seconds:
                        self.store(name, model, optimiser, curve)
                        return curve, step == settings.epochs * batches.steps, batches.steps
                    start = time.perf_counter()
        self.store(name, model, optimiser, curve)
        return curve, True, batches.steps

    def store(self, name, model, optimiser, curve):
        """Weights, the optimiser's moments, and the curve so far."""
        tensors = {f"model.{key}": value.contiguous() for key, value in model.state_dict().items()}
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{key}": state[key].contiguous() for key in MOMENTS_OF_ADAM}
        save_file(tensors, self.folder / f"{name}.safetensors")
        (self.folder / f"{name}.curve.json").write_text(json.dumps(curve))

    def restore(self, name, model, optimiser):
        """Put a stored state back; its curve, empty if there is none."""
        path = self.folder / f"{name}.safetensors"
        if not path.exists():
            return []
        tensors = load_file(path, device=str(self.device))
        model.load_state_dict({key[6:]: value for key, value in tensors.items() if key.startswith("model.")})
        state = optimiser.state_dict()
        for index in range(len(state["param_groups"][0]["params"])):
            if f"adam.{index}.step" in tensors:
                state["state"][index] = {key: tensors[f"adam.{index}.{key}"] for key in MOMENTS_OF_ADAM}
        optimiser.load_state_dict(state)
        return json.loads((self.folder / f"{name}.curve.json").read_text())
