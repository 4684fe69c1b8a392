from __future__ import annotations

import copy
from typing import Any

import pytest

from harness.report import phrases
from harness.report.claims import Claims
from harness.report.facts import Facts
from harness.report.results import families
from tests.report import synthetic
from tests.report.conftest import Run

WORDS = phrases.load()
LABELS = phrases.Labels(synthetic.LABELS["axes"], synthetic.LABELS["groups"])
CLAIMS = Claims(WORDS, LABELS, 0.95)


def headline(effects: dict[str, Any]) -> phrases.Both:
    return CLAIMS.headline(families(effects))


def judged(effects: dict[str, Any], **verdicts: str) -> dict[str, Any]:
    """The same run with other verdicts on its axes."""
    changed = copy.deepcopy(effects)
    for axis in changed["axes"]:
        axis["verdict"] = verdicts.get(axis["axis"], verdicts["rest"])
        axis["coverage"], axis["scenarios_needed"] = 1.0, None
        axis["reason"] = None
    return changed


def test_the_headline_counts_and_names(made: Run) -> None:
    said = headline(made[1])
    assert said.en.startswith("Disparity shown on 2 of 8 axes: gender, health; 2 inconclusive: ")
    assert "region (about 46 more scenarios needed)" in said.en
    assert "age (coverage 88.9" in said.en
    assert said.en.endswith("4 equivalent (within ±0.030).")
    assert "8 个维度中有 2 个显示存在差异：性别、健康" in said.zh


def test_all_equivalent_says_what_that_means(made: Run) -> None:
    said = headline(judged(made[1], rest="equivalent")).en
    assert said.startswith(
        "Equivalent on 8 of 8 axes (no group differs from the mean of the others"
    )
    assert "0.030 or more, 5" in said


def test_all_inconclusive_claims_nothing(made: Run) -> None:
    said = headline(judged(made[1], rest="inconclusive")).en
    assert said.startswith("Inconclusive on 8 of 8 axes")
    assert "quivalent" not in said and "isparity" not in said


def test_no_effects_is_no_verdict() -> None:
    empty = {"effects": [], "axes": [], "probes": [], "secondary": []}
    assert "no verdict" in headline(empty).en


def test_families_are_counted_apart(made: Run) -> None:
    two = copy.deepcopy(made[1])
    other = copy.deepcopy(made[1])
    for part in ("effects", "axes", "probes", "secondary"):
        for record in other[part]:
            record["language"] = "zh"
        two[part] += other[part]
    found = families(two)
    assert [len(family.axes) for family in found] == [8, 8]
    assert {e["language"] for e in found[1].effects} == {"zh"}
    assert "4 of 16 tests" in CLAIMS.headline(found).en
    assert CLAIMS.family(found[1].key).zh.endswith("中文 · 明示线索")


def crossing(effects: dict[str, Any], *verdicts: str) -> dict[str, Any]:
    """The same run with crossed axes of these verdicts."""
    more = copy.deepcopy(effects)
    for i, verdict in enumerate(verdicts):
        more["axes"].append({**effects["axes"][0], "axis": f"age+x{i}", "verdict": verdict})
    return more


def test_crossed_axes_are_counted_by_themselves(made: Run) -> None:
    """Never among the axes: no gate counts them."""
    one = crossing(made[1], "disparity", "disparity", "inconclusive")
    said = headline(one)
    assert said.en.startswith("Disparity shown on 2 of 8 axes: gender, health; 2 inconclusive: ")
    assert said.en.endswith(
        " Besides, 3 tests of crossed axes, which are exploratory and which no gate counts: "
        "2 with a disparity, 1 inconclusive, 0 equivalent."
    )
    assert said.zh.startswith("8 个维度中有 2 个显示存在差异")
    assert "另有 3 项交叉维度检验" in said.zh and "2 项显示存在差异，1 项尚无定论" in said.zh
    two = copy.deepcopy(one)
    two["axes"] += [{**axis, "language": "zh"} for axis in one["axes"]]
    many = headline(two)
    assert many.en.startswith("Disparity shown in 4 of 16 tests, ")
    assert "Besides, 6 tests of crossed axes" in many.en
    assert many.zh.startswith("16 项检验中，4 项") and "另有 6 项交叉维度检验" in many.zh
    alone = {**one, "axes": one["axes"][-3:]}
    assert headline(alone).en.startswith("Only crossed axes were tested, ")
    assert "3 times: 2 with a disparity" in headline(alone).en
    assert CLAIMS.family_headline(families(one)[0]).en == said.en


