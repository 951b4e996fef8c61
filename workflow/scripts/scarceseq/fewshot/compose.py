"""From a method's name to the method; `scarceseq.config.method_names` says what names there are."""

from dataclasses import replace

from scarceseq import registry
from scarceseq.fewshot.method import Estimator, FineTuning


def compose(name: str) -> FineTuning | Estimator:
    """The method of a name such as ``logistic@genes``, ``l2_sp``, ``guided@per_tensor`` or ``simpleshot@protonet``.

    What stands behind the ``@`` is a guide if fine-tuning is guided, and else features or, where there are none of that
    name, what meta-learning made of the encoder. Guides and learned encoders are files, which are given to the method.
    """
    entry, _, source = name.partition("@")
    if entry in registry.names("fewshot.classifiers"):
        classifier = registry.load("fewshot.classifiers", entry)
        learned = source not in registry.names("fewshot.features")
        features = registry.load("fewshot.features", "embedding" if learned else source)
        return Estimator(features.prepare, classifier.probabilities, "reference" in features.NEEDS, learned)
    tuning = registry.load("fewshot.fine_tuning", entry)
    return replace(tuning.METHOD, learned_encoder=bool(source) and not getattr(tuning, "GUIDED", False))
