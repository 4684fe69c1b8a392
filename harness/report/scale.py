"""Where a number stands on a forest plot.

Positions are per cent of the plot's width, which SVG takes as they are: the figure then fits
any width and its glyphs keep their form.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.report.numbers import defined, plain
from harness.report.results import measured

EDGE = 4.0  # per cent kept free on both sides, for glyphs and arrows
WIDEST = 8.0  # an interval beyond this many margins is cut and gets an arrow


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch of the plot; an arrow on a side where the interval goes on beyond it."""

    start: float
    end: float
    cut_left: bool = False
    cut_right: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A round number, its place and its writing."""

    value: float
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One effect on the plot: glyph, simultaneous interval, 90 % interval, worst-case bounds."""

    verdict: str
    at: float
    simultaneous: Line | None
    inner: Line | None
    bounds: Line | None


@dataclass(frozen=True, slots=True)
class Scale:
    """From -limit to +limit, zero in the middle; `margin` is half the band's width."""

    limit: float
    margin: float | None

    def at(self, value: float) -> float:
        inside = max(-self.limit, min(self.limit, value))
        return round(50 + (50 - EDGE) * inside / self.limit, 2)

    @property
    def band(self) -> Line | None:
        if not defined(self.margin):
            return None
        return Line(self.at(-self.margin), self.at(self.margin))

    @property
    def ticks(self) -> list[Tick]:
        step = _step(self.limit)
        digits = max(0, -math.floor(math.log10(step)))
        n = int(self.limit / step + 1e-9)
        values = [i * step for i in range(-n, n + 1)]
        return [Tick(value, self.at(value), plain(value, digits)) for value in values]

    def line(self, low: float | None, high: float | None) -> Line | None:
        if not (defined(low) and defined(high)):
            return None
        return Line(self.at(low), self.at(high), low < -self.limit, high > self.limit)

    def mark(self, effect: Mapping[str, Any]) -> Mark | None:
        """None where the effect is not measured: an empty row says more than a dot at 0."""
        if not measured(effect):
            return None
        bounds = effect["bounds"] or {}
        return Mark(
            effect["verdict"],
            self.at(effect["estimate"]),
            self.line(effect["low"], effect["high"]),
            self.line(effect["tost_low"], effect["tost_high"]),
            self.line(bounds.get("low"), bounds.get("high")),
        )


def common(effects: Iterable[Mapping[str, Any]]) -> Scale:
    """One scale for all axes of a family, so that its plots can be compared by eye."""
    margins, reach, estimates = [0.0], [0.0], [0.0]
    for effect in effects:
        margins.extend(abs(x) for x in [effect["margin"]] if defined(x))
        reach.extend(abs(x) for x in [effect["low"], effect["high"]] if defined(x))
        estimates.extend(abs(x) for x in [effect["estimate"]] if defined(x))
    margin = max(margins)
    widest = min(max(reach), WIDEST * margin) if margin else max(reach)
    limit = 1.08 * max(widest, max(estimates), 1.25 * margin)
    return Scale(limit or 1.0, margin or None)


def _step(limit: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that gives at most three ticks a side."""
    power: float = 10 ** math.floor(math.log10(limit / 3))
    return next(m * power for m in (1, 2, 5, 10) if limit / (m * power) <= 3.0001)
