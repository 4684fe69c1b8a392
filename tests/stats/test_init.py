from __future__ import annotations

import ast
from pathlib import Path

import harness.stats
from harness import stats

PROMISED = {
    "group_effects", "worst_gap", "impact_ratio", "logit_effects", "flip_rates", "intersections",
    "heterogeneity", "sign_flip_max_t", "holm", "benjamini_hochberg", "benjamini_yekutieli",
    "missing_bounds", "compare_versions", "alpha_spending", "confirm", "plan", "detectable",
    "calibrate", "agreement", "declared_looks", "betting_e_process", "cr2", "rare_effects",
}  # fmt: skip


def test_promised_names_are_public_and_exist() -> None:
    assert set(stats.__all__) >= PROMISED
    assert sorted(stats.__all__) == stats.__all__
    for name in stats.__all__:
        assert getattr(stats, name).__doc__


def test_the_room_imports_nothing_but_numpy_scipy_and_itself() -> None:
    allowed = {"__future__", "collections", "dataclasses", "typing", "numpy", "scipy"}
    for path in Path(harness.stats.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in allowed or name.startswith("harness.stats"), path.name
