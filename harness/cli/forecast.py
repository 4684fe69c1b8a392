"""What a run would ask, cost and could show, in a terminal of 80 columns."""

from __future__ import annotations

import math
from typing import Any

from harness.cli.width import columns, pad, wrap
from harness.nouns import Record


def dry_run(counts: Record) -> str:
    """What a run would ask and could show."""
    tokens = counts["tokens"]
    about = "" if counts["tokens_counted"] else "about "
    lines = [
        *wrap(f"{counts['prompts']} prompts in {counts['blocks']} blocks, {about}{tokens} prompt "
              "tokens"),
        *wrap(_work(counts)),
        f"design {counts['design']}",
    ]  # fmt: skip
    if counts["requests"] is not None:
        lines.append(f"{counts['requests']} requests to the server")
        lines += wrap(_bill(counts["bill"]))
    for pair in counts["crossed"]:
        lines += wrap(crossed(pair), indent=2, hang=True)
    for row in counts["returning"]:
        said = f"{row['returning']} of {row['words']} hints serve in a second scenario"
        text = f"{row['axis']} ({row['language']}): {said}; their own variance is counted"
        lines += wrap(text, indent=2, hang=True)
    lines.append("")
    lines.append("smallest effect shown with 80 % power, if contrasts vary over scenarios by")
    heads = [f"sd {sd}" for sd in counts["detectable"][0]["sd"]] if counts["detectable"] else []
    lines.append(f"{'probe':<28}{'axis':<12}{'groups':>6}{'scenarios':>10}"
                 + "".join(f"{head:>8}" for head in heads))  # fmt: skip
    alike: dict[tuple[Any, ...], list[str]] = {}
    for row in counts["detectable"]:
        key = (_which(row), row["groups"], row["scenarios"], *row["sd"].values())
        alike.setdefault(key, []).append(row["axis"])
    for (which, groups, scenarios, *shown), axes in alike.items():
        named = axes[0] if len(axes) == 1 else f"{len(axes)} axes"
        cells = (f"{v:.3f}" if v is not None else "-" for v in shown)
        lines.append(f"{pad(which, 27)} {pad(named, 11)} {groups:>6}{scenarios:>10}"
                     + "".join(f"{cell:>8}" for cell in cells))  # fmt: skip
    return "\n".join(lines)


def crossed(pair: Record) -> str:
    """Two axes asked together: how many cells, and which are left out."""
    said = f"{pair['axis']} ({pair['language']}): {pair['cells']} cells asked"
    said += f" of {pair['cells'] + pair['not_drawn']}, drawn by a seed" if pair["not_drawn"] else ""
    if not pair["left_out"]:
        return said
    names = ", ".join(pair["left_out"])
    return f"{said}; {len(pair['left_out'])} left out, for nobody is in both groups: {names}"


def _work(counts: Record) -> str:
    """What a local model has to compute, and about how long that takes."""
    if counts["tokens_computed"] is None:
        return ""
    said = f"{counts['tokens_computed']} tokens to compute: shared beginnings once"
    if counts["seconds"]:
        minutes = math.ceil(counts["seconds"] / 60)
        said += f"; about {minutes} min on this machine if it is idle"
    return said


def _bill(bill: Record) -> str:
    """What the requests cost, as far as that can be told before they are sent."""
    said = (f"about {bill['prompt_tokens']} tokens read, at most {bill['completion_tokens']} "
            "written, without retries")  # fmt: skip
    if bill["cost"] is None:
        return f"{said}; no cost: the model's definition has no prices"
    return f"{said}: at most about {bill['cost']:.2f} {bill['currency']}"


def plan(found: Record) -> str:
    """What a suite can detect and needs, one line a family."""
    lines = wrap(
        "scenarios needed (80 % power, 5 % error): `differ` to show one group that differs by the "
        "margin, `equal` to call a whole axis equivalent; `shows` is the smallest effect this "
        "many scenarios show"
    )
    lines += wrap(f"spread over scenarios: {found['source']}")
    lines += ["", f"{'axis':<11}{'groups':>7}{'have':>6}{'margin':>7}{'sd':>7}{'shows':>7}"
                  f"{'differ':>7}{'equal':>7} now"]  # fmt: skip
    families = [_which(row) for row in found["families"]]
    for i, row in enumerate(found["families"]):
        if len(set(families)) > 1 and families[i] not in families[:i]:
            lines += wrap(families[i])
        shows = "-" if row["shows"] is None else f"{row['shows']:.3f}"
        axis = row["axis"]
        if columns(axis) > 10:  # two crossed stand above their line
            lines += wrap(axis)
            axis = ""
        lines.append(
            f"{axis:<11}{row['groups']:>7}{row['scenarios']:>6}{row['margin']:>7g}"
            f"{row['sd']:>7.3f}{shows:>7}{row['difference']:>7}{row['all_equivalent']:>7}"
            f" {_now(row)}".rstrip()
        )
    return "\n".join(lines)


def _now(row: Record) -> str:
    if row["verdict"] is None:
        return "" if row["still_needed"] is None else f"+{row['still_needed']}"
    if row["still_needed"]:
        return f"{row['verdict']} +{row['still_needed']}"
    return str(row["verdict"])


def _which(row: Record) -> str:
    """A family by its probe, language and, where it is not plain, its way of saying who."""
    return ", ".join([row["probe"], row["language"]] + [row["cue"]] * (row["cue"] != "explicit"))
