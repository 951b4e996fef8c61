"""Members of the family of `reach`, one file each, found by name: ``reach@usage``.

An entry exposes ``reach(hops)``, which gives the `scarceseq.selection.reach.Reach` of a config's number of steps.
"""
