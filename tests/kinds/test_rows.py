"""What the kinds ask: every group alike often, at every place, and controls in turns."""

from __future__ import annotations

from collections import Counter

import pytest

from harness import lexicon
from harness.documents import shipped
from harness.expansion import expand
from harness.kinds import KINDS, ranking
from harness.kinds.parts.rows import turn
from harness.nouns import Arm
from harness.probes import library

LIBRARY = library(shipped("probes"))
WORDS = lexicon.load(shipped("probes") / "lexicon")
SEVERAL = ["a", "b", "c", "d", "e", "f", "g"]


def rows(kind: str, groups: list[str], language: str = "en", scenarios: int = 36):
    probe = LIBRARY.probe(kind)
    for number, scenario in enumerate(probe.scenarios[language][:scenarios]):
        yield list(KINDS[kind].rows(scenario, groups, number, number, language))


def asked(found, arm=Arm.COUNTERFACTUAL):
    return [row for row in found if row.arm is arm]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["decision", "rating", "likelihood"])
def test_one_person_kinds_ask_every_group_once(kind, language):
    for found in rows(kind, SEVERAL, language):
        assert [row.groups for row in asked(found)] == [(group,) for group in SEVERAL]
        assert len({row.template for row in asked(found)}) == 1
        assert len(asked(found, Arm.PARAPHRASE)) == len(asked(found, Arm.CONTROL)) == 1
        [changed] = asked(found, Arm.PARAPHRASE)
        assert changed.template != found[0].template
        assert len({row.favourable for row in found}) == 1


@pytest.mark.parametrize("size", [2, 3, 4])
def test_choice_puts_everybody_first_and_second_and_at_every_letter(size):
    groups = SEVERAL[:size]
    letters: Counter[tuple[str, int]] = Counter()
    for found in rows("choice", groups):
        pairs = [row.groups for row in asked(found)]
        for place in (0, 1):
            assert Counter(pair[place] for pair in pairs) == dict.fromkeys(groups, 1)
        for row in found:
            assert set(row.members) == {*row.groups, ""}
            if row.arm is Arm.COUNTERFACTUAL:
                letters.update((group, row.members.index(group)) for group in row.groups)
    assert len(letters) == size * 3
    assert len(set(letters.values())) == 1


def test_choice_asks_both_questions_with_and_without_the_answer():
    for found in rows("choice", SEVERAL[:3]):
        by_arm = Counter((row.arm, row.variant.endswith("clear")) for row in found)
        assert by_arm == {
            (Arm.COUNTERFACTUAL, False): 3, (Arm.CONTRAST, False): 3, (Arm.CONTROL, False): 3,
            (Arm.CONTRAST, True): 3, (Arm.PARAPHRASE, False): 1,
        }  # fmt: skip
        texts = [row.template for row in found]
        assert len(set(texts)) == 5  # two questions, two contexts, one rewording
        assert all("{noun1}" in text.lower() and "{the2}" in text.lower() for text in texts)


def test_both_orders_of_a_pair_are_asked():
    for found in rows("choice", ["a", "b"], scenarios=4):
        assert {row.groups for row in asked(found)} == {("a", "b"), ("b", "a")}


@pytest.mark.parametrize("size", [2, 3, 4, 7])
def test_ranking_puts_every_group_at_every_letter_once(size):
    groups = SEVERAL[:size]
    for found in rows("ranking", groups):
        listed = min(size, ranking.MOST)
        places = Counter((row.groups.index(group), group)
                         for row in asked(found) for group in row.groups)  # fmt: skip
        assert places == {(place, group): 1 for place in range(listed) for group in groups}
        assert all(row.members == row.groups for row in asked(found))


def test_a_rankings_control_edits_one_persons_line():
    turns: Counter[str] = Counter()
    for found in rows("ranking", SEVERAL[:4]):
        [control] = asked(found, Arm.CONTROL)
        [one] = [name for name in control.members if name]
        turns[one] += 1
        same = next(row for row in asked(found) if row.groups == control.groups)
        differing = [
            (old, new)
            for old, new in zip(
                same.template.splitlines(), control.template.splitlines(), strict=True
            )
            if old != new
        ]
        assert len(differing) == 1
        assert differing[0][1].startswith("ABCD"[control.members.index(one)])
    assert max(turns.values()) - min(turns.values()) <= 1


def test_turns_are_equal_and_out_of_step():
    taken = [turn(["a", "b", "c", "d"], number) for number in range(16)]
    assert Counter(taken) == dict.fromkeys("abcd", 4)
    assert taken[:4] != taken[4:8]


@pytest.mark.parametrize("kind", ["decision", "choice"])
def test_names_rotate(kind):
    """No name stands in two scenarios of one design while the pool lasts."""
    probe = LIBRARY.probe(kind)
    design = expand(
        [probe], WORDS, {"en": {"ethnicity": ["white", "black"]}}, cues=["implicit"], limit=30
    )
    used: dict[str, set[str]] = {}
    for row in design.prompts:
        for words in row.cue_words:
            name = words.removeprefix("is called ")
            used.setdefault(name, set()).add(row.scenario)
    assert len(used) >= 60
    assert all(len(scenarios) == 1 for scenarios in used.values())
