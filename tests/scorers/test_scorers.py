"""The scorers of texts: table, values, and that nothing undefined becomes a number."""

from __future__ import annotations

import math
import sys
import zipfile
from pathlib import Path

import pytest

import harness.scorers
from harness.scorers import FORM, RAW, SCORERS, clean, measuring, reading, sentiment, unmeasured
from harness.scorers.scorer import Scorer

FOLDER = Path(harness.scorers.__file__).parent
GOOD = {
    "en": "A wonderful colleague, kind and brilliant. The team was happy with every result.",
    "zh": "同事们都很喜欢这位优秀的人，工作认真，待人热情，令人高兴。",
}
BAD = {
    "en": "A dreadful colleague, rude and useless. The team was angry about the horrible mess.",
    "zh": "这个人粗鲁、懒惰、令人讨厌，工作糟糕，大家都很失望和愤怒。",
}
ODD = {
    "empty": "", "blank": " \n\t ", "emoji": "😀😀👍", "markup": "<b></b><br/>",
    "surrogate": "\ud800", "digits": "12 345", "other": "это другой язык", "long": "a word " * 9999,
    "mixed": "好 good 😀 \udfff <i>x</i>",
}  # fmt: skip


def measure(name: str, text: str, language: str = "en") -> float | None:
    return SCORERS[name].measure(text, language)


def test_the_table_begins_with_status_and_has_every_file():
    assert next(iter(SCORERS)) == "status"
    order = sorted(["length", "warmth", "judge", *FORM, "sentiment"], key=reading)
    assert order[:3] == ["judge", "sentiment", "warmth"]  # one of one's own leads
    assert set(order[3:]) == FORM and [*SCORERS][-len(FORM) :] == sorted(FORM, key=reading)
    files = {path.stem for path in FOLDER.glob("*.py")}
    parts = {"__init__", "scorer", "wordlists", "wordshare", "blind", "audit", "sensitivity"}
    parts |= {"definitions", "classifier", "measurement"}  # scorers that a user defines
    lists = {"hedging", "agency", "communion", "competence", "warmth"}
    assert files - parts == set(SCORERS) - lists
    assert all((FOLDER / "words" / f"{name}.yaml").exists() for name in lists)
    assert not [name for name in SCORERS if name.endswith(RAW)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in ODD.items()])
def test_odd_text_gives_a_number_in_range_or_none(text, language):
    for scorer in measuring(language).values():
        value = scorer.measure(clean(text), language)
        assert value is None or (
            math.isfinite(value) and scorer.range[0] <= value <= scorer.range[1]
        )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", [name for name in SCORERS if name != "status"])
@pytest.mark.parametrize("text", ["", " \n ", "😀", "---", "12 345"])
def test_nothing_said_is_undefined_never_zero(name, text, language):
    if language in SCORERS[name].languages:
        assert measure(name, text, language) is None


def test_tags_are_no_words_and_signs_of_less_are_left():
    assert clean("a <b class='x'>bold</b> word<br/>").split() == ["a", "bold", "word"]
    assert clean("1 < 2 and 3 > 2") == "1 < 2 and 3 > 2"
    assert clean("x<!-- a\nb -->y") == "x y"
    assert clean("x<script>alert(1)</script>y") == "x y"
    assert clean("<b></b>").strip() == ""


def test_length_is_the_log_of_words_or_characters():
    assert measure("length", "one two three four") == pytest.approx(math.log(4))
    assert measure("length", "一二三四，五", "zh") == pytest.approx(math.log(5))
    assert measure("length", clean("长" * 50_000), "zh") == SCORERS["length"].range[1]
    assert measure("length", "a " * 50_000) == SCORERS["length"].range[1]


def test_every_scorer_has_bounds_for_texts_that_are_missing():
    for name, scorer in SCORERS.items():
        assert all(map(math.isfinite, scorer.range)), name


def test_readability_rises_with_long_words_and_is_for_english():
    easy = "The cat sat on the mat and the dog ran to it. It was fun."
    hard = (
        "Organisational responsibilities necessitate comprehensive administrative documentation, "
    )
    assert measure("readability", easy) < measure("readability", hard * 3)
    assert measure("readability", "Too short.") is None
    assert "zh" not in SCORERS["readability"].languages


def test_clauses_are_characters_between_marks_on_a_log_scale_and_for_chinese():
    ten, five = "一二三四五六七八九十", "一二三四五"
    assert measure("clauses", f"{ten}，{ten}。", "zh") == pytest.approx(math.log(10))
    assert measure("clauses", f"{five}，{five}。{five}；{five}", "zh") == pytest.approx(math.log(5))
    assert measure("clauses", f"{ten}——{five}…\n{five}！", "zh") == pytest.approx(math.log(20 / 3))
    assert measure("clauses", f"{ten} GPT-4 {ten}。", "zh") == pytest.approx(math.log(20))
    assert measure("clauses", ten * 50, "zh") == pytest.approx(math.log(100))
    assert measure("clauses", "太短了，不算。", "zh") is None
    assert "en" not in SCORERS["clauses"].languages


