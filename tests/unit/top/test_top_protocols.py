"""Entries of the registries are what their protocols say, to mypy."""

import importlib
import os
from pathlib import Path

import pytest
import scarceseq
from scarceseq import registry

ROOT = Path(scarceseq.__file__).parents[3]
PROTOCOLS = {
    "fewshot.classifiers": "fewshot.method.Classifier",
    "fewshot.features": "fewshot.method.Features",
    "fewshot.fine_tuning": "fewshot.method.Tuning",
    "guide.meta": "guide.learner.Learner",
    "network.kinds": "network.kind.Kind",
    "perturbation.predictors": "perturbation.predictor.Predictor",
    "selection.selectors": "selection.selector.Selector",
}
# Not a classifier: of one argument only.
HALF = 'CANDIDATES = "neighbours"\n\n\ndef probabilities(support):\n    return 1\n'


def test_mypy_finds_every_entry_to_be_what_its_protocol_says_and_one_that_is_not(tmp_path, monkeypatch):
    """By the settings of `make lint`, whose cache it shares."""
    api = pytest.importorskip("mypy.api")
    pairs = [
        (f"scarceseq.{kind}", name, protocol) for kind, protocol in PROTOCOLS.items() for name in registry.names(kind)
    ]
    assert len(pairs) > 80
    lines = []
    for number, (package, module, protocol) in enumerate([*pairs, ("wrong", "half", "fewshot.method.Classifier")]):
        room, _, name = protocol.rpartition(".")
        lines.append(f"from scarceseq.{room} import {name} as P{number}; from {package} import {module} as m{number}")
        lines.append(f"claim{number}: P{number} = m{number}")
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong/__init__.py").touch()
    (tmp_path / "wrong/half.py").write_text(HALF)
    (tmp_path / "claims_of_registries.py").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("MYPYPATH", os.pathsep.join([str(ROOT / "workflow/scripts"), str(tmp_path)]))
    monkeypatch.chdir(ROOT)
    told, errors, _ = api.run([str(tmp_path / "claims_of_registries.py")])
    assert not errors
    wrong = [line for line in told.splitlines() if "claims_of_registries.py" in line and ": error:" in line]
    assert len(wrong) == 1, told
    assert f"claims_of_registries.py:{len(lines)}:" in wrong[0]
    assert '"Classifier"' in wrong[0]


def test_the_attributes_of_the_protocols_are_there_at_run_time():
    """Oracle for what mypy cannot see: values that are computed when an entry is imported."""
    for kind, protocol in PROTOCOLS.items():
        room, _, name = protocol.rpartition(".")
        wanted = importlib.import_module(f"scarceseq.{room}").__dict__[name]
        members = {*wanted.__annotations__, *(key for key in vars(wanted) if not key.startswith("_"))}
        for entry in registry.names(kind):
            module = importlib.import_module(f"scarceseq.{kind}.{entry}")
            assert members <= set(vars(module)), (kind, entry)
