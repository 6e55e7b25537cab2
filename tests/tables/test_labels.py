"""What means no label is none, spellings of a class are one, and what is decided is said or asked."""

import shlex

import pytest

from tutelage.tables import DataError, Notes
from tutelage.tables.cells import quoted
from tutelage.tables.labels import LabelsAs, Spelled, unknown_label
from tutelage.tables.name_lists import as_option
from tutelage.tables.spelling import folded


def spelled(labels, **how):
    notes = Notes()
    found = Spelled.of(labels, LabelsAs(**how), notes, lambda i: f"row {i + 1}")
    return [found(label) for label in labels], notes


@pytest.mark.parametrize("word", ["nan", "NaN", "<NA>", "?", "-", "unlabelled", "Unlabeled", "[]", "not labelled"])
def test_words_for_no_label_are_none_and_said(word):
    labels, notes = spelled(["food", word, word, "sport"])
    assert labels == ["food", None, None, "sport"]
    option = "--classes=-,food,sport" if word == "-" else "--classes"
    assert notes.lines == [
        f"2 of 4 rows have {word!r} for a label: taken as no label ({option} makes it one). "
        "(docs: warnings/label-or-none)"
    ]
    assert not notes.questions
    assert spelled(["food", word, word, "sport"], classes=("food", "sport", word))[0] == ["food", word, word, "sport"]


@pytest.mark.parametrize("word", ["None", "NA", "null", "unknown", "N/A"])
def test_words_that_may_be_names_stay_classes_and_a_question_asks(word):
    labels, notes = spelled(["food", word, "sport"])
    assert labels == ["food", word, "sport"]
    (question,) = notes.questions
    assert not question.halts
    assert question.asks == f"1 of 3 rows has the label {word!r} (first: row 2), which is taken for a class"
    assert question.options == (f"--unlabelled-as {word} if it means that there is no label",)
    assert spelled(["food", word], unlabelled_as=(word,))[0] == ["food", None]
    assert not spelled(["food", word], classes=("food", word))[1].questions


def test_spellings_of_a_declared_class_are_said_too():
    labels, notes = spelled(["Food", "food", "SPORT", "other"], classes=("food", "sport"))
    assert labels == ["food", "food", "sport", "other"]
    assert notes.lines == [
        "One class in several spellings: 'food' 1, 'Food' 1; all are 'food' (--spelling as-is keeps them). "
        "(docs: warnings/spellings)",
        "One class in several spellings: 'sport' 0, 'SPORT' 1; all are 'sport' (--spelling as-is keeps them). "
        "(docs: warnings/spellings)",
    ]


@pytest.mark.parametrize(("labels", "sign"), [(["+", "-", "0"], "-"), (["!", ".", "?"], "?")])
def test_a_sign_beside_another_sign_is_a_class_and_a_question_asks(labels, sign):
    found, notes = spelled(labels)
    assert found == labels
    (question,) = notes.questions
    assert f"the label {sign!r}" in question.asks
    assert sign in question.options[0]
    assert spelled(labels, unlabelled_as=(sign,))[0] == [None if label == sign else label for label in labels]


@pytest.mark.parametrize("others", [["food", "sport"], ["0", "1", "2"], ["3", "7"], ["0"]])
def test_minus_one_is_no_label_where_it_cannot_be_a_class(others):
    labels, notes = spelled([*others, "-1"])
    assert labels == [*others, None]
    assert "'-1' for a label" in notes.lines[0]
    assert not notes.questions


@pytest.mark.parametrize("others", [["0", "1"], ["1"]])
def test_minus_one_beside_0_and_1_is_asked_for(others):
    _, notes = spelled([*others, "-1"])
    (question,) = notes.questions
    assert question.halts
    assert question.options == ("--unlabelled-as=-1", f"--classes={','.join(['-1', *others])}")
    with pytest.raises(DataError, match="it may mean no label, or be a class"):
        notes.settle()
    assert spelled([*others, "-1"], unlabelled_as=("-1",))[0] == [*others, None]
    kept, settled = spelled([*others, "-1"], classes=("-1", *others))
    assert kept == [*others, "-1"]
    settled.settle()


def test_spellings_of_a_class_are_folded_to_the_commonest_and_said():
    labels, notes = spelled(["Food", "food", "food", "FOOD ", "sport", "sport\u200b", "New  York", "new_york"])
    assert labels == ["food"] * 4 + ["sport"] * 2 + ["new_york"] * 2
    assert notes.lines[0] == (
        "One class in several spellings: 'food' 2, 'FOOD ' 1, 'Food' 1; all are 'food' (--spelling as-is keeps them). "
        "(docs: warnings/spellings)"
    )
    assert r"'sport' 1, 'sport\u200b' 1; all are 'sport'" in notes.lines[2]
    assert spelled(["Food", "food"], spelling="as-is")[0] == ["Food", "food"]