@pytest.mark.parametrize(
    ("estimate", "word"),
    [(0.021, "higher"), (-0.021, "lower"), (-0.0004, "level"), (0.0, "level")],
)
def test_a_direction_is_that_of_the_printed_number(estimate: float, word: str) -> None:
    assert CLAIMS.way(estimate).en == word
    assert word in CLAIMS.direction(estimate, 4).en


def test_two_groups_are_compared_with_each_other() -> None:
    assert CLAIMS.direction(0.1, 2).en == "higher than the other group"


def test_an_effect_has_interval_n_and_direction(made: Run) -> None:
    axis = next(a for a in made[1]["axes"] if a["axis"] == "health")
    said = CLAIMS.effect(axis["largest"], axis)
    assert "hepatitis B carrier 0.0" in said.en and "lower than the mean of the other 3" in said.en
    assert "[" in said.en and "n = 36" in said.en
    assert "乙肝病毒携带者 低于其余 3 个群体的均值" in said.zh


def test_an_undefined_effect_has_no_number(made: Run) -> None:
    axis = made[1]["axes"][0]
    record = {**axis["largest"], "low": None}
    assert CLAIMS.effect(record, axis).en == "White: not measured"


def test_an_axis_claim_follows_its_verdict(made: Run) -> None:
    for axis in made[1]["axes"]:
        said = CLAIMS.axis(axis)
        assert said.en.startswith(axis["claim"])
        assert ("没有结论" in said.zh) == (axis["verdict"] == "inconclusive")
        assert ("没有群体" in said.zh) == (axis["verdict"] == "equivalent")


def test_a_base_rate_names_what_is_measured_in_its_first_half() -> None:
    rates = {"low": {"mean": 0.4, "n": 5}, "high": {"mean": 0.6, "n": 7}}
    said = Facts(WORDS, LABELS)._base_rate({"raw": "raw", "base_rate": rates})
    assert said.en.startswith("The mean rating") and said.en.index("0.600") < said.en.index("0.400")
    assert said.zh.index("0.600") < said.zh.index("0.400")


def test_what_has_no_bound_is_not_measured_and_no_p_is_said_twice() -> None:
    record = {"floor": {"mean": 0.01, "n": 5}, "repeat": None,
              "excess": {"estimate": 0.2, "low": None, "p_value": None, "n": 5}}  # fmt: skip
    said = Facts(WORDS, LABELS)._floor(record)
    assert "What changing the person adds to it was not measured" in said.en
    control = {"estimate": 0.2, "low": None, "p_value": None, "n": 3, "sensitive": False,
               "reason": "scenarios with both arms: 3, at least 6 are needed"}  # fmt: skip
    assert Facts(WORDS, LABELS)._control(control).en == (
        "not measured: scenarios with both arms: 3, at least 6 are needed."
    )


def test_a_reason_names_groups_as_people_do() -> None:
    reason = "no answer for 'hbv' in 36 of 36 scenarios: 0 of 36 scenarios complete, at least 6 are"
    said = LABELS.named("health", WORDS.reason(f"{reason} needed (25 % of the answers failed)"))
    assert said.en.startswith("no answer for 'hepatitis B carrier' in 36 of 36 scenarios")
    assert "hbv" not in said.zh
    said = LABELS.named("health", WORDS.reason("coverage 25 % in group 'hbv', needs 95 %"))
    assert "hbv" not in said.en + said.zh
    assert LABELS.why(WORDS, "health", "coverage 25 % in group 'hbv', needs 95 %") == said
    assert LABELS.why(WORDS, "health", None) is None
