"""Responses by columns: the same as the objects they were written from, and no line but records."""

from __future__ import annotations

import orjson
import pyarrow as pa
import pytest

from harness.nouns import Finish, Response
from harness.responses import Responses, line, read_log

EACH = [
    Response("a", Finish.STOP, text="Yes.", prompt_tokens=7, completion_tokens=2),
    Response("b", Finish.STOP, logprobs={"yes": -0.1234567890123456, "no": -2.5}),
    Response("c", Finish.STOP, logprobs={"no": -1e-300}, absent_below=-9.25),
    Response("d", Finish.ERROR, detail='quotes " and \n lines', truncated=True),
    Response("e", Finish.FILTER, text="是\u2028", reasoning="因为"),
    Response("f", Finish.LENGTH, logprobs={}),
]


def log(tmp_path, *lines):
    path = tmp_path / "responses.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def test_what_is_written_is_what_is_read(tmp_path):
    found = Responses(read_log(log(tmp_path, *map(line, EACH))))
    assert list(found.values()) == EACH
    assert dict(found) == {response.prompt: response for response in EACH}
    assert found == Responses.of(EACH)
    assert "a" in found and "z" not in found
    with pytest.raises(KeyError):
        found["z"]


def test_the_last_record_of_a_prompt_counts():
    again = Response("a", Finish.STOP, text="No.")
    found = Responses.of([*EACH, again])
    assert len(found) == len(EACH)
    assert found["a"] == again
    assert list(found) == [response.prompt for response in EACH]


def test_what_failed_is_not_settled():
    failed = Response("x", Finish.ERROR, detail="server")
    some = Responses.of([failed, EACH[3]])  # of d, too long would be too long again
    asked = pa.chunked_array([["d", "x", failed.prompt]])
    assert some.lacking(asked).tolist() == [False, True, True]
    assert Responses.of([]).lacking(asked).all()


@pytest.mark.parametrize(
    "spoilt",
    [
        b"null", b"[]", b"3", b"\xff\xfe", b"", b"{", b"{}", b'{"prompt": 3, "finish": "stop"}',
        b'{"prompt": "z"}', b'{"prompt": "z", "finish": "weird"}',
        b'{"prompt": "z", "finish": "stop", "logprobs": 3}',
        b'{"prompt": "z", "finish": "stop", "logprobs": [1]}',
        b'{"prompt": "z", "finish": "stop", "logprobs": {"yes": "x"}}',
        b'{"prompt": "z", "finish": "stop", "prompt_tokens": "many"}',
        b'{"prompt": "z", "finish": "stop", "text": "\xe6\x98"}',
    ],
)  # fmt: skip
def test_a_line_that_is_no_record_takes_no_other_with_it(tmp_path, spoilt):
    lines = [line(response) for response in EACH]
    for place in (0, 3, len(lines)):
        path = log(tmp_path, *lines[:place], spoilt + b"\n", *lines[place:])
        assert list(Responses(read_log(path)).values()) == EACH


def test_a_name_without_a_number_is_no_probability(tmp_path):
    path = log(tmp_path, orjson.dumps({"prompt": "z", "finish": "stop",
                                       "logprobs": {"yes": -1, "no": None}}) + b"\n")  # fmt: skip
    assert Responses(read_log(path))["z"].logprobs == {"yes": -1.0}


def test_a_lone_surrogate_is_marked():
    assert orjson.loads(line(Response("a", Finish.STOP, text="t\ud800x")))["text"] == "t?x"
