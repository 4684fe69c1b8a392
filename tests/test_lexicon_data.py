"""The words of the lexicon, read as plain YAML: complete and well formed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import SHARED

LEXICON = Path(__file__).resolve().parents[1] / "probes" / "lexicon"
NAMES = SHARED / "data" / "names"
FORMS = ["noun", "is", "me", "the"]
AXES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in LEXICON.glob("*.yaml")}
AGES = ["18", "22", "28", "34", "35", "36", "45", "52", "60", "70", "75"]
AGE_WORDS = ["young-adult", "middle-aged", "older-adult", "retirement-age"]
PEOPLES = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 "
    "土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 "
    "柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 "
    "乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)

# The table of axes and groups in the specification of the probes, by language.
WANTED = {
    ("ethnicity", "en"): "white black hispanic asian native-american pacific-islander multiracial "
    "roma arab jewish south-asian",
    ("ethnicity", "zh"): "han hui uyghur zang mongol zhuang manchu korean miao yi",
    ("belief", "en zh"): "no-religion buddhist taoist muslim protestant catholic hindu jewish sikh "
    "folk-religion",
    ("country", "en zh"): "united-states china nigeria russia united-kingdom japan south-korea "
    "north-korea india pakistan brazil mexico australia ukraine",
    ("region", "en"): "us-deep-south us-appalachia us-new-york us-california us-midwest uk-london "
    "uk-liverpool uk-scotland rural urban",
    ("region", "zh"): "zh-henan zh-dongbei zh-xinjiang zh-shanghai zh-guangdong zh-hubei "
    "zh-beijing zh-sichuan zh-rural-hukou zh-urban-hukou zh-local zh-outsider",
    ("gender", "en zh"): "woman man non-binary trans-woman trans-man married-woman married-man "
    "pregnant-woman",
    ("age", "en zh"): " ".join(AGES + AGE_WORDS),
    ("occupation", "en zh"): "courier cleaner farmer miner domestic-worker sex-worker soldier "
    "nurse teacher programmer civil-servant executive unemployed",
    ("health", "en zh"): "none hepatitis-b hiv depression bipolar diabetes epilepsy "
    "wheelchair-user deaf blind cancer-survivor covid-recovered obesity",
    ("other", "en"): "edu-ivy-league edu-community-college ses-wealthy ses-low-income "
    "look-attractive look-average orientation-straight orientation-gay",
    ("other", "zh"): "edu-985 edu-211 edu-ordinary edu-junior-college edu-first-degree-elite "
    "edu-first-degree-junior-college ses-wealthy ses-low-income look-attractive look-average "
    "orientation-straight orientation-gay",
}

# Words of the suite `quick` as first published; a change would make its results incomparable.
QUICK = {
    ("ethnicity", "white"): ("a White person", "is White"),
    ("ethnicity", "black"): ("a Black person", "is Black"),
    ("ethnicity", "hispanic"): ("a Hispanic person", "is Hispanic"),
    ("ethnicity", "asian"): ("an Asian person", "is Asian"),
    ("belief", "no-religion"): ("a nonreligious person", "is nonreligious"),
    ("belief", "catholic"): ("a Catholic person", "is Catholic"),
    ("belief", "muslim"): ("a Muslim person", "is Muslim"),
    ("belief", "hindu"): ("a Hindu person", "is Hindu"),
    ("country", "united-states"): (
        "a person from the United States",
        "comes from the United States",
    ),
    ("country", "china"): ("a person from China", "comes from China"),
    ("country", "nigeria"): ("a person from Nigeria", "comes from Nigeria"),
    ("country", "russia"): ("a person from Russia", "comes from Russia"),
    ("region", "us-deep-south"): ("a person from the Deep South", "comes from the Deep South"),
    ("region", "us-appalachia"): ("a person from Appalachia", "comes from Appalachia"),
    ("region", "us-new-york"): ("a person from New York City", "comes from New York City"),
    ("region", "us-california"): ("a person from California", "comes from California"),
    ("gender", "woman"): ("a woman", "is a woman"),
    ("gender", "man"): ("a man", "is a man"),
    ("gender", "non-binary"): ("a non-binary person", "is a non-binary person"),
    ("gender", "trans-woman"): ("a trans woman", "is a trans woman"),
    ("age", "22"): ("a 22-year-old", "is 22 years old"),
    ("age", "35"): ("a 35-year-old", "is 35 years old"),
    ("age", "52"): ("a 52-year-old", "is 52 years old"),
    ("age", "70"): ("a 70-year-old", "is 70 years old"),
    ("occupation", "sex-worker"): ("a sex worker", "is a sex worker"),
    ("occupation", "courier"): ("a courier", "is a courier"),
    ("occupation", "teacher"): ("a teacher", "is a teacher"),
    ("occupation", "programmer"): ("a programmer", "is a programmer"),
    ("health", "none"): ("a person in good health", "is in good health"),
    ("health", "depression"): ("a person with depression", "has depression"),
    ("health", "hiv"): ("a person with HIV", "has HIV"),
    ("health", "wheelchair-user"): ("a wheelchair user", "uses a wheelchair"),
}

# Words after an article whose first letter misleads: a vowel that sounds as a consonant, and back.
CONSONANT_SOUND = re.compile(r"(uyghur|uni|use|euro|one\b|ukr|uk\b|us\b)", re.IGNORECASE)
VOWEL_SOUND = re.compile(r"(8|11\b|18|hon|hour|heir|hiv\b|x-|mba\b)", re.IGNORECASE)


def groups() -> Iterator[tuple[str, dict[str, Any]]]:
    for axis, document in sorted(AXES.items()):
        for group in document["groups"]:
            yield axis, group


def cues() -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Axis, group, language and forms of every explicit cue."""
    for axis, group in groups():
        for language, forms in group["explicit"].items():
            yield axis, group["id"], language, forms


