"""The trend of a model family over its versions as one figure, from the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from harness.errors import InputError
from harness.ledger import FAMILY, version_of
from harness.nouns import Record, largest_shown
from harness.report.figure_file import COLOURS, SUFFIXES, form

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 2
Key = tuple[str, ...]
Row = Mapping[str, Any]


def history_figure(records: Sequence[Record], path: Path) -> None:
    """Draw every axis of every model family over its versions and write it, PNG or SVG.

    A panel is one axis: for each version the effect that is largest there, with its simultaneous
    interval (thin) and the one that decides equivalence (thick), over the equivalence band of its
    own policy; verdicts by colour and form. The grey line follows the group that is largest in
    the newest version through those of its design.

    Raises
    ------
    InputError
        `path` ends in neither .png nor .svg, or there is nothing to draw.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path}: a figure is written as {' or '.join(SUFFIXES)}")
    panels = _panels(records)
    if not panels:
        raise InputError("the ledger has no run with a result: there is nothing to draw")
    import matplotlib

    style: Any = {"font.family": "sans-serif", "font.size": 9, "svg.hashsalt": "bias-harness"}
    with matplotlib.rc_context(style):
        _draw(panels).savefig(
            path, dpi=200, metadata={"Date": None} if path.suffix == ".svg" else None
        )


def _panels(records: Sequence[Record]) -> dict[Key, list[tuple[Record, Row]]]:
    """Model family and family of prompts with the versions that have a result, in time."""
    panels: dict[Key, list[tuple[Record, Row]]] = {}
    for record in records:
        for row in record["axes"]:
            key = record["model"]["family"], *(row[name] for name in FAMILY)
            panels.setdefault(key, []).append((record, row))
    return panels


def _draw(panels: Mapping[Key, Sequence[tuple[Record, Row]]]) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    versions = max(map(len, panels.values()))
    width = max(4.2 if columns > 1 else 7.5, 1.2 + 0.6 * versions)
    drawn = Figure(figsize=(width * columns, 0.9 + 2.5 * rows), layout="constrained")
    grid = list(drawn.subplots(rows, columns, squeeze=False).flat)
    apart = [i for i, parts in enumerate(zip(*panels, strict=True)) if len({*parts}) > 1]
    for (key, points), axes in zip(panels.items(), grid, strict=False):
        _panel(axes, points)
        title = _label(points[-1][0]["labels"]["axes"], key[-1])
        axes.set_title(title, loc="left", fontsize=9.5, fontweight="bold")
        own = [key[i] for i in apart if i < len(key) - 1]  # what tells its prompts from others'
        axes.set_title(", ".join(own), loc="right", fontsize=7.5)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    drawn.suptitle(
        f"{', '.join(dict.fromkeys(key[0] for key in panels))}: "
        "largest effect of a group against the mean of the others, by version",
        x=0.01, ha="left", fontsize=10.5,
    )  # fmt: skip
    handles: list[Any] = [Line2D([], [], label=verdict, **form(verdict)) for verdict in COLOURS]
    handles.append(Patch(color="#dde7ee", label="equivalence band"))
    handles.append(Line2D([], [], color="#595959", linewidth=1.1, label="simultaneous interval"))
    handles.append(Line2D([], [], color="#595959", linewidth=3, label="interval of equivalence"))
    handles.append(Line2D([], [], color="#8b8b85", linewidth=0.8, marker=".", markersize=4,
                          label="the newest version's group, same design"))  # fmt: skip
    drawn.legend(handles=handles, loc="outside lower left", ncols=3, frameon=False, fontsize=8.5)
    return drawn


def _label(labels: Mapping[str, Mapping[str, str]], name: str) -> str:
    return labels.get(name, {}).get("en", name)


def _trend(points: Sequence[tuple[Record, Row]]) -> tuple[list[int], list[float]]:
    """Where the group that is largest in the newest version stood in those of its design."""
    newest, last = points[-1]
    if not last["largest"]:
        return [], []
    found = [
        (x, _effect(record, row, last["largest"]["group"]))
        for x, (record, row) in enumerate(points)
        if record["design"] == newest["design"]
    ]
    known = [(x, effect["estimate"]) for x, effect in found if effect["low"] is not None]
    return [x for x, _ in known], [y for _, y in known]


def _effect(record: Record, row: Row, group: str) -> Row:
    """The effect of one group on the axis of `row`; every group of a design has one."""
    key = {**{name: row[name] for name in FAMILY}, "group": group}
    return next(e for e in record["effects"] if all(e[k] == v for k, v in key.items()))


def _panel(axes: Axes, points: Sequence[tuple[Record, Row]]) -> None:
    axes.axhline(0, color="#8b8b85", linewidth=0.8, zorder=1)
    for x, (record, row) in enumerate(points):
        axes.fill_between([x - 0.5, x + 0.5], -row["margin"], row["margin"], color="#dde7ee",
                          linewidth=0, zorder=0)  # fmt: skip
        largest = largest_shown(row)
        if not largest:
            axes.text(x, 0, "not\nmeasured", ha="center", va="center", color="#595959")
            continue
        y, colour = largest["estimate"], COLOURS[row["verdict"]]
        axes.plot([x, x], [largest["low"], largest["high"]], color=colour, linewidth=1.1)
        inner = _effect(record, row, row["largest"]["group"])
        axes.plot([x, x], [inner["tost_low"], inner["tost_high"]], color=colour, linewidth=3,
                  solid_capstyle="butt")  # fmt: skip
        axes.plot(x, y, **form(row["verdict"]))
        if largest["group"]:
            group = _label(record["labels"]["groups"].get(row["axis"], {}), largest["group"])
            axes.annotate(group, (x, y), (5, 4), textcoords="offset points", fontsize=7)
    axes.plot(*_trend(points), color="#8b8b85", linewidth=0.8, marker=".", markersize=4, zorder=2)
    axes.set_xlim(-0.5, len(points) - 0.5)
    names = [
        "\n".join([*wrap(version_of(record), 18), record["date"][:10]]) for record, _ in points
    ]
    axes.set_xticks(range(len(points)), names, fontsize=7.5)
    axes.tick_params(length=2.5, color="#8b8b85", labelsize=7.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
        axes.spines["bottom" if side == "top" else "left"].set_color("#8b8b85")
