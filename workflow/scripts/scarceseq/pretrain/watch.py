"""When a run is ended before its last step: the loss diverges, or held-out studies gain nothing any more."""

import math
import statistics
from dataclasses import dataclass, field

from scarceseq.errors import InputError
from scarceseq.pretrain.settings import PretrainSettings

MEDIAN_STEPS = 200
# Fewer losses have no median worth the name.
LEAST_STEPS = 50


@dataclass
class LossWatch:
    """Losses of the last `MEDIAN_STEPS` steps."""

    losses: list = field(default_factory=list)
    high: int = 0  # steps in a row whose loss was too high

    def check(self, loss: float, step: int, settings: PretrainSettings, kept: str = "") -> None:
        """Note the loss of a step; `kept` says, for the message, where the run can be gone on with.

        Raises InputError if it is not a finite number, or was ``loss_spike_factor`` times the median for
        ``loss_spike_steps`` steps.
        """
        if not math.isfinite(loss):
            raise InputError(
                f"pretrain: the loss is {loss} at step {step} of {settings.steps}; {_advice(settings, kept)}"
            )
        median = statistics.median(self.losses) if len(self.losses) >= LEAST_STEPS else math.inf
        self.high = self.high + 1 if loss > settings.loss_spike_factor * median else 0
        if self.high >= settings.loss_spike_steps:
            raise InputError(
                f"pretrain: the loss is {loss:.4g} at step {step} of {settings.steps}, and has been over "
                f"{settings.loss_spike_factor:g} times its median, {median:.4g}, for {self.high} steps; "
                f"{_advice(settings, kept)}; if the jump is harmless, raise loss_spike_factor or loss_spike_steps"
            )
        self.losses = [*self.losses[-MEDIAN_STEPS + 1 :], loss]


def _advice(settings: PretrainSettings, kept: str) -> str:
    return (
        f"lower learning_rate (now {settings.learning_rate:g}) or maximum_gradient_norm (now "
        f"{settings.maximum_gradient_norm:g}), or lengthen warm_up_steps (now {settings.warm_up_steps}){kept}"
    )


@dataclass
class Patience:
    """The best validation so far."""

    best_loss: float = math.inf
    best_step: int = 0
    worse: int = 0  # validations since

    def improved(self, loss: float, step: int) -> bool:
        """Note a validation; returns whether it is the best so far."""
        if loss < self.best_loss:
            self.best_loss, self.best_step, self.worse = loss, step, 0
            return True
        self.worse += 1
        return False
