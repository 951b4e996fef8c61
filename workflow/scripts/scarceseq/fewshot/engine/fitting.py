"""From a gradient-trained method to a function that fits it to episodes and predicts their queries (torch only)."""

import copy
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import torch

from scarceseq.fewshot.engine.loop import Engine, make_triple, stack_triples
from scarceseq.fewshot.engine.rate_inputs import RateInputs
from scarceseq.fewshot.engine.updates import Schedule
from scarceseq.fewshot.method import Candidate
from scarceseq.fewshot.refusals import check_guide
from scarceseq.progress import follow
from scarceseq.seeds import derive

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from torch import nn

    from scarceseq.fewshot.corpus import Corpus, Episode
    from scarceseq.fewshot.engine.loop import PreparedEpisode, Triple
    from scarceseq.fewshot.method import FineTuning
    from scarceseq.fewshot.settings import FittingSettings
    from scarceseq.pretrain.model import Base


# Of the memory of a GPU, how much may be taken by what fits in one stack need most.
SHARE_OF_MEMORY = 0.25


def gradient_predictor(
    method: "FineTuning",
    corpus: "Corpus",
    splits: "pd.DataFrame",
    base: "Base",
    guide: dict[str, torch.Tensor] | None,
    settings: "FittingSettings",
    seed: int,
) -> "Callable[..., list[list[np.ndarray]]]":
    """Function (episodes, candidates) -> probabilities, (queries, classes), of each episode, for each candidate.

    One fit after the other on a CPU, stacked on a GPU, where episodes of one size go together. Its attribute ``along``
    is the function (episode, candidate) -> probabilities after each number of steps in ``settings.curve_steps``, and
    ``fitted`` the function (episode, candidate) -> the trained classifier.
    """
    if guide is not None:
        encoder = {f"encoder.{name}": weight for name, weight in base.network.encoder.named_parameters()}
        check_guide(guide, encoder, base.network.width, "the guide's file")
    reference = corpus.reference(splits, settings.reference_samples, seed) if method.reference else None
    classifier = method.start(base, 2, 0)
    shared = RateInputs(base, classifier, guide, derive(seed, "rate"), reference)
    fitter = Fitter(method, shared, settings)

    def predict(episodes: "Sequence[Episode]", candidates: list[Candidate]) -> "list[list[np.ndarray]]":
        if not len(episodes):
            return [[] for _ in candidates]
        if base.mean.device.type == "cpu":
            by_episode = [fitter.one_by_one(episode, candidates) for episode in follow(episodes, "episodes")]
            return [list(results) for results in zip(*by_episode, strict=True)]
        results: list[list[Any]] = [[None] * len(episodes) for _ in candidates]
        sizes = ((len(episode.classes), len(episode.support)) for episode in episodes)
        for rows, places in product(_alike(candidate.steps for candidate in candidates), _alike(sizes)):
            fits = [(row, place) for row in rows for place in places]
            at_once = fitter.fits_at_once(episodes[places[0]])
            for block in (fits[first : first + at_once] for first in range(0, len(fits), at_once)):
                stacked = fitter.stacked([(episodes[place], candidates[row]) for row, place in block])
                for (row, place), probabilities in zip(block, stacked, strict=True):
                    results[row][place] = probabilities
        return results

    predict.along = fitter.along  # type: ignore[attr-defined]
    predict.fitted = fitter.fitted  # type: ignore[attr-defined]
    return predict


