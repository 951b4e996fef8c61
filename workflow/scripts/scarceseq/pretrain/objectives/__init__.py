"""Registry of objectives: one file per entry, found by name; a base's config may combine several with weights.

An entry offers ``READS``, ``"reconstruction"`` or ``"embedding"``, what it judges the network by, and
``build(base, matrix, rows, options) -> torch.nn.Module``. `matrix` is a ``scarceseq.pretrain.samples.LabelledMatrix``,
`rows` are the samples that are trained on: nothing else may be fitted on. `options` are the entry's keys in the config.
The module's ``forward(view)`` gives the loss of each sample of a ``scarceseq.pretrain.task.View``, (samples,), 0 where
a sample says nothing; each of its parameters takes part in every loss. Its ``scores(view)`` gives what is
reported of a held-out study: tuples (metric, predictor, value), ``model`` being the predictor that was trained.
With ``named_heads()`` an entry gives what of it belongs into the saved model, as ``Base.heads``.
Initial weights come from torch's global generator, which the caller seeds.
"""
