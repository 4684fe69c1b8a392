"""The JSON Schemas for editors: current, and agreeing with what the harness itself accepts."""

from __future__ import annotations

import json

import pytest
import yaml

from harness.documents import shipped
from harness.errors import InputError
from harness.kinds import KINDS
from harness.questions import library
from harness.schemas import SCHEMAS, schema
from tests.test_cli import call
from tests.test_lint import GOOD

FILES = sorted((shipped("probes") / "schema").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_files_are_current(path):
    """If not: `bias-harness schema NAME > probes/schema/NAME.json`."""
    assert json.loads(path.read_text("utf-8")) == json.loads(json.dumps(schema(path.stem)))


def test_what_a_user_writes_has_a_file():
    assert {path.stem for path in FILES} == {"probe", "suite", "prompt-set"} < set(SCHEMAS)


def test_a_probe_says_its_kind_and_so_its_scenarios():
    whole = schema("probe")
    assert set(whole["discriminator"]["mapping"]) == set(KINDS)
    one = schema("probe:rating")
    assert one["properties"]["kind"]["const"] == "rating"
    assert {"low", "high"} <= set(one["$defs"]["Scenario"]["required"])


def test_editors_accept_what_is_shipped_and_refuse_what_we_refuse():
    jsonschema = pytest.importorskip("jsonschema")
    for name, paths in (("probe", library().probes), ("suite", library().suites)):
        check = jsonschema.Draft202012Validator(schema(name))
        for path in paths.values():
            assert check.is_valid(yaml.safe_load(path.read_text("utf-8"))), path
    check = jsonschema.Draft202012Validator(schema("probe"))
    assert check.is_valid(yaml.safe_load(GOOD))
    for old, new in [("domain: work", "domain: wrk"), ('"yes"', "yes"), ("kind: d", "kind: x"),
                     ("position: late", "place: late")]:  # fmt: skip
        assert not check.is_valid(yaml.safe_load(GOOD.replace(old, new, 1))), new


def test_the_command_prints_it(capsys):
    code, out, _ = call(capsys, "schema", "probe:decision")
    assert code == 0
    assert json.loads(out) == schema("probe:decision")
    for name in ("prob", "probe:x", "suite:x"):
        assert call(capsys, "schema", name)[0] == 2
    with pytest.raises(InputError, match="did you mean 'probe'"):
        schema("prob")