def _alike(keys: Iterable[Hashable]) -> list[list[int]]:
    """Places of equal keys together: what has as many steps, or classes and support samples, may be stacked."""
    places: dict[Hashable, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return list(places.values())


class Fitter:
    """Fits one method to episodes, one at a time or stacked; `shared` holds what does not depend on the episode."""

    def __init__(self, method: "FineTuning", shared: Any, settings: "FittingSettings") -> None:
        self.method, self.shared, self.settings = method, shared, settings
        self._rate = None if method.per_episode else method.rate(shared)
        self._pull = method.pull(shared)
        # What SGD subtracts from layers over the genes lies in the span of the support, if no weight is pulled apart.
        one_pull = not any(isinstance(pull, torch.Tensor) for pull in self._pull.values())
        self._dual = method.optimiser == "sgd" and method.kept_share == 1 and one_pull
        self._steps = max(candidate.steps for candidate in settings.candidates)
        self._engines = {}

    def one_by_one(self, episode: "Episode", candidates: list[Candidate]) -> "list[np.ndarray]":
        """Probabilities, (queries, classes), for each candidate."""
        engine, support, unit = self._prepared(episode)
        return [self._predicted(episode, engine, support, self.schedule(each, unit)) for each in candidates]

    def along(self, episode: "Episode", candidate: Candidate) -> "list[np.ndarray]":
        """Probabilities, (queries, classes), after each of ``settings.curve_steps``."""
        engine, support, unit = self._prepared(episode)
        probabilities, schedule = [], self.schedule(candidate, unit)
        for steps in self.settings.curve_steps:  # descent is deterministic: fewer steps are the beginning of more
            shorter = replace(schedule, steps=steps, probe_steps=min(schedule.probe_steps, steps))
            probabilities.append(self._predicted(episode, engine, support, shorter))
        return probabilities

    def fitted(self, episode: "Episode", candidate: Candidate) -> "nn.Module":
        """The classifier after the last step, a network of its own."""
        engine, support, unit = self._prepared(episode)
        fit = engine.fit(support, self.schedule(candidate, unit), self.method.kept_share, [self._generator(episode)])
        classifier = copy.deepcopy(self._start(episode))
        classifier.load_state_dict(engine.weights(support, fit), strict=False)
        return classifier.eval()

    def stacked(self, fits: Any) -> list[Any]:
        """Probabilities of some (episode, candidate), all fitted at once; supports of one size, equally many steps."""
        begun = [self.begin(episode) for episode, _ in fits]
        expression, classes, queries = zip(*(self._tensors(episode) for episode, _ in fits), strict=True)
        query = torch.nn.utils.rnn.pad_sequence(list(queries), batch_first=True)
        engine, triple = begun[0][1], stack_triples([triple for triple, _ in begun])
        support = engine.prepare(triple, torch.stack(expression), torch.stack(classes), query, len(fits))
        rates: Any = torch.tensor([candidate.value for _, candidate in fits], dtype=torch.float64, device=query.device)
        schedule = self.schedule(Candidate(rates, fits[0][1].steps), self._unit(engine, support))
        fit = engine.fit(support, schedule, self.method.kept_share, [self._generator(episode) for episode, _ in fits])
        probabilities = engine.predict(support, fit).cpu().numpy()
        return [rows[: len(asked)] for rows, asked in zip(probabilities, queries, strict=True)]

    def fits_at_once(self, episode: "Episode") -> int:
        """On a GPU, what memory allows; on a CPU stacking only drives the weights out of the caches."""
        device = self.shared.base.mean.device
        if device.type == "cpu":
            return 1
        _, engine = self.begin(episode)
        free, _ = torch.cuda.mem_get_info(device)
        return max(1, int(SHARE_OF_MEMORY * free / engine.bytes_per_fit(len(episode.support))))

    def _start(self, episode: "Episode") -> "nn.Module":
        return self.method.start(self.shared.base, len(episode.classes), derive(episode.seed, "start"))

    def _prepared(self, episode: "Episode") -> tuple[Engine, "PreparedEpisode", Any]:
        """Engine of an episode, what all its fits share, and what learning rates are multiples of."""
        triple, engine = self.begin(episode)
        support = engine.prepare(triple, *self._tensors(episode))
        return engine, support, self._unit(engine, support)

    def _predicted(
        self, episode: "Episode", engine: Engine, support: "PreparedEpisode", schedule: Schedule
    ) -> "np.ndarray":
        fit = engine.fit(support, schedule, self.method.kept_share, [self._generator(episode)])
        return engine.predict(support, fit).cpu().numpy()

    def begin(self, episode: "Episode") -> "tuple[Triple, Engine]":
        """Triple of an episode, and the engine for supports of its size."""
        classifier, rate = self._start(episode), self._rate
        if rate is None:
            support, classes, _ = self._tensors(episode)
            rate = self.method.rate(replace(self.shared, classifier=classifier, support=support, classes=classes))
        triple = make_triple(classifier, rate, self._pull)
        samples, genes = episode.support.shape
        key = len(episode.classes), samples
        if key not in self._engines:
            self._engines[key] = Engine(classifier, triple, samples, genes, self._steps, self._dual)
        return triple, self._engines[key]

    def _unit(self, engine: Engine, support: "PreparedEpisode") -> Any:
        """What learning rates are multiples of; of a stack of fits, one each."""
        if self.settings.rate_scale == "absolute" or self.method.optimiser != "sgd":
            return 1.0
        unit = engine.stable_rate(support, self.settings.momentum)
        return float(unit) if support.fits is None else unit

    def schedule(self, candidate: Candidate, unit: Any = 1.0) -> Schedule:
        """How long and how fast the method's fits go, at a candidate's learning rate, in units of `unit`, and steps."""
        probe_steps = round(self.method.probe_share * candidate.steps)
        return Schedule(
            candidate.value * unit, self.settings.momentum, candidate.steps, self.method.optimiser, probe_steps
        )

    def _generator(self, episode: "Episode") -> torch.Generator:
        device = self.shared.base.mean.device
        return torch.Generator(device).manual_seed(derive(episode.seed, "kept entries"))

    def _tensors(self, episode: "Episode") -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        device, dtype = self.shared.base.mean.device, self.shared.base.mean.dtype
        support, query = (torch.from_numpy(values).to(device, dtype) for values in (episode.support, episode.query))
        return support, torch.from_numpy(episode.support_classes).to(device), query
