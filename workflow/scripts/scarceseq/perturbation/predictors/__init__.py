"""Predictors, one module each, found by name.

An entry exposes

- ``NEEDS``: what of the `Prior` it uses besides names: ``graph``, ``embedding``, ``cells``, or nothing;
- ``KINDS``: kinds of screen it is defined for;
- ``prepare(prior) -> features``: what depends on prior knowledge alone, computed once per screen;
- ``fit(delta, rows, features) -> model``: learn from the training perturbations `rows` (positions in
  `Prior.perturbations`) with their differences to control `delta` (training perturbations x genes or coordinates);
- ``predict(model, rows) -> delta``: predicted differences of the perturbations `rows`.

An ensemble also has ``ensemble(model, rows)``, the prediction of each member (members x perturbations x genes), and
``hidden_states(model, rows)``, what it knows of each perturbation (perturbations x width).

Whatever is tuned is tuned within the training perturbations. An entry that draws random numbers says ``RANDOM = True``,
and its ``fit`` takes a further argument ``seed``, by default 0.
"""
