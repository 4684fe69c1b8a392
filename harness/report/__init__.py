"""Reports: what a release reviewer decides from (docs say how to read one).

`of_run` makes one self-contained HTML file for a run, in English and Chinese; `figure` draws
the forest plots for papers and slides. Python makes the data of a page (`view`, `sets`,
`evidence`), Jinja templates make its markup, `words/*.yaml` hold every sentence.
"""

from __future__ import annotations

from harness.report.figure_file import figure
from harness.report.page import later, of_run, render

__all__ = ["figure", "later", "of_run", "render"]
