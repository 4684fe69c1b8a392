"""What the report says of texts: outcomes, filters, scores, audits, labels, likeness."""

from __future__ import annotations

import copy
import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from harness import audits, lexicon, report
from harness.errors import InputError
from harness.pipeline import Run
from harness.report import phrases
from harness.report.numbers import interval, percent, plain, signed
from harness.scorers import SCORERS
from harness.scorers.audit import audit
from harness.store import SCORES, RunFolder
from harness.tables import answers
from tests.report import written
from tests.report.test_page import tree


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return written.run(tmp_path_factory.mktemp("written"))


@pytest.fixture(scope="module")
def rows(run: Run) -> Any:
    return answers(run.folder.design(), run.folder.responses(), run.path / SCORES)


@pytest.fixture(scope="module")
def html(run: Run) -> str:
    return (run.path / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def warmth() -> list[dict[str, Any]]:
    return audit("warmth", lexicon.load(), share=0.05, axes=["gender"])


def table(html: str, start: str) -> tuple[list[str], list[list[str]]]:
    """The CSV of the first table whose caption holds `start`: its heads and its rows."""
    found = next(t for t in re.findall(r"<table.*?</table>", html, re.S)
                 if start in t.split("</caption>")[0])  # fmt: skip
    heads, body = found.split("</thead>")
    names = [n for h in re.findall(r'<th [^>]*data-csv="([^"]*)"', heads) for n in h.split("|")]
    lines = re.findall(r"<tr role=.row.>.*?</tr>", body, re.S)
    cells = [[c for part in re.findall(r"data-csv='(.*?)'", line, re.S)
              for c in json.loads(unescape(part))] for line in lines]  # fmt: skip
    return names, cells


def by_name(html: str, start: str) -> list[dict[str, str]]:
    names, cells = table(html, start)
    return [dict(zip(names, row, strict=True)) for row in cells]


def test_how_texts_ended_is_counted_by_group(html: str) -> None:
    woman, man = by_name(html, "how the prompts ended")
    assert woman["group"] == "woman" and woman["answered"] == "20" and woman["refused"] == "2"
    assert woman["error"] == "2" and woman["empty"] == "0" and woman["partial"] == "0"
    assert html.count('data-csv="partial"') == 1
    assert (man["refused"], man["partial"], man["empty"]) == ("3", "2", "2")
    assert "Outcome known" in html


def test_content_filters_are_refusals_with_their_reason(html: str) -> None:
    names, lines = table(html, "stopped by a content filter")
    assert names == ["reason", "woman", "man"]
    assert lines[0] == [written.FILTERS[0], "0", "2"]
    assert lines[1][1:] == ["0", "1"]
    assert len(lines[1][0]) == 80 and lines[1][0].endswith("…")
    assert "self_harm &lt;b&gt;high&lt;/b&gt;" in html and "<b>high</b>" not in html


def test_many_reasons_of_a_filter_are_summed(run: Run, rows: Any) -> None:
    changed = {
        "status": ["refused"] * len(rows),
        "detail": [f"reason {i}" if i % 2 else None for i in range(len(rows))],
    }
    many = rows
    for name, values in changed.items():
        many = many.set_column(many.column_names.index(name), name, pa.array(values))
    page = report.render(run.manifest, run.results, many)
    _, lines = table(page, "stopped by a content filter")
    assert len(lines) == 6 and "other words" in page
    arms = many["arm"].to_pylist()
    stopped = sum(1 for i, arm in enumerate(arms) if i % 2 and arm != "paraphrase")
    assert sum(int(n) for line in lines for n in line[1:]) == stopped


def test_every_scorer_has_effect_interval_worst_case_and_raw(run: Run, html: str) -> None:
    shown = {(row["scorer"], row["group"]): row for row in by_name(html, "what the texts are like")}
    scored = [e for e in run.results["secondary"] if "scorer_version" in e]
    assert len(shown) == len(scored) >= 2 * 8
    for effect in scored:
        row = shown[effect["endpoint"], effect["group"]]
        for name, value in (
            ("effect", effect["estimate"] if effect["low"] is not None else None),
            ("low", effect["low"]), ("high", effect["high"]),
            ("worst_low", effect["bounds"]["low"]), ("worst_high", effect["bounds"]["high"]),
            ("raw_low", effect["raw"]["low"]),
        ):  # fmt: skip
            assert (float(row[name]) if row[name] else None) == value, (effect["endpoint"], name)
        assert row["verdict"] == effect["verdict"]
    woman = next(e for e in scored if (e["endpoint"], e["group"]) == ("warmth", "woman"))
    assert f"<b>{signed(woman['estimate'])}</b> {interval(woman['low'], woman['high'])}" in html
    worst = interval(woman["bounds"]["low"], woman["bounds"]["high"])
    assert f"missing texts at worst: {worst}" in html and f"缺失文本的最坏情形：{worst}" in html
    assert "raw.same" not in html and "the same" in html


def test_a_worst_case_without_an_interval_is_not_measured(run: Run, rows: Any) -> None:
    effects = copy.deepcopy(run.results)
    for row in effects["secondary"]:
        row["bounds"] = {"lower": -0.1, "upper": 0.1, "low": None, "high": None}
    page = report.render(run.manifest, effects, rows)
    assert "missing texts: worst case not measured" in page and "no bounds" not in page


def test_a_measure_without_bounds_has_no_worst_case(run: Run, rows: Any, html: str) -> None:
    assert "no worst case, it has no bounds" not in html  # every scorer of the harness has bounds
    effects = copy.deepcopy(run.results)
    for row in effects["secondary"]:
        row["bounds"] = {"lower": None, "upper": None, "low": None, "high": None}
    assert "no worst case, it has no bounds" in report.render(run.manifest, effects, rows)


def test_raw_stands_beside_blind_where_it_differs(run: Run, rows: Any) -> None:
    effects = copy.deepcopy(run.results)
    row = next(e for e in effects["secondary"] if e["endpoint"] == "warmth")
    row["raw"] = {"estimate": 0.111, "low": 0.101, "high": 0.121}
    page = report.render(run.manifest, effects, rows)
    assert "<b>+0.111</b> [0.101, 0.121]" in page


def test_the_scorers_own_bias_stands_beside_its_score(
    run: Run, rows: Any, html: str, warmth: list[dict[str, Any]]
) -> None:
    assert "not audited: give `bias-harness audit-scorer warmth --run RUN`" in html
    moved = copy.deepcopy(warmth)
    for row in moved:
        if row["scorer"] == "warmth" and row.get("group") == "woman":
            row.update(estimate=0.021, low=0.011, high=0.031, small=False)
    page = report.render(run.manifest, run.results, rows, bias=moved)
    shown = {(r["scorer"], r["group"]): r for r in by_name(page, "what the texts are like")}
    assert shown["warmth", "woman"]["own_bias"] == "0.021"
    assert shown["warmth", "man"]["own_bias"] == "0.0"
    assert shown["agency", "woman"]["own_bias"] == ""
    assert "<b>+0.021</b> [0.011, 0.031]" in page and "not shown below 0.025" in page
    assert re.search(r"Largest: \w+ \+0.021 \[0.011, 0.031\] \(n = \d+ texts\); not shown below "
                     r"half the margin \(0.025\) for 1 of \d+ groups", page)  # fmt: skip
    still = report.render(run.manifest, run.results, rows, bias=warmth)
    assert "shown below half the margin (0.025) for every group" in still


def test_whether_a_scorer_tells_texts_apart_stands_beside_its_score(
    run: Run, rows: Any, warmth: list[dict[str, Any]]
) -> None:
    def page(**changes: Any) -> str:
        changed = [{**row, **changes} if "control" in row else row for row in warmth]
        return unescape(report.render(run.manifest, run.results, rows, bias=changed))

    dull = "not shown to tell texts of known worth apart"
    response = next(row for row in warmth if "control" in row and row["language"] == "en")
    size = f"{signed(response['estimate'])} {interval(response['low'], response['high'])}"
    good = page()
    assert f"It tells texts of known worth apart: {size} (90 %, n = 8 pairs), 13.8 margins." in good
    assert f"能分辨优劣已知的文本：{size}" in good
    assert f"{dull};" not in good
    blunt = page(estimate=0.021, low=-0.011, high=0.053, tells=False)
    assert f"It is {dull}: +0.021 [−0.011, 0.053] (90 %, n = 8 pairs), not above" in blunt
    assert "It cannot gate, and a small effect says nothing." in blunt
    assert dull in "".join(blunt.split("what the texts are like")[1:])  # in the scorer's own rows
    why = "5 of 8 pairs have both numbers, 6 are needed"
    lost = page(estimate=None, low=None, high=None, tells=False, reason=why)
    assert f"apart is not measured ({why}). It cannot gate." in lost
    old = [row for row in warmth if "control" not in row]
    aged = unescape(report.render(run.manifest, run.results, rows, bias=old))
    assert "asked about no texts of known worth: give `bias-harness audit-scorer warmth" in aged


def test_an_audit_of_another_version_is_none(
    run: Run, rows: Any, warmth: list[dict[str, Any]]
) -> None:
    older = [{**row, "version": 0} for row in warmth]
    page = report.render(run.manifest, run.results, rows, bias=older)
    assert all(row["own_bias"] == "" for row in by_name(page, "what the texts are like"))
    assert "not audited: give `bias-harness audit-scorer warmth" in page


def test_what_no_scorer_measured_is_named(run: Run, rows: Any) -> None:
    effects = {**run.results, "unmeasured": [
        {"scorer": "sentiment", "language": "en", "reason": "needs lib: pip install 'x[text]'"}
    ]}  # fmt: skip
    page = report.render(run.manifest, effects, rows)
    assert "not measured: needs lib: pip install" in page
    assert "未测得：需要 lib" in page


def test_a_judges_failed_readings_are_counted_by_group(run: Run, rows: Any) -> None:
    outcomes = {"gender woman": {"answered": 20, "refused": 3}, "gender man": {"answered": 19,
                "unparsed": 4}}  # fmt: skip
    manifest = {**run.manifest, "scorers": {
        "kindness": {"outcomes": {"kindness": outcomes, "kindness_raw": outcomes}},
        "toxicity": {"definition": {}},
    }}  # fmt: skip
    page = report.render(manifest, run.results, rows)
    woman, man = by_name(page, "Judge kindness")
    assert (woman["answered"], woman["refused"], woman["unparsed"]) == ("20", "3", "0")
    assert (man["answered"], man["refused"], man["unparsed"]) == ("19", "0", "4")
    assert "评审 kindness" in page


def test_a_judge_that_likes_the_first_place_is_called_blunt(run: Run, rows: Any) -> None:
    ended = {"pairs": {"gender woman": {"answered": 20}}}
    for first, said in ((0.897, "the first place won 0.897 of the comparisons"), (None, None)):
        judged = {"pairs": {"outcomes": ended, "first_place": {"pairs": first}}}
        page = report.render({**run.manifest, "scorers": judged}, run.results, rows)
        assert (said in page) if said else ("the first place won" not in page)


def test_likeness_is_said_as_excess_over_both_floors(run: Run, html: str) -> None:
    [found] = run.results["similarity"]
    text = " ".join(tree(html).text)
    assert f"{plain(found['between'])} apart on average" in text
    for arm, said in (("repeat", "the very same prompt"), ("paraphrase", "a rewording")):
        floor, size = plain(found[arm]["floor"]), re.escape(signed(found[arm]["estimate"]))
        low = plain(found[arm]["low"])
        assert re.search(rf"{said} are {floor} apart: changing the group "
                         rf"adds {size} \(one-sided lower bound {low}", text)  # fmt: skip


def calibration(run: Run) -> dict[str, Any]:
    """As `labels import` writes it, with numbers of our own."""
    now = {e["group"]: e["estimate"] for e in run.effects}

    def effect(estimate: float, verdict: str = "inconclusive") -> dict[str, Any]:
        return {"estimate": estimate, "low": estimate - 0.2, "high": estimate + 0.2,
                "verdict": verdict, "reason": None}  # fmt: skip

    alpha = {"alpha": 0.81, "low": 0.7, "high": 0.9, "gap": 0.1, "reliable": True,
             "scenarios": 8, "reason": None, "by_group": {
                 "woman": {"alpha": 0.85, "low": 0.6, "high": 0.95},
                 "man": {"alpha": 0.4, "low": None, "high": None},
             }}  # fmt: skip
    family = {key: run.effects[0][key] for key in ("probe", "kind", "language", "cue", "axis")}
    groups = [
        {"group": group, "automatic": effect(now[group]), "corrected": effect(size, "disparity"),
         "error": error, "error_low": error and error - 0.2,
         "error_high": error and error + 0.2, "error_contrast": error, "error_p": 0.04}
        for group, size, error in (("woman", -0.31, -0.25), ("man", 0.31, None))
    ]  # fmt: skip
    return {"scorer": "status", "raters": ["anna", "ben"], "items": 32, "families": [
        {**family, "endpoint": "y", "margin": 0.03, "labelled": 8, "unlabelled": 4,
         "raters": alpha, "scorer_and_people": {**alpha, "alpha": 0.62}, "groups": groups},
    ]}  # fmt: skip


def test_labels_stand_beside_the_scorer(run: Run, rows: Any) -> None:
    page = report.render(run.manifest, run.results, rows, calibrations=[calibration(run)])
    assert "checked by 2 raters in 8 scenarios (4 not labelled)" in page
    assert "Agreement of the raters: alpha 0.810 [0.700, 0.900]" in page
    assert "of scorer and raters: 0.620 [0.700, 0.900]" in page
    woman, man = by_name(page, "checked by 2 raters")
    assert woman["corrected"] == "-0.31" and woman["error"] == "-0.25"
    assert float(woman["automatic"]) == run.effects[0]["estimate"]
    assert woman["verdict"] == "disparity" and woman["agreement"] == "0.85"
    assert "0.850 [0.600, 0.950]" in page
    assert man["error"] == man["agreement"] == ""  # undefined is no 0
    error = (
        "−0.250 [−0.450, −0.050] on average (n = 8); "
        "against the others' error −0.250 (p =\u202f0.040)"
    )
    assert error in unescape(page)
    assert "labels import" not in page and "reliable: " not in page


def test_raters_that_do_not_agree_are_named_before_anything_else(run: Run, rows: Any) -> None:
    found = calibration(run)
    found["families"][0]["raters"] = {**found["families"][0]["raters"], "alpha": -0.63,
                                      "low": -0.87, "high": -0.29, "reliable": False}  # fmt: skip
    page = report.render(run.manifest, run.results, rows, calibrations=[found])
    assert "These labels are not shown to be reliable: the raters" in page
    assert "未能证明这些标注可靠" in page


def test_labels_of_effects_that_are_not_shown_are_not_called_stale(run: Run, rows: Any) -> None:
    """Too few scenarios: the labels hold no number, and neither does the report."""
    found = calibration(run)
    for row in found["families"][0]["groups"]:
        row["automatic"].update(estimate=None, low=None, high=None)
    results = {**run.results, "effects": [{**e, "low": None, "high": None} for e in run.effects]}
    page = report.render(run.manifest, results, rows, calibrations=[found])
    assert "labels import" not in page
    page = report.render(run.manifest, run.results, rows, calibrations=[found])
    assert "labels import" in page


def test_labels_of_other_scores_are_called_stale(run: Run, rows: Any) -> None:
    old = calibration(run)
    old["families"][0]["groups"][0]["automatic"]["estimate"] += 0.01
    page = report.render(run.manifest, run.results, rows, calibrations=[old])
    assert "give `bias-harness labels import` again" in page


def test_a_run_shows_the_audits_and_labels_in_its_folder(
    run: Run, warmth: list[dict[str, Any]], tmp_path: Path
) -> None:
    folder = RunFolder(Path(shutil.copytree(run.path, tmp_path / "run")))
    audits.write(folder, "warmth", warmth, {"version": SCORERS["warmth"].version})
    status = audit("status", lexicon.load(), share=0.05, axes=["gender"])
    audits.write(folder, "status", status, {"version": status[0]["version"]})
    (folder.path / "labels/status").mkdir(parents=True)
    RunFolder(folder.path / "labels/status").write_json("calibration.json", calibration(run))
    page = report.of_run(folder)
    assert "checked by 2 raters" in page and "shown below half the margin" in page
    assert "Refusal detector" in page and "Refusal detector" not in run_page(run)
    names = [path.name for path in report.later(folder)]
    assert sorted(names) == ["audit-status.json", "audit-warmth.json", "calibration.json"]


def run_page(run: Run) -> str:
    return (run.path / "report.html").read_text(encoding="utf-8")


def test_an_audit_that_does_not_fit_is_not_shown(
    run: Run, warmth: list[dict[str, Any]], tmp_path: Path
) -> None:
    folder = RunFolder(Path(shutil.copytree(run.path, tmp_path / "run")))
    audits.write(folder, "warmth", warmth, {"version": SCORERS["warmth"].version})
    effects = folder.read_json("effects.json")
    for row in effects["secondary"]:
        if row["endpoint"] == "warmth":
            row["scorer_version"] += 1
    folder.write_json("effects.json", effects)
    assert all(row["own_bias"] == "" for row in
               by_name(report.of_run(folder), "what the texts are like"))  # fmt: skip
    folder.write_json("audit-warmth.json", {"rows": []})
    with pytest.raises(InputError, match=r"audit-warmth\.json: changed after"):
        report.of_run(folder)


def test_a_damaged_calibration_is_named(run: Run, tmp_path: Path) -> None:
    folder = RunFolder(Path(shutil.copytree(run.path, tmp_path / "run")))
    (folder.path / "labels/status").mkdir(parents=True)
    (folder.path / "labels/status/calibration.json").write_text("[1]")
    with pytest.raises(InputError, match=r"calibration\.json: damaged; give `bias-harness labels"):
        report.of_run(folder)


def test_every_reason_of_a_run_of_texts_has_chinese_words(run: Run) -> None:
    words = phrases.load()
    records = [*run.effects, *run.axes, *run.results["secondary"], *run.results["unmeasured"]]
    reasons = {r["reason"] for r in records if r["reason"]}
    assert len(reasons) >= 4
    assert [r for r in reasons if not re.search("[\u4e00-\u9fff]", words.reason(r).zh)] == []


def test_the_page_is_well_formed_and_no_answer_is_markup(html: str) -> None:
    found = tree(html)
    assert "window.hacked" not in html
    text = " ".join(found.text)
    assert "None" not in text and not re.search(r"(?<![\w/.-])-\d", text)
    assert not re.search(r"\bnan\b", text)


def test_a_refusal_probe_says_whether_the_halves_are_told_apart(tmp_path: Path) -> None:
    made = written.run(tmp_path, "refusal")
    page = (made.path / "report.html").read_text(encoding="utf-8")
    control = made.results["probes"][0]["control"]
    wanted, unwanted = map(percent, control["halves"])
    assert re.search(rf"Of what should be refused {wanted} was refused, of what should be "
                     rf"answered {unwanted}", page)  # fmt: skip
    assert "not shown to tell the two apart" in page
    assert "disqualifying fact" not in page


def test_an_axis_that_was_stopped_early_says_where(run: Run, rows: Any) -> None:
    manifest, effects = copy.deepcopy(run.manifest), copy.deepcopy(run.results)
    manifest["looks"] = {"looks": 3, "ends": {"generation en": [4, 8, 12]}, "taken": 2,
                         "kinds": ["generation"], "decided": [], "seed": 0}  # fmt: skip
    effects["axes"][0]["look"] = {"look": 2, "of": 3, "stopped": True}
    page = report.render(manifest, effects, rows)
    assert page.count(">stopped at look 2 of 3, after 8 of 12 scenarios") == 2  # overview, axis
    assert "在 3 次查看中的第 2 次停止，已问 12 个情境中的 8 个" in page
    effects["axes"][0]["look"] = {"look": 3, "of": 3, "stopped": False}
    assert "stopped at look" not in report.render(manifest, effects, rows)
