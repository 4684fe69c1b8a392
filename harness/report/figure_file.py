"""The forest plots of a run as one figure for papers, slides and READMEs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError
from harness.report.numbers import percent
from harness.report.phrases import Labels
from harness.report.results import AxisResult, Family, families
from harness.report.scale import Scale, common

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"equivalent": "#005f94", "disparity": "#a83e00", "inconclusive": "#595959"}
COLUMNS = 4
SUFFIXES = (".png", ".svg")
Panel = tuple[Family, AxisResult, Scale]


def figure(effects: Mapping[str, Any], manifest: Mapping[str, Any], path: Path) -> None:
    """Draw every axis of a run as small multiples and write them to `path`, PNG or SVG.

    Each panel is one axis of one family: a row a group, its simultaneous interval (thin), its
    90 % interval (thick), the equivalence band, and verdicts by colour and form.

    Raises
    ------
    InputError
        `path` ends in neither .png nor .svg, or the run has no axis to draw.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path}: a figure is written as {' or '.join(SUFFIXES)}")
    panels = [
        (family, result, scale)
        for family in families(effects)
        for scale in [common(family.effects)]
        for result in family.axes
    ]
    if not panels:
        raise InputError("no axis of this run has a result: there is nothing to draw")
    import matplotlib

    labels = Labels(manifest["labels"]["axes"], manifest["labels"]["groups"])
    style: Any = {
        "font.family": "sans-serif",
        "font.size": 9,
        "svg.hashsalt": manifest["design"]["hash"],
    }
    with matplotlib.rc_context(style):
        _draw(panels, labels, manifest).savefig(
            path, dpi=200, metadata={"Date": None} if path.suffix == ".svg" else None
        )


def _draw(panels: Sequence[Panel], labels: Labels, manifest: Mapping[str, Any]) -> Figure:
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    groups = max(len(result.effects) for _, result, _ in panels)
    height = 0.9 + rows * (0.75 + 0.24 * groups)
    drawn = Figure(figsize=(3.1 * columns, height), layout="constrained")
    grid = drawn.subplots(rows, columns, squeeze=False).flat
    several = len({family.key for family, _, _ in panels}) > 1
    for (family, result, scale), axes in zip(panels, grid, strict=False):
        _panel(axes, result, scale, labels)
        if several:
            axes.set_xlabel(", ".join((family.key[0], *family.key[2:])), fontsize=8.5)
        axes.set_title(labels.axis(result.axis).en, loc="left", fontsize=9.5, fontweight="bold")
        axes.set_title(
            result.record["verdict"], loc="right", fontsize=8.5,
            color=COLOURS[result.record["verdict"]],
        )  # fmt: skip
    for axes in list(grid)[len(panels) :]:
        axes.set_axis_off()
    model = manifest["model"]
    drawn.suptitle(
        f"{model['name']}, version {model['version']}: "
        "effect of each group against the mean of the others",
        x=0.01, ha="left", fontsize=10.5,
    )  # fmt: skip
    _legend(drawn, percent(1 - 2 * manifest["policy"]["alpha"]))
    return drawn


def _panel(axes: Axes, result: AxisResult, scale: Scale, labels: Labels) -> None:
    band = scale.margin
    if band is not None:
        axes.axvspan(-band, band, color="#dde7ee", linewidth=0, zorder=0)
    axes.axvline(0, color="#8b8b85", linewidth=0.8, zorder=1)
    for row, effect in enumerate(result.effects):
        colour = COLOURS[effect["verdict"]]
        if scale.line(effect["low"], effect["high"]):
            axes.plot([effect["low"], effect["high"]], [row, row], color=colour, linewidth=1.1)
        if scale.line(effect["tost_low"], effect["tost_high"]):
            ends = [effect["tost_low"], effect["tost_high"]]
            axes.plot(ends, [row, row], color=colour, linewidth=3, solid_capstyle="butt")
        if scale.mark(effect):
            axes.plot(effect["estimate"], row, **form(effect["verdict"]))
        else:
            axes.text(0, row, "not measured", ha="center", va="center", color="#595959")
    names = [labels.group(result.axis, effect["group"]).en for effect in result.effects]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(-scale.limit, scale.limit)
    ticks = [scale.ticks[i] for i in (0, len(scale.ticks) // 2, -1)]  # more would not fit
    axes.set_xticks([tick.value for tick in ticks], [tick.text for tick in ticks])
    axes.tick_params(length=2.5, color="#8b8b85", labelsize=8.5)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#8b8b85")


def form(verdict: str) -> dict[str, Any]:
    """Marker and colour of a verdict: circle, triangle, half circle."""
    form: dict[str, Any] = {
        "color": COLOURS[verdict], "linestyle": "none", "markersize": 6, "markeredgewidth": 0.8,
        "marker": "^" if verdict == "disparity" else "o", "zorder": 4,
    }  # fmt: skip
    if verdict == "inconclusive":
        form |= {"fillstyle": "left", "markerfacecoloralt": "white"}
    return form


def _legend(drawn: Figure, inner: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Line2D([], [], label=verdict, **form(verdict)) for verdict in COLOURS]
    handles.append(Patch(color="#dde7ee", label="equivalence band"))
    handles.append(Line2D([], [], color="#595959", linewidth=1.1, label="simultaneous interval"))
    handles.append(Line2D([], [], color="#595959", linewidth=3, label=f"{inner} interval"))
    drawn.legend(handles=handles, loc="outside lower left", ncols=6, frameon=False, fontsize=8.5)