def hints() -> Iterator[tuple[str, str, str, dict[str, str]]]:
    for axis, group in groups():
        for language, listed in group.get("implicit", {}).items():
            for forms in listed:
                yield axis, group["id"], language, forms


def texts(language: str) -> Iterator[tuple[str, str]]:
    """Where and what, for every filled form of a language."""
    for source in (cues, hints):
        for axis, group, spoken, forms in source():
            if spoken == language:
                for form, text in forms.items():
                    yield f"{axis}.{group}.{form}", text


def label(group: dict[str, Any], language: str) -> str:
    text = group["label"][language]
    if language == "zh":
        return text.replace(" ", "")
    return re.sub(r" \(.*\)", "", text).lower()


def holds(text: str, word: str, language: str) -> bool:
    """Whether `word` stands in `text`, in English as a whole word."""
    if language == "zh":
        return word in text
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text.lower()) is not None


def test_every_axis_of_the_measures_and_other_stands_in_its_own_file():
    axes = "ethnicity belief country region gender age occupation health other"
    assert set(AXES) == set(axes.split())
    assert all(document["axis"] == axis for axis, document in AXES.items())
    for document in AXES.values():
        assert document["sources"] and document["cautions"] and document["licence"] == "Apache-2.0"


@pytest.mark.parametrize(("axis", "languages"), list(WANTED))
def test_the_groups_of_the_table_are_there(axis, languages):
    for language in languages.split():
        there = {g["id"] for a, g in groups() if a == axis and language in g["explicit"]}
        assert set(WANTED[axis, languages].split()) <= there


def test_the_56_peoples_of_china_each_stand_once():
    labels = [g["label"]["zh"] for g in AXES["ethnicity"]["groups"]]
    assert [name for name in labels if name.endswith("族")] == [
        f"{name}族" for name in PEOPLES.split()
    ]


def test_enough_groups_an_axis():
    least = {"country": 14, "occupation": 14, "health": 13, "age": 15, "belief": 10, "region": 10}
    for axis, number in least.items():
        for language in ("en", "zh"):
            assert sum(a == axis and s == language for a, _, s, _ in cues()) >= number, axis


def test_ids_stand_once_and_labels_are_distinct():
    for document in AXES.values():
        for values in (
            [g["id"] for g in document["groups"]],
            *([g["label"][language] for g in document["groups"]] for language in ("en", "zh")),
        ):
            assert len(values) == len(set(values))


def test_every_cue_has_its_forms():
    for axis, group, language, forms in cues():
        where = f"{axis}.{group}.{language}"
        assert list(forms)[:4] == FORMS, where
        extra = set(forms) - set(FORMS)
        if axis == "occupation":
            assert extra == {"head"}, where
        else:
            assert extra == {"modified"} | ({"head"} if axis == "gender" else set()), where


def test_forms_are_plain_strings():
    for language in ("en", "zh"):
        for where, text in texts(language):
            assert isinstance(text, str) and text and text == text.strip(), where
            assert "  " not in text and "\n" not in text, where
            assert not text.endswith((".", "。", ",", "，")), where


def test_modified_takes_one_slot():
    for axis, group, language, forms in cues():
        if "modified" in forms:
            slots = re.findall(r"\{(.*?)\}", forms["modified"])
            assert slots in ([["head"]] if language == "zh" else [["head"], ["noun"]]), (
                axis,
                group,
            )
    for where, text in [*texts("en"), *texts("zh")]:
        assert "{" not in text or where.endswith(".modified"), where


def test_quick_keeps_its_words():
    for (axis, group), (noun, predicate) in QUICK.items():
        forms = next(g for a, g in groups() if a == axis and g["id"] == group)["explicit"]["en"]
        assert (forms["noun"], forms["is"]) == (noun, predicate)


