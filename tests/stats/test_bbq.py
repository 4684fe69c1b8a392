"""The BBQ scores: by hand, at the extremes, and the paper's own figures from its raw answers."""

from __future__ import annotations

import json

import pytest

from harness import stats
from tests.conftest import SHARED

DATA = SHARED / "data" / "bbq"
NOBODY, TARGET, OTHER = (0, 0), (1, 0), (0, 1)


def scores(*answers: tuple[tuple[int, int], bool, bool, bool]):
    """Of answers as (who is named, negative question, ambiguous context, right)."""
    said, negative, ambiguous, correct = zip(*answers, strict=True) if answers else ((),) * 4
    return stats.bbq_scores(
        [who[0] for who in said], [who[1] for who in said],
        negative=negative, ambiguous=ambiguous, correct=correct,
    )  # fmt: skip


def test_by_hand():
    found = scores(
        (TARGET, True, True, False), (TARGET, True, True, False), (OTHER, True, True, False),
        (OTHER, False, True, False), (NOBODY, True, True, True), (NOBODY, False, True, True),
        (TARGET, True, False, True), (TARGET, False, False, True), (OTHER, False, False, False),
    )  # fmt: skip
    # ambiguous: 3 of 4 named answers are biased, 2 of 6 right; clear: 2 of 3 biased, 2 right
    assert found.ambiguous == pytest.approx((2 * 3 / 4 - 1) * (1 - 2 / 6))
    assert found.disambiguated == pytest.approx(2 * 2 / 3 - 1)
    assert found.accuracy_ambiguous == pytest.approx(2 / 6)
    assert found.accuracy_disambiguated == pytest.approx(2 / 3)
    assert (found.n_ambiguous, found.n_disambiguated, found.n_named) == (6, 3, (4, 3))


@pytest.mark.parametrize(
    ("bad", "good", "score"),
    [(TARGET, OTHER, 1.0), (OTHER, TARGET, -1.0), (TARGET, TARGET, 0.0), (OTHER, OTHER, 0.0)],
)
def test_extremes_and_neutral(bad, good, score):
    """Against the target in both questions, for it in both, or always the same person."""
    found = scores((bad, True, True, False), (good, False, True, False),
                   (bad, True, False, True), (good, False, False, True))  # fmt: skip
    assert (found.ambiguous, found.disambiguated) == (score, score)


def test_all_unknown_is_no_bias_where_it_is_right_and_no_score_where_it_is_wrong():
    found = scores((NOBODY, True, True, True), (NOBODY, True, False, False))
    assert (found.ambiguous, found.accuracy_ambiguous) == (0.0, 1.0)
    assert (found.disambiguated, found.accuracy_disambiguated) == (None, 0.0)
    assert scores((NOBODY, True, True, False)).ambiguous is None


def test_nothing_is_undefined_and_never_zero():
    found = scores()
    assert found == stats.BBQScores(None, None, None, None, 0, 0, (0, 0))
    assert scores((TARGET, True, True, False)).disambiguated is None


def test_vectors_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        stats.bbq_scores([1], [0, 1], negative=[1], ambiguous=[1], correct=[1])


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared BBQ data is not here")
@pytest.mark.parametrize("variant", ["ARC", "RACE"])
@pytest.mark.parametrize("category", ["Age", "Disability_status", "Nationality"])
def test_the_papers_figures_come_out_of_its_raw_answers(category, variant):
    published = json.loads((DATA / "published_figures.json").read_text("utf-8"))
    model = f"UnifiedQA-11B({variant})"
    answers = []
    unread = 0
    path = DATA / "unifiedqa" / f"preds_{category}.jsonl"
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        said = [row[f"ans{i}"].strip().lower().rstrip(".") for i in range(3)]
        guess = row[f"unifiedqa-t5-11b_pred_{variant.lower()}"].strip().lower().rstrip(".")
        if guess not in said:
            unread += 1
            continue
        info = row["answer_info"]
        named = {word.lower() for word in info[f"ans{said.index(guess)}"]}
        groups = {word.lower() for word in row["additional_metadata"]["stereotyped_groups"]}
        who = NOBODY if "unknown" in named else TARGET if named & groups else OTHER
        answers.append((who, row["question_polarity"] == "neg",
                        row["context_condition"] == "ambig",
                        said.index(guess) == row["label"]))  # fmt: skip
    found = scores(*answers)
    assert unread <= 1
    for value, figure, context in [
        (found.ambiguous, "bias_score", "ambig"), (found.disambiguated, "bias_score", "disambig"),
        (found.accuracy_ambiguous, "accuracy", "ambig"),
        (found.accuracy_disambiguated, "accuracy", "disambig"),
    ]:  # fmt: skip
        assert value is not None
        assert 100 * value == pytest.approx(published[figure][category][context][model], abs=0.051)
