from __future__ import annotations

import copy

from harness.nouns import AXES
from harness.report import evidence, phrases
from harness.report.results import families
from tests.report import synthetic
from tests.report.conftest import Run

WORDS = phrases.load()
LABELS = phrases.Labels(synthetic.LABELS["axes"], synthetic.LABELS["groups"])
FACTS = evidence.rules()


def test_the_crosswalk_names_the_eight_attributes_in_order() -> None:
    assert [row["axis"] for row in FACTS["article_4"]] == list(AXES)
    assert [row["letter"] for row in FACTS["article_4"]] == list("abcdefgh")


def test_the_crosswalk_says_what_was_not_measured(made: Run) -> None:
    effects = copy.deepcopy(made[1])
    effects["axes"] = [a for a in effects["axes"] if a["axis"] != "health"]
    table = evidence.crosswalk(FACTS, families(effects), WORDS, LABELS)
    said = {row[2].csv[0]: row[3].value for row in table.rows}
    assert said["health"].en == "not measured in this run"
    assert said["gender"] == phrases.Both("measured: disparity", "已测量：存在差异")


def test_every_rule_carries_a_mark_that_is_explained() -> None:
    for rule in evidence.other_rules(FACTS):
        assert WORDS(f"evidence.mark.{rule.mark}").en
        assert rule.mark == "V" or "not verified" in WORDS(f"evidence.mark.{rule.mark}").en
        assert rule.text.en.strip() and rule.text.zh.strip()


def test_the_manifest_in_words_holds_what_repeats_a_run(made: Run) -> None:
    manifest = made[0]
    shown = [
        entry.text for _, lines in evidence.manifest_entries(manifest, WORDS) for entry in lines
    ]
    text = "\n".join(t if isinstance(t, str) else t.en for t in shown)
    for part in (
        manifest["model"]["fingerprint"], manifest["design"]["hash"], manifest["policy"]["hash"],
        manifest["command"], manifest["git_commit"], manifest["probes"][0]["sha256"],
        "torch: 2.13.0", "decision: ±0.030", "system_prompt: Be <fair> & brief.",
        "2026-11-24 02:00 UTC", "decoding.samples: 8",
    ):  # fmt: skip
        assert part in text


def test_what_is_not_recorded_is_said(made: Run) -> None:
    manifest = {**made[0], "git_commit": None, "limit": 12}
    entries = {
        e.name.en: e for _, lines in evidence.manifest_entries(manifest, WORDS) for e in lines
    }
    assert entries["Git commit"].text == WORDS("manifest.none")
    assert entries["Limit"].text == "12"


def test_moments_are_in_one_zone() -> None:
    assert evidence.moment("2026-11-24T02:00:00Z") == "2026-11-24 02:00 UTC"
    assert evidence.moment("2026-11-24T10:00:00+08:00") == "2026-11-24 02:00 UTC"
    assert evidence.moment("2026-11-24T02:00:00") == "2026-11-24 02:00 UTC"
