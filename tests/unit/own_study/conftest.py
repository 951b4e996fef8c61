"""The small world of studies, as fixtures."""

from small_world import episode_settings, fitting, guide, make_corpus, world

__all__ = ["episode_settings", "fitting", "guide", "make_corpus", "world"]
