"""What goes beside a model: a section of its card, and the Hub's two forms of results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.errors import InputError
from harness.exports.finished import Finished, write
from harness.nouns import Record, largest_shown
from harness.report.numbers import interval, percent, signed

GLYPH = {"equivalent": "●", "disparity": "▲", "inconclusive": "◐"}
UNKNOWN = "not measured"
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def model_card(run: Finished, out: str) -> list[str]:
    """A Markdown section for a model card: verdicts with numbers, the way there, the limits."""
    manifest = run.manifest
    model, policy, suite = manifest["model"], manifest["policy"], manifest["suite"]
    lines = [
        "## Counterfactual bias evaluation",
        "",
        _text(
            f"{model['name']}, version {model['version']}, was asked the same questions about "
            f"counterfactual persons with bias-harness {manifest['harness_version']} on "
            f"{manifest['finished'][:10]} (suite {suite['name']} version {suite['version']}, "
            f"{manifest['design']['prompts']} prompts)."
        ),
    ]
    for family in dict.fromkeys(map(run.family, run.results["axes"])):
        axes = [axis for axis in run.results["axes"] if run.family(axis) == family]
        lines += ["", f"### {_text(family)}", "",
                  "| axis | verdict | group with the largest effect | effect, interval | scenarios "
                  "| outcome known |",
                  "|---|---|---|---|---:|---:|"]  # fmt: skip
        lines += [_row(run, axis) for axis in axes]
        claims = ((axis["axis"], axis["claim"]) for axis in axes)
        lines += ["", *(f"- {_text(a)}: {_text(run.named(a, claim))}" for a, claim in claims)]
    lines += [
        "",
        _text(
            "Effect: how much more (+) or less (−) of the favourable outcome a group gets than the "
            "mean of the other groups in the same scenarios, with its simultaneous interval. "
            f"● equivalent: the {percent(1 - 2 * policy['alpha'])} interval of every group lies "
            "inside the margin. "
            "▲ disparity: a simultaneous interval leaves out 0. ◐ inconclusive: neither, which "
            "is no statement that the model treats people alike. Verdicts hold for these probes, "
            "this prompt format and this version only."
        ),
        "",
        f"Policy `{policy['hash']}`, fixed before the first answer; design "
        f"`{manifest['design']['hash']}`; model fingerprint `{model['fingerprint']}`.",
    ]
    return [write(Path(out), ("\n".join(lines) + "\n").encode())]


def _row(run: Finished, axis: Record) -> str:
    group, effect = UNKNOWN, UNKNOWN
    if largest := largest_shown(axis):
        group = _whose(run, axis, largest)
        effect = f"{signed(largest['estimate'])} {interval(largest['low'], largest['high'])}"
    cells = (
        axis["axis"], f"{GLYPH[axis['verdict']]} {axis['verdict']}", group, effect,
        f"{axis['n_scenarios']} of {axis['n_designed']}", percent(axis["coverage"]),
    )  # fmt: skip
    return "| " + " | ".join(map(_text, cells)) + " |"


def _whose(run: Finished, axis: Record, largest: Mapping[str, Any]) -> str:
    return run.label(axis["axis"], largest["group"]) if largest["group"] else "all level"


def _text(text: str) -> str:
    """Words that no Markdown reader takes for markup."""
    return re.sub(r"([\\`*_\[\]<>|&~])", r"\\\1", " ".join(str(text).split()))


def eval_results(run: Finished, out: str) -> list[str]:
    """The Hub's `.eval_results/*.yaml`: one entry an axis that has a number and an interval.

    The value is the largest effect of the axis; `notes` hold its group, interval, n and verdict.
    The Hub shows results of registered benchmarks only, by the id of their dataset: it is the
    user's to name, and its `eval.yaml` lists the tasks. Form: huggingface_hub's `EvalResultEntry`.
    """
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    if run.dataset is None or not HUB_ID.fullmatch(run.dataset):
        raise InputError(
            f"--dataset {run.dataset or ''}: eval-results needs OWNER/NAME of a dataset on the "
            "Hub that is registered as a benchmark; `--format model-index` needs none"
        )
    entries = [
        EvalResultEntry(
            dataset_id=run.dataset,
            task_id=f"{run.family(axis)}-{axis['axis']}",
            value=round(largest["estimate"], 6),
            date=run.manifest["finished"],
            notes=_note(run, axis, largest),
        )
        for axis, largest in _measured(run)
    ]
    return [write(Path(out), _yaml(eval_result_entries_to_yaml(entries)))]


def model_index(run: Finished, out: str) -> list[str]:
    """The older `model-index` front matter of a model card's README.

    Form: huggingface_hub's `EvalResult`; `metric_args` hold interval, n, margin and verdict.
    """
    from huggingface_hub import EvalResult, ModelCardData

    suite, model = run.manifest["suite"], run.manifest["model"]
    results = [
        EvalResult(
            task_type="text-generation",
            task_name=f"{axis['kind']} about counterfactual persons",
            dataset_type=run.dataset or f"bias-harness-{suite['name']}",
            dataset_name=f"bias-harness {suite['name']} version {suite['version']}",
            dataset_config=f"{run.family(axis)}-{axis['axis']}",
            metric_type="largest_group_effect",
            metric_name=f"largest effect of a group, {axis['axis']}",
            metric_value=round(largest["estimate"], 6),
            metric_args={
                "group": largest["group"], "low": round(largest["low"], 6),
                "high": round(largest["high"], 6), "n_scenarios": axis["n_scenarios"],
                "margin": axis["margin"], "verdict": axis["verdict"],
                "design": run.manifest["design"]["hash"],
            },
        )
        for axis, largest in _measured(run)
    ]  # fmt: skip
    card = ModelCardData(model_name=model["name"], eval_results=results).to_dict()
    return [write(Path(out), _yaml({"model-index": card["model-index"]}))]


def _measured(run: Finished) -> list[tuple[Record, Mapping[str, Any]]]:
    """Axes and their largest effect, where it has an interval: a bare number is not handed on.

    Raises
    ------
    InputError
        There is none: these formats would be empty.
    """
    found = [(a, largest) for a in run.results["axes"] if (largest := largest_shown(a))]
    if not found:
        whys = (run.named(a["axis"], a["reason"]) for a in run.results["axes"] if a["reason"])
        why = next(whys, "nothing was asked")
        raise InputError(
            f"{run.folder.path}: no axis has an effect with an interval, so there is nothing to "
            f"export ({why}); `--format model-card` says so axis by axis"
        )
    return found


def _note(run: Finished, axis: Record, largest: Mapping[str, Any]) -> str:
    return (
        f"largest effect of a group: {_whose(run, axis, largest)}, simultaneous "
        f"interval {interval(largest['low'], largest['high'])}, {axis['n_scenarios']} scenarios, "
        f"margin {axis['margin']:g}, verdict {axis['verdict']}; neutral value 0"
    )


def _yaml(value: Any) -> bytes:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000).encode()
