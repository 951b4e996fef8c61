"""Registry of meta-learners: ``learn(network, tasks, settings, seed)`` gives what a few-shot method starts from."""
