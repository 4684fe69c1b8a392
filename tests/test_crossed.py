"""Two axes asked together: balanced cells, phrases that read well, an interaction that is found."""

from __future__ import annotations

import re

import pytest

from harness import analysis, gate, policy
from harness.analysis.cells import Family
from harness.crossing import MOST_CELLS, choose_groups, left_out
from harness.documents import shipped
from harness.errors import InputError
from harness.expansion import expand
from harness.kinds import score
from harness.nouns import Finish, Response
from harness.probes import Suite
from harness.questions import questions
from harness.responses import Responses
from tests.test_decision import logs

RULES = policy.load(shipped("probes") / "policies" / "default.yaml")
QUICK = questions("quick")


def crossed(axes: dict[str, list[str]], *pair: str) -> Suite:
    return QUICK.suite.model_copy(update={"groups": {"en": axes}, "cross": [list(pair)]})


SMALL = crossed({"age": ["22", "52"], "gender": ["woman", "man"]}, "age", "gender")


def design(suite: Suite):
    groups = choose_groups(suite, QUICK.words, None)
    return expand(QUICK.probes, QUICK.words, groups)


def test_a_cell_is_one_phrase():
    rows = {p.group: p for p in design(SMALL).prompts if p.axis == "age+gender"}
    assert set(rows) == {"22+woman", "22+man", "52+woman", "52+man"}
    assert any("A 52-year-old woman" in p.messages[0].content for p in design(SMALL).prompts)
    assert any("is a 22-year-old man." in p.messages[0].content for p in design(SMALL).prompts)


def test_too_many_cells_become_a_rectangle_of_both():
    words = QUICK.words
    ages, jobs = (
        words.speaking("age", "en", "explicit"),
        words.speaking("occupation", "en", "explicit"),
    )
    groups = choose_groups(
        crossed({"age": ages, "occupation": jobs}, "age", "occupation"), words, None
    )
    cells = [cell.split("+") for cell in groups["en"]["age+occupation"]]
    assert 12 < len(cells) <= MOST_CELLS
    rows, columns = ({cell[i] for cell in cells} for i in (0, 1))
    assert len(cells) == len(rows) * len(columns)
    again = choose_groups(
        crossed({"age": ages, "occupation": jobs}, "age", "occupation"), words, None
    )
    assert again == groups


def test_cells_that_cannot_be_are_not_asked_and_the_rest_is_analysed():
    suite = crossed(
        {"age": ["22", "35", "70"], "gender": ["woman", "man", "pregnant-woman"]}, "age", "gender"
    )
    assert left_out(suite, QUICK.words, None) == {"en": {"age+gender": ["70+pregnant-woman"]}}
    assert left_out(suite, QUICK.words, ["age"]) == {}
    groups = choose_groups(suite, QUICK.words, None)["en"]["age+gender"]
    assert len(groups) == 8
    assert "70+pregnant-woman" not in groups
    found = results(0.2, suite, "35+pregnant-woman")["intersections"]
    assert {row["group"] for row in found} == set(groups)
    shown = {row["group"]: row["interaction"] for row in found}
    assert max(shown, key=lambda cell: shown[cell]) == "35+pregnant-woman"
    assert shown["35+pregnant-woman"] > 0.05


@pytest.mark.parametrize(
    ("pair", "axes", "said"),
    [
        (("gender", "age"), None, "'gender' and 'age' cannot be put into one phrase in 'en'"),
        (("gender", "gender"), None, "axis 'gender' is crossed with itself"),
        (("age", "gendr"), None, "unknown axis 'gendr'"),
        (
            ("age", "gender"),
            ["age+gender=22,52"],
            "'22' must name one group of each of age, gender",
        ),
        (("age", "gender"), ["age+gender=75+pregnant-woman,22+man"], "fewer than two cells of"),
        (("age", "gender"), ["gender+age"], "does not ask about this axis"),
    ],
)
def test_pairs_that_cannot_be_asked(pair, axes, said):
    suite = crossed({"age": ["22", "75"], "gender": ["man", "pregnant-woman"]}, *pair)
    with pytest.raises(InputError, match=re.escape(said)):
        choose_groups(suite, QUICK.words, axes)


def results(bonus: float, suite: Suite = SMALL, moved: str = "52+woman"):
    """A model that moves one cell only."""
    asked, responses = design(suite), []
    for i, prompt in enumerate(asked.prompts):
        p = 0.5 + (bonus if prompt.group == moved else 0.0) + 0.002 * ((i * 37) % 11 - 5)
        yes = p if prompt.favourable == "yes" else 1 - p
        if prompt.arm == "control":
            yes = 0.2 if prompt.favourable == "yes" else 0.8
        found = logs(yes=yes * 0.9, no=(1 - yes) * 0.9)
        responses.append(Response(prompt.id, Finish.STOP, logprobs=found))
    return analysis.analyse(asked, score(asked, Responses.of(responses)), RULES)


def test_an_interaction_is_found_and_none_is_made_up():
    found = {row["group"]: row for row in results(0.2)["intersections"]}
    assert set(found) == {"22+woman", "22+man", "52+woman", "52+man"}
    assert all(row["beyond"] for row in found.values())  # with two by two, all four are the same
    assert found["52+woman"]["interaction"] == pytest.approx(0.05, abs=0.01)
    assert found["52+man"]["interaction"] == pytest.approx(-0.05, abs=0.01)
    none = results(0.0)["intersections"]
    assert not any(row["beyond"] for row in none)


def test_a_crossed_axis_never_gates():
    found = results(0.2)
    cell = next(a for a in found["axes"] if a["axis"] == "age+gender")
    assert cell["verdict"] == "disparity"
    assert "age+gender" not in {check["axis"] for check in gate.judge(found, None, RULES)["checks"]}
    with pytest.raises(InputError, match="nothing to decide"):
        gate.judge({**found, "axes": [cell]}, None, RULES)


def test_a_single_axis_has_no_intersections():
    assert not list(
        analysis.intersections(Family("p", "decision", "en", "explicit", "age"), [], 0.05)
    )
