"""Selectors, one module each, found by name; `scarceseq.selection.selector.Selector` says what an entry exposes."""
