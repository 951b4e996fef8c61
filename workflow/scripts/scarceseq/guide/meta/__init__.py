"""Meta-learners, one module each, found by name; `scarceseq.guide.learner.Learner` says what an entry exposes."""
