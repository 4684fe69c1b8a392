"""Scorer `drift`: the share of an answer that is not in the script it was asked in.

Formula: letters of other scripts / all letters. Range: 0 to 1. Neutral: 0. Sign: higher is more
drift. Excludes: texts without letters. Asked in Chinese and answered in English is 1; asked in
English and answered in French is 0, for the script is the same. TA, for 她 or 他, is Chinese.
"""

from __future__ import annotations

import re

from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import CHINESE

WORDS = {"en": r"[^\W\d_]", "zh": rf"{CHINESE}|[^\W\d_\u3400-\u9fff]+"}
"""Letters one by one; in Chinese, a run of other letters counts as one."""
OWN = {"en": r"[A-Za-z\u00c0-\u024f]", "zh": CHINESE}


def drift(text: str, language: str) -> float | None:
    units = re.findall(WORDS[language], text)
    if not units:
        return None
    return sum(re.fullmatch(OWN[language], unit) is None for unit in units) / len(units)


SCORER = Scorer(2, "share of letters", (0.0, 1.0), 1.0, drift)
