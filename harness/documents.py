"""YAML files into checked objects, with `file:line` in every complaint.

A document is a pydantic model. Parsing uses `yaml.safe_load`'s own loader; the node tree is
walked once to learn on which line every key stands and to refuse duplicate keys, which YAML
would silently drop. A text is parsed once, whatever shapes it is read as: see `Tree`.
"""

from __future__ import annotations

import codecs
import difflib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import InputError
from harness.nouns import HIDDEN

Location = tuple[str | int, ...]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
"""A name in lower case, for ids that stand in file names and options."""
SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader that makes plain values only, in C where it is built in."""
TEXT, LIST, MAPPING = (f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))
LONG = 1_000_000
"""Characters of a text above which what was parsed is not kept; all that is shipped is shorter."""
T = TypeVar("T", bound="Document")


class Part(BaseModel):
    """A checked piece of a document: no unknown keys, no silent conversion, no later change."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True, frozen=True)


class Document(Part):
    """A whole file. `place(...)` gives `file:line` of a key inside it."""

    _file: Path = PrivateAttr(default=Path("<memory>"))
    _lines: dict[Location, int] = PrivateAttr(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where the document was read from."""
        return self._file

    def place(self, *location: str | int) -> str:
        """`file:line` of the key or item at `location`, or of its nearest parent."""
        return _place(self._file, self._lines, location)


def read(path: Path, shape: type[T]) -> T:
    """Read the YAML file at `path` as a `shape`.

    Raises
    ------
    InputError
        The file cannot be read, is no YAML, or does not have the shape.
    """
    return parse(read_text(path), path, shape)


def read_text(path: Path) -> str:
    """The text of a file of the user's, UTF-8 or, by its mark, UTF-16; the mark is left out.

    Raises
    ------
    InputError
        There is no such file, it may not be read, or it is no such text.
    """
    try:
        return path.read_text(encoding=encoding(path))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text (byte {error.start}); save it as "
                         "UTF-8 (in a spreadsheet: CSV UTF-8)") from None  # fmt: skip
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def encoding(path: Path) -> str:
    """UTF-16 where the file begins with its byte-order mark, as spreadsheets save it; else UTF-8,
    with a mark or without."""
    with path.open("rb") as file:
        marked = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return "utf-16" if marked else "utf-8-sig"


def separator(text: str) -> str:
    """What separates the columns of a CSV text, by its first line: a comma, or what some
    spreadsheets write in its place."""
    head = text.partition("\n")[0]
    return next((mark for mark in ",;\t" if mark in head), ",")


def parse(text: str, path: Path, shape: type[T]) -> T:
    """Like `read`, for text that is already at hand; `path` is only named in messages."""
    return tree(text, path).document(shape)


@dataclass(frozen=True, slots=True)
class Tree:
    """The plain values of a YAML file and the line of every key, not yet of any shape."""

    path: Path
    data: dict[Any, Any]
    lines: dict[Location, int]

    def document(self, shape: type[T]) -> T:
        """The file as a `shape`.

        Raises
        ------
        InputError
            It does not have the shape.
        """
        try:
            document = shape.model_validate(self.data)
        except ValidationError as error:
            raise InputError(_complaint(error, self.path, self.lines, shape)) from error
        document._file = self.path
        document._lines = self.lines
        return document


def tree(text: str, path: Path) -> Tree:
    """What a file's text holds; `path` is only named in messages.

    The same text is parsed once, but for long ones: what is asked of a model needs the memory.

    Raises
    ------
    InputError
        It is no YAML, or no mapping.
    """
    return _kept(text, path) if len(text) <= LONG else _parsed(text, path)


def _parsed(text: str, path: Path) -> Tree:
    lines: dict[Location, int] = {}
    try:
        node = yaml.compose(text, Loader=SAFE)
        if node is not None:
            _index(node, (), lines, path, set())
        data = None if node is None else _value(node, yaml.SafeLoader(""))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise InputError(f"{path}{line}: not YAML: {error.problem or error.context}") from error
    except RecursionError as error:
        raise InputError(f"{path}: not YAML: nested too deeply") from error
    except yaml.reader.ReaderError as error:  # its own place is an offset, of bytes or signs
        found = yaml.reader.Reader.NON_PRINTABLE.search(text)
        if found is None:
            raise InputError(f"{path}: not YAML: {error.reason}") from error
        at = text.count("\n", 0, found.start()) + 1
        raise InputError(f"{path}:{at}: {_unseen(found[0])}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{path}: not YAML: {error}") from error
    if not isinstance(data, dict):
        raise InputError(f"{path}:1: expected a mapping of keys, got {type(data).__name__}")
    return Tree(path, data, lines)


_kept = lru_cache(maxsize=128)(_parsed)


def _value(node: yaml.Node, loader: yaml.SafeLoader) -> Any:
    """What the loader would make of a node, several times as fast for texts, mappings and lists."""
    if isinstance(node, yaml.ScalarNode) and node.tag == TEXT:
        return node.value
    if isinstance(node, yaml.SequenceNode) and node.tag == LIST:
        items = []
        for item in node.value:
            items.append(_value(item, loader))
        return items
    if isinstance(node, yaml.MappingNode) and node.tag == MAPPING:
        keys = [key for key, _ in node.value]
        if all(isinstance(key, yaml.ScalarNode) and key.tag == TEXT for key in keys):
            found = {}
            for key, value in node.value:
                found[key.value] = _value(value, loader)
            return found
    return loader.construct_object(node, deep=True)


def _index(
    node: yaml.Node, at: Location, lines: dict[Location, int], path: Path, known: set[int]
) -> None:
    """Note the line of every key and item below `node`.

    Refuses a key that stands twice, an alias (which could make a document refer to itself or
    grow without end), and text that is no Unicode.
    """
    line = node.start_mark.line + 1
    if id(node) in known:
        raise InputError(f"{path}:{line}: YAML anchors and aliases are not used here; write it out")
    known.add(id(node))
    lines.setdefault(at, line)
    if isinstance(node, yaml.ScalarNode):
        try:
            str(node.value).encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(f"{path}:{line}: the text is not valid Unicode") from error
        if found := HIDDEN.search(str(node.value)):
            raise InputError(f"{path}:{line}: {_unseen(found[0])}")
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = str(key.value)
            if name in seen:
                raise InputError(
                    f"{path}:{line}: key '{name}' stands here and on line {seen[name]}; keep one"
                )
            seen[name] = line
            lines[(*at, name)] = line
            _index(value, (*at, name), lines, path, known)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            _index(value, (*at, i), lines, path, known)


def _unseen(sign: str) -> str:
    return f"the text holds U+{ord(sign):04X}, a mark that nobody sees; take it out"


def _own(location: Location) -> Location:
    """The keys of the file in a location; pydantic's own names of a type's parts have brackets."""
    return tuple(part for part in location if not (isinstance(part, str) and "[" in part))


def _place(path: Path, lines: dict[Location, int], location: Location) -> str:
    at = _own(location)
    while at and at not in lines:
        at = at[:-1]
    return f"{path}:{lines.get(at, 1)}"


def _complaint(
    error: ValidationError, path: Path, lines: dict[Location, int], shape: type[Document]
) -> str:
    """One line per fault, at most five; of a value's alternative types only the first is named."""
    faults: list[ErrorDetails] = []
    for fault in error.errors(include_url=False, include_context=True):
        own = _own(fault["loc"])
        if own == fault["loc"] or not any(_own(f["loc"])[: len(own)] == own for f in faults):
            faults.append(fault)
    said = [f"{_place(path, lines, f['loc'])}: {_say(f, shape)}" for f in faults[:5]]
    if len(faults) > 5:
        said.append(f"{path}: and {len(faults) - 5} more")
    return "\n".join(said)


def _say(fault: ErrorDetails, shape: type[Document]) -> str:
    key = ".".join(map(str, _own(fault["loc"]))) or "document"
    given: Any = fault["input"]
    if fault["type"] == "extra_forbidden":
        known = _keys(shape)
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
        return f"unknown key '{key}'" + (f"; did you mean '{near[0]}'?" if near else "")
    if fault["type"] == "missing":
        return f"key '{key}' is missing"
    if fault["type"] == "string_type" and isinstance(given, bool | int | float):
        return (
            f"'{key}' must be text, but YAML reads {given!r} here "
            "(a bare yes, no, on, off or number): put it in quotes"
        )
    if fault["type"] == "value_error":
        return f"'{key}': {fault['msg'].removeprefix('Value error, ')}"
    return f"'{key}': {fault['msg']}, got {given!r}"


def _keys(shape: Any) -> list[str]:
    """Every key that may stand anywhere in a document of this shape."""
    schema = shape.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return [key for part in parts for key in part.get("properties", {})]


def shipped(kind: str) -> Path:
    """The folder of data files (`probes` or `models`) that came with this installation.

    In a wheel they lie inside the package; in a checkout beside it.
    """
    package = Path(__file__).resolve().parent
    inside = package / "_data" / kind
    return inside if inside.is_dir() else package.parent / kind