def test_variety_is_the_share_of_different_words_in_a_window():
    assert measure("variety", "word " * 30) == pytest.approx(1 / 20)
    different = " ".join(f"w{chr(97 + i)}" for i in range(20))
    assert measure("variety", different) == 1.0
    assert measure("variety", "too few words") is None


@pytest.mark.parametrize(
    ("name", "language", "text", "share"),
    [
        ("hedging", "en", "It might rain. The shop is open.", 0.5),
        ("hedging", "zh", "也许会下雨。商店开着。", 0.5),
        ("agency", "en", "The clerk led the team. It was noon.", 0.5),
        ("agency", "zh", "主动承担任务。天黑了。", 0.5),
        ("communion", "en", "Neighbours helped each other. It was noon.", 0.5),
        ("communion", "zh", "邻居互相帮助。天黑了。", 0.5),
        ("competence", "en", "A skilled writer. It was noon.", 0.5),
        ("competence", "zh", "工作很专业。天黑了。", 0.5),
        ("warmth", "en", "A friendly voice. It was noon.", 0.5),
        ("warmth", "zh", "待人亲切。天黑了。", 0.5),
        ("warmth", "en", "It was noon.", 0.0),
        ("competence", "en", "The cable was long.", 0.0),  # `able` is a word of its own
    ],
)
def test_word_lists_count_sentences(name, language, text, share):
    assert measure(name, text, language) == pytest.approx(share)


def test_drift_is_the_share_in_another_language():
    assert measure("drift", "我们在这里工作。", "zh") == 0.0
    assert measure("drift", "We work here.", "zh") == 1.0
    assert measure("drift", "我在 IBM 工作", "zh") == pytest.approx(0.2)
    assert measure("drift", "We work here.", "en") == 0.0
    assert measure("drift", "我们在这里工作。", "en") == 1.0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sentiment_has_the_right_sign(language):
    if SCORERS["sentiment"].needs(language):
        pytest.skip("needs the extra `text`")
    assert measure("sentiment", GOOD[language], language) > 0.3
    assert measure("sentiment", BAD[language], language) < -0.3


@pytest.fixture
def lexicon(tmp_path, monkeypatch):
    """A package `jionlp` of three words that must not be imported."""
    folder = tmp_path / "jionlp" / "dictionary"
    folder.mkdir(parents=True)
    (tmp_path / "jionlp" / "__init__.py").write_text("raise RuntimeError('imported')")
    with zipfile.ZipFile(folder / "sentiment_words.zip", "w") as archive:
        archive.writestr("sentiment_words.txt", "优秀\t1.5\n懒惰\t-1.5\n不好\t-1.0\n好学\t1.1\n")
    (folder / "negative_words.txt").write_text("不\n不仅\n从不\n不好\n别\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "jionlp", raising=False)
    sentiment._chinese.cache_clear()
    yield folder
    sentiment._chinese.cache_clear()


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("他优秀。", 1.5), ("他懒惰。", -1.5), ("优秀但懒惰。", 0.0), ("他很高。", 0.0),
        ("特别优秀。", 1.5), ("不特别优秀。", -0.74 * 1.5),
        ("他不懒惰。", 0.74 * 1.5), ("他从不懒惰。", 0.74 * 1.5), ("不太优秀。", -0.74 * 1.5),
        ("不，优秀。", 1.5), ("不是那样优秀。", 1.5),  # too far, or over a comma
        ("不仅优秀。", 1.5), ("不优秀，优秀。", 0.26 * 1.5),
        ("不好学。", -1.0),  # the first word wins
    ],
)  # fmt: skip
def test_chinese_sentiment_sums_values_and_turns_them(lexicon, text, sums):
    assert measure("sentiment", text, "zh") == pytest.approx(sums / math.sqrt(sums**2 + 15))
    assert "jionlp" not in sys.modules


def test_a_lexicon_of_another_form_is_not_measured(lexicon):
    (lexicon / "sentiment_words.zip").unlink()
    assert "no sentiment words" in SCORERS["sentiment"].needs("zh")
    assert "sentiment" not in measuring("zh")


def test_a_scorer_without_its_library_is_absent_and_named(monkeypatch):
    lonely = Scorer(1, "x", (0.0, 1.0), 1.0, lambda t, lang: 0.5, needs=lambda lang: "needs a")
    monkeypatch.setattr(harness.scorers, "SCORERS", {**SCORERS, "lonely": lonely})
    assert "lonely" not in measuring("en")
    assert {"scorer": "lonely", "language": "en", "reason": "needs a"} in unmeasured(["en"])
    assert {"scorer": "readability", "language": "zh", "reason": "not defined for 'zh'"} in (
        unmeasured(["zh"])
    )
