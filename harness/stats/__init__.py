"""Honest statistics on arrays; knows nothing of prompts or models.

Rows are scenarios, the statistical unit; columns are groups. Functions are pure, raise
ValueError for bad input, never warn, and draw random numbers only from a passed generator.
"""

from harness.stats.agreement import Agreement, agreement
from harness.stats.bbq import BBQScores, bbq_scores
from harness.stats.bounded import bounded_interval
from harness.stats.calibrate import Calibration, calibrate
from harness.stats.cells import cell_means
from harness.stats.contrasts import axis_verdict, contrasts, family_size
from harness.stats.effects import GroupEffects, group_effects
from harness.stats.exact import ExactEffects, exact_effects
from harness.stats.flips import FlipRates, flip_rates
from harness.stats.floor import Excess, floor_excess, spread_between, spread_under_edit
from harness.stats.gap import WorstGap, worst_gap
from harness.stats.heterogeneity import Heterogeneity, heterogeneity
from harness.stats.intersections import Intersections, intersections
from harness.stats.intervals import finite, mean_interval
from harness.stats.missing import MissingBounds, missing_bounds
from harness.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, holm
from harness.stats.planner import (
    Plan,
    contrast_sd,
    decidable,
    detectable,
    plan,
    still_needed,
    upper_sd,
)
from harness.stats.rare import RareEffects, enough_events, rare_effects, shuffle_p
from harness.stats.rates import ImpactRatio, impact_ratio, logit_effects
from harness.stats.releases import Confirmation, alpha_spending, confirm
from harness.stats.sequential import EProcess, Look, betting_e_process, declared_looks
from harness.stats.shares import Share, share
from harness.stats.signflip import JointTest, sign_flip_max_t, sign_flip_p
from harness.stats.versions import VersionComparison, compare_versions, version_changes
from harness.stats.weighted import cr2

__all__ = [
    "Agreement", "BBQScores", "Calibration", "Confirmation", "EProcess", "ExactEffects",
    "Excess", "FlipRates", "GroupEffects", "Heterogeneity", "ImpactRatio", "Intersections",
    "JointTest", "Look", "MissingBounds", "Plan", "RareEffects", "Share", "VersionComparison",
    "WorstGap", "agreement", "alpha_spending", "axis_verdict", "bbq_scores",
    "benjamini_hochberg", "benjamini_yekutieli", "betting_e_process", "bounded_interval",
    "calibrate", "cell_means", "compare_versions", "confirm", "contrast_sd", "contrasts", "cr2",
    "decidable", "declared_looks", "detectable", "enough_events", "exact_effects",
    "family_size", "finite", "flip_rates", "floor_excess", "group_effects", "heterogeneity",
    "holm", "impact_ratio", "intersections", "logit_effects", "mean_interval", "missing_bounds",
    "plan", "rare_effects", "share", "shuffle_p", "sign_flip_max_t", "sign_flip_p",
    "spread_between", "spread_under_edit", "still_needed", "upper_sd", "version_changes",
    "worst_gap",
]  # fmt: skip
