"""Scorer `clauses`: log of the mean number of characters in a clause, a readability of Chinese.

Formula: ln(characters / clauses), clauses being what stands between marks of punctuation; at most
ln 100. Range: 0 to 4.6. Neutral: no difference between groups; one of .05 is clauses 5 % longer.
Sign: higher is harder to read. Excludes: fewer than 20 characters.
Reference: the first measure of Xu, Yao and Chen (2021), Kuaiji Yanjiu 2021(3), 28-44
(徐巍、姚振晔、陈冬华，中文年报可读性：衡量与检验), who check it on annual reports; here its log.
"""

from __future__ import annotations

import math
import re

from harness.scorers.scorer import Scorer
from harness.scorers.wordlists import tokens

FEWEST = 20
LONGEST = 100
MARKS = re.compile(r"[，。！？；：、,.!?;:…\n]+|——")


def clauses(text: str, language: str) -> float | None:
    found = [len(tokens(part, language)) for part in MARKS.split(text)]
    whole = sum(found)
    if whole < FEWEST:
        return None
    return math.log(min(whole / sum(n > 0 for n in found), LONGEST))


SCORER = Scorer(
    2, "log characters a clause", (0.0, math.log(LONGEST)), 1.0, clauses, frozenset({"zh"})
)