def test_composed_and_decomposed_letters_are_one():
    labels, notes = spelled(["Cafe\u0301", "Café", "Café"])
    assert labels == ["Café"] * 3
    assert "e\\u0301" in notes.lines[0]


def test_single_letters_keep_their_case():
    assert spelled(["a", "A", "b"])[0] == ["a", "A", "b"]
    assert folded("a") != folded("A")


def test_declared_classes_take_other_spellings_and_know_no_other():
    found = Spelled.of(["FOOD", "fod"], LabelsAs(classes=("food", "sport")), Notes(), str)
    assert found("FOOD") == "food"
    assert found.known(found("FOOD"))
    assert not found.known(found("fod"))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"classes": ("a", "a")}, "class 'a' is named twice"),
        ({"classes": ("a",)}, "two classes or more must be named"),
        ({"classes": ("a", "b"), "unlabelled_as": ("b",)}, "'b' cannot be a class and mean that there is no label"),
        ({"spelling": "loose"}, "spelling must be fold or as-is, got 'loose'"),
    ],
)
def test_options_that_contradict_each_other_are_refused(how, message):
    with pytest.raises(DataError, match=message):
        LabelsAs(**how)


@pytest.mark.parametrize("word", ["nan\u200b", "\u200b", "''", '""', "\ufeff?"])
def test_words_for_no_label_may_hold_characters_that_cannot_be_seen(word):
    labels, notes = spelled(["food", word, "sport"])
    assert labels == ["food", None, "sport"]
    assert "taken as no label" in notes.lines[0]


def test_a_doubtful_word_may_hold_characters_that_cannot_be_seen():
    assert len(spelled(["food", "none\u200b", "sport"])[1].questions) == 1
    assert len(spelled(["food", "__none__", "sport"])[1].questions) == 1


def test_long_labels_are_shown_by_their_beginnings():
    (question,) = spelled(["food", "todo", "sport"])[1].questions
    assert "'todo'" in question.asks
    assert quoted("x" * 99) == f"'{'x' * 60}…'"
    assert unknown_label("x" * 999, ["y" * 999, "z"]).count("x") == 60


@pytest.mark.parametrize("word", ["\\N", "ABSTAIN", "Not set", "[UNK]", "#REF!"])
def test_more_words_are_none(word):
    assert spelled(["food", word, "sport"])[0] == ["food", None, "sport"]


@pytest.mark.parametrize("word", ["n.a.", ".", "***", "x", "99", "don't know"])
def test_fillers_beside_names_are_asked_for(word):
    labels, notes = spelled(["food", word, "sport"])
    assert labels == ["food", word, "sport"]
    (question,) = notes.questions
    assert shlex.quote(word) in question.options[0]


@pytest.mark.parametrize("labels", [["x", "o", "draw"], ["97", "98", "99"], ["a", "b", "."], ["C", "Java", "Rust"]])
def test_fillers_beside_their_like_are_classes(labels):
    found, notes = spelled(labels)
    assert found == labels and not notes.questions


def test_a_number_that_most_rows_have_beside_names_is_asked_for():
    assert "the label '0'" in spelled(["food", "sport", *["0"] * 8])[1].questions[0].asks
    assert not spelled(["food", "sport", "0"] * 3)[1].questions


@pytest.mark.parametrize("how", [{}, {"unlabelled_as": ("n/a",)}, {"unlabelled_as": ("Junk",)}])
def test_minus_one_beside_0_and_1_is_asked_about_whatever_means_none(how):
    """A word that may mean none, or is said to, is no name of a class, beside which -1 would mean none."""
    _, notes = spelled(["-1", "0", "1", "n/a" if "Junk" not in how.get("unlabelled_as", ()) else "junk"] * 3, **how)
    assert "beside '0' and '1'; it may mean no label, or be a class" in notes.questions[0].asks
    assert notes.questions[0].halts


def test_minus_one_beside_another_negative_number_is_a_class():
    labels, notes = spelled(["-2", "-1", "0", "1", "2"])
    assert labels == ["-2", "-1", "0", "1", "2"] and not notes.lines and not notes.questions
    labels, notes = spelled(["-100", "-1", "0", "1", "2"])
    assert labels[1] is None and "'-100'" in notes.questions[0].asks


def test_a_label_that_means_none_does_so_in_every_spelling_and_that_is_said():
    labels, notes = spelled(["food", "Junk", "junk", "sport"], unlabelled_as=("junk",))
    assert labels == ["food", None, None, "sport"]
    assert notes.lines == [
        "1 of 4 rows has 'Junk' for a label: no label, as 'junk' is (--spelling as-is takes it for a class).",
        "1 of 4 rows has 'junk' for a label: no label, as --unlabelled-as says.",
    ]
    assert spelled(["food", "Junk"], unlabelled_as=("junk",), spelling="as-is")[0] == ["food", "Junk"]
    with pytest.raises(DataError, match="'Food' cannot be a class and mean that there is no label"):
        LabelsAs(classes=("Food", "sport"), unlabelled_as=("food",))


