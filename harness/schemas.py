"""JSON Schema of the YAML files a user writes, for editors that complete and check them.

`probes/schema/` holds them as files; a test keeps those current.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from harness import probes
from harness.errors import unknown
from harness.kinds import KINDS
from harness.lexicon import Axis, Names
from harness.nouns import Record
from harness.prompt_sets import PromptSet

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _probe() -> Record:
    """A probe of any kind: its key `kind` says which scenarios it has."""
    shapes: Any = reduce(or_, map(probes.shape, KINDS))
    return TypeAdapter(Annotated[shapes, Field(discriminator="kind")]).json_schema()


SCHEMAS: Mapping[str, Callable[[], Record]] = {
    "probe": _probe,
    "suite": probes.Suite.model_json_schema,
    "prompt-set": PromptSet.model_json_schema,
    "axis": Axis.model_json_schema,
    "names": Names.model_json_schema,
}


def schema(name: str) -> Record:
    """The JSON Schema of a kind of file; "probe:rating" is that of one task kind alone.

    Raises
    ------
    InputError
        There is no such file, or no such task kind.
    """
    what, colon, kind = name.partition(":")
    if colon and what == "probe":
        if kind not in KINDS:
            raise unknown("task kind", kind, KINDS)
        return {"$schema": DIALECT, **probes.shape(kind).model_json_schema()}
    if name not in SCHEMAS:
        raise unknown("schema", name, SCHEMAS)
    return {"$schema": DIALECT, **SCHEMAS[name]()}
