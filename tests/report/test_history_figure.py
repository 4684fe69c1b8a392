"""The trend over versions as a figure."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from harness.errors import InputError
from harness.report import history_figure as module
from harness.report.history_figure import history_figure


def record(version, date, *, design="d" * 64, estimate=-0.05, verdict="disparity", largest=True):
    row = {
        "probe": "p", "kind": "decision", "language": "en", "cue": "explicit", "axis": "age",
        "verdict": verdict, "margin": 0.03,
        "largest": {"group": "70", "estimate": estimate, "low": estimate - 0.01,
                    "high": estimate + 0.01, "verdict": verdict} if largest else None,
    }  # fmt: skip
    return {
        "model": {"family": "toy", "version": version}, "fingerprint": version * 8,
        "labels": {"axes": {"age": {"en": "Age"}},
                   "groups": {"age": {"70": {"en": "70 years old"}}}},
        "date": date, "design": design, "axes": [row],
        "effects": [
            {**{k: row[k] for k in ("probe", "kind", "language", "cue", "axis")},
             "group": group, "estimate": value, "low": value - 0.01, "tost_low": value - 0.006,
             "tost_high": value + 0.006}
            for group, value in (("22", 0.01), ("70", estimate))
        ],
    }  # fmt: skip


def drawn(records):
    figure = module._draw(module._panels(records))
    try:
        return figure.axes[0]
    finally:
        plt.close("all")


def lines(axes):
    """Every line as its two ends, without the zero line and single markers."""
    ends = [[*zip(*(map(float, v) for v in line.get_data()), strict=True)] for line in axes.lines]
    return [tuple(e) for e in ends if len(e) == 2 and e[0][1] != 0]


def test_every_version_has_its_interval_and_the_newest_ones_group_is_followed():
    axes = drawn([record("1", "2026-01-01"), record("2", "2026-02-01", estimate=-0.07)])
    found = lines(axes)
    assert ((0.0, pytest.approx(-0.06)), (0.0, pytest.approx(-0.04))) in found
    assert ((1.0, pytest.approx(-0.08)), (1.0, pytest.approx(-0.06))) in found
    assert ((0.0, pytest.approx(-0.056)), (0.0, pytest.approx(-0.044))) in found
    assert ((0.0, -0.05), (1.0, -0.07)) in found
    other = record("2", "2026-02-01", estimate=-0.07)
    other["axes"][0]["largest"]["group"] = "22"
    assert ((0.0, 0.01), (1.0, 0.01)) in lines(drawn([record("1", "2026-01-01"), other]))
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["1\n2026-01-01", "2\n2026-02-01"]
    assert axes.get_title(loc="left") == "Age"
    assert [text.get_text() for text in axes.texts] == ["70 years old"] * 2


def test_a_long_version_is_written_on_two_lines():
    axes = drawn([record("instruct-q4_1-bfloat16", "2026-01-01")])
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "instruct-q4_1-\nbfloat16\n2026-01-01"
    ]


def test_versions_of_two_designs_are_not_joined():
    axes = drawn([record("1", "2026-01-01"), record("2", "2026-02-01", design="e" * 64)])
    assert not [line for line in lines(axes) if line[0][0] != line[1][0]]


def test_what_was_not_measured_is_said():
    axes = drawn([record("1", "2026-01-01"), record("2", "2026-02-01", largest=False)])
    assert "not\nmeasured" in [text.get_text() for text in axes.texts]
    assert not [line for line in lines(axes) if line[0][0] != line[1][0]]


def test_the_same_records_give_the_same_svg(tmp_path):
    for name in ("a.svg", "b.svg"):
        history_figure([record("1", "2026-01-01")], tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_nothing_to_draw_and_another_form_are_errors(tmp_path):
    with pytest.raises(InputError, match="nothing to draw"):
        history_figure([], tmp_path / "a.svg")
    with pytest.raises(InputError, match=r"\.png or \.svg"):
        history_figure([record("1", "2026-01-01")], tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())