def test_quotation_marks_around_a_label_do_not_matter():
    labels, notes = spelled(["food", "'food'", "'food'", "“sport”", "sport"])
    assert labels == ["food"] * 3 + ["sport"] * 2
    assert "all are 'food'" in notes.lines[0] and "all are 'sport'" in notes.lines[1]


def test_a_label_with_letters_of_another_script_is_asked_for():
    labels, notes = spelled(["food", "f\u043eod", "sport"])
    (question,) = notes.questions
    assert labels[1] == "f\u043eod" and r"'f\u043eod'; it looks like 'food'" in question.asks
    assert not spelled(["дом", "сад", "food"])[1].questions


def test_a_class_that_is_only_written_with_a_stray_character_loses_it_and_it_is_said():
    labels, notes = spelled(["food", "pos\ufeff", "pos\ufeff"])
    assert labels == ["food", "pos", "pos"]
    assert notes.lines == [
        r"The class 'pos\ufeff' holds characters that cannot be seen, and is read as 'pos' "
        "(--spelling as-is keeps them). (docs: warnings/spellings)"
    ]
    assert spelled(["food", "pos\ufeff"], spelling="as-is")[0] == ["food", "pos\ufeff"]
    joined = "\U0001f469\u200d\U0001f4bb"
    assert spelled(["food", joined])[0] == ["food", joined]


def test_labels_that_are_said_to_mean_none_do_so_in_any_spelling():
    assert spelled(["food", "Todo", "todo\u200b", "sport"], unlabelled_as=("todo",))[0] == ["food", None, None, "sport"]
    assert spelled(["food", "Todo"], unlabelled_as=("todo",), spelling="as-is")[0] == ["food", "Todo"]


@pytest.mark.parametrize("mark", ["\u200f", "\u202b", "\ufe0f"])
def test_marks_of_direction_and_of_emojis_part_no_classes(mark):
    assert spelled(["food", "food" + mark, "food", "sport"])[0] == ["food", "food", "food", "sport"]
    heart = "\u2764\ufe0f"
    assert spelled(["food", heart, heart])[0] == ["food", heart, heart]


@pytest.mark.parametrize(
    "word",
    [
        "no_label",
        "No-Label",
        "(blank)",
        "k.A.",
        "keine Angabe",
        "non renseigné",
        "nie dotyczy",
        "未标注",
        "New Folder (2)",
    ],
)
def test_words_in_brackets_and_of_other_languages_are_asked_about(word):
    labels, notes = spelled(["food", word, "sport"])
    assert labels == ["food", word, "sport"]
    assert notes.questions[0].options == (f"{as_option('unlabelled-as', [word])} if it means that there is no label",)


@pytest.mark.parametrize("word", ["#NV", "#WERT!", "#N/D"])
def test_errors_of_spreadsheets_in_other_languages_are_none(word):
    assert spelled(["food", word, "sport"])[0] == ["food", None, "sport"]


def test_all_doubtful_words_are_asked_about_at_once():
    labels = ["food", "sport", "TODO", "unsure", "unsure", "food"]
    (question,) = spelled(labels)[1].questions
    assert question.asks.startswith("3 of 6 rows have the labels 'TODO' 1, 'unsure' 2 (first: row 3)")
    assert not spelled(labels, unlabelled_as=("TODO", "unsure"))[1].questions
    (again,) = spelled(labels, unlabelled_as=("TODO",))[1].questions
    assert again.options[0].startswith("--unlabelled-as TODO,unsure if")


@pytest.mark.parametrize(
    ("labels", "asked"),
    [
        (["1 - food", "1-food", "1. food", "sport"], "the labels '1 - food' 1, '1-food' 1, '1. food' 1 differ"),
        (["01", "1", "2"], "the labels '01' 1, '1' 1 differ"),
        (["Food..", "food", "sport"], "the labels 'Food..' 1, 'food' 1 differ"),
        (["C", "C++", "C#", "1.1", "11", "-2", "+2", "A-", "A", "x (+)", "x (-)", "-10", "10"], ""),
        (["covid-19", "covid-20", "2a", "2b", "1:2", "2:1"], ""),
        (["1.1", "1.10", "-10%", "10%", "12345678901234567", "12345678901234568"], ""),
        (["1", "01", "2", "02"], "the labels '01' 1, '1' 1, and '02' 1, '2' 1 differ"),
    ],
)
def test_labels_that_differ_by_signs_alone_are_asked_about(labels, asked):
    found, notes = spelled(labels)
    assert found == labels
    assert [question.asks.split(" by signs")[0] for question in notes.questions if "by signs" in question.asks] == (
        [asked] if asked else []
    )
    assert not [each for each in spelled(labels, spelling="as-is")[1].questions if "by signs" in each.asks]
