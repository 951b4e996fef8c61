"""Registry of scout schemes: one file per entry, found by name.

An entry offers ``draw_tasks(candidates, settings, seed) -> list of tasks``. `candidates` is a
``scarceseq.guide.plan.Candidates`` (a reader of expression, studies and labels of the samples that scouts may see),
`settings` a ``scarceseq.guide.settings.SchemeSettings``. A task is a list with one integer array per class: the rows of
its samples.
"""
