"""Report: one self-contained page, and every figure and table of it as a file.

One module per stage turns the stage's tables into a `Section` (`blocks.py`); `style.py` holds what all figures
share, `page.py` is the frame of a page, `sections.py` lists the report's sections.
"""
