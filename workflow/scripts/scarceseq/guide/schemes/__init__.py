"""Registry of scout schemes: one file per entry, found by name.

An entry offers ``draw_tasks(expression, studies, settings, seed) -> list of tasks``. `expression` holds the z-scores,
(samples, genes), of the samples that scouts may see, `studies` their study, `settings` is a
``scarceseq.guide.settings.SchemeSettings``. A task is a list with one integer array per class: the rows of its samples.
"""