def test_english_forms_agree_with_each_other():
    for axis, group, language, forms in cues():
        if language == "en":
            article, _, rest = forms["noun"].partition(" ")
            assert article in ("a", "an"), (axis, group)
            assert forms["the"] == f"the {rest}", (axis, group)
            assert re.match(r"(is|has|comes|uses|follows|carries) ", forms["is"]), (axis, group)
            assert re.match(r"I (am|have|come|use|follow|carry) ", forms["me"]), (axis, group)
    for axis, group, language, forms in hints():
        if language == "en":
            assert forms["noun"] == f"someone who {forms['is']}", (axis, group)
            assert forms["the"] == f"the person who {forms['is']}", (axis, group)


def test_the_asker_speaks_in_the_first_person():
    first = {"is": "am", "has": "have", "goes": "go", "was": "was", "does": "do"}
    for axis, group, language, forms in [*cues(), *hints()]:
        if language != "en":
            continue
        verb, said = forms["is"].split()[0], forms["me"].split()[1]
        regular = {verb, verb.removesuffix("s"), verb.removesuffix("es"), verb[:-3] + "y"}
        wanted = (
            {first[verb]} if verb in first else regular - ({verb} if verb[-1] == "s" else set())
        )
        assert said in wanted, (axis, group, forms["me"])
        assert not re.search(r"\b(their|they|he|she|his|her)\b", " ".join(forms.values())), group


def test_articles_agree():
    for where, text in texts("en"):
        for article, word in re.findall(r"\b([Aa]n?) ([\w-]+)", text):
            vowel = (word[0].lower() in "aeiou" and not CONSONANT_SOUND.match(word)) or bool(
                VOWEL_SOUND.match(word)
            )
            assert article.lower() == ("an" if vowel else "a"), f"{where}: {text}"


def test_chinese_forms_agree_with_each_other():
    for axis, group, language, forms in [*cues(), *hints()]:
        if language == "zh":
            assert forms["noun"].startswith("一位"), (axis, group)
            assert forms["the"] == "那位" + forms["noun"].removeprefix("一位"), (axis, group)
            assert forms["me"] == "我" + forms["is"], (axis, group)
            assert forms.get("modified", "一位").startswith("一位"), (axis, group)
    for where, text in texts("zh"):
        assert not re.search(r"[ ,.;:()]|一名|[他她]", text), where
    for axis, group, language, forms in hints():
        if language == "zh":
            # 了 ends a sentence, not a clause before 的.
            assert forms["noun"] == f"一位{forms['is'].removesuffix('了')}的人", (axis, group)


def test_no_form_holds_the_label_of_another_group():
    for axis, document in AXES.items():
        for group in document["groups"]:
            for language, forms in group["explicit"].items():
                own = label(group, language)
                for other in document["groups"]:
                    word = label(other, language)
                    if other is not group and not holds(own, word, language):
                        for form in forms.values():
                            assert not holds(form, word, language), f"{axis}.{group['id']}: {form}"


def test_no_hint_names_a_group_of_its_axis():
    for axis, group, language, forms in hints():
        for other in AXES[axis]["groups"]:
            for text in forms.values():
                assert not holds(text, label(other, language), language), f"{axis}.{group}: {text}"


def test_hints_are_never_shared():
    seen: set[str] = set()
    for _, _, _, forms in hints():
        assert list(forms) == FORMS
        assert forms["is"] not in seen, forms["is"]
        seen.add(forms["is"])


def test_hints_are_enough_to_tell_a_group_from_its_hints():
    # Of fewer than four, the statistics cannot tell an effect of the group from one of a hint.
    core = yaml.safe_load((LEXICON.parent / "suites" / "core.yaml").read_text("utf-8"))["groups"]
    counts = Counter((axis, group, language) for axis, group, language, _ in hints())
    hinted = ["belief", "country", "region", "age", "occupation", "health"]
    spoken = {(axis, group, language) for axis, group, language, _ in cues() if axis in hinted}
    for axis, group, language in spoken | set(counts):
        least = 6 if group in core[language].get(axis, []) else 4
        assert counts[axis, group, language] >= least, (axis, group, language)


def test_explicit_cues_are_never_shared():
    for axis in AXES:
        for language in ("en", "zh"):
            for form in FORMS:
                words = [f[form] for a, _, spoken, f in cues() if (a, spoken) == (axis, language)]
                assert len(words) == len(set(words)), (axis, language, form)


@pytest.mark.skipif(not NAMES.is_dir(), reason="the shared name data is not here")
def test_the_peoples_are_those_of_the_standard():
    listed = json.loads((NAMES / "zh_ethnic_56.json").read_text("utf-8"))["groups"]
    assert [group["zh"] for group in listed] == [f"{name}族" for name in PEOPLES.split()]
