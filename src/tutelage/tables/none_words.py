"""Words that mean, or may mean, that there is no label."""

from __future__ import annotations

import re
from collections.abc import Mapping

NO_LABEL = frozenset(
    [
        *("nan", "<na>", "nat", "#n/a", "?", "??", "-", "--", "—", "–", "_", "[]", "{}", "()", "''", '""'),
        *("[null]", "[none]", "[unk]", "<unk>", "[pad]", "<pad>", "\\n", "abstain", "abstained", "[abstain]"),
        *("[nan]", "<none>", "<null>", "unlabelled", "unlabeled", "<unlabelled>", "<unlabeled>", "no label"),
        *("not labelled", "not labeled", "not annotated", "to be labelled", "to be labeled", "unannotated"),
        *("not set", "unset", "#value!", "#ref!", "#name?", "#null!", "#num!", "#div/0!", "#nv", "#wert!", "#bezug!"),
        *("#zahl!", "#n/d", "#valeur!", "#nom?", "#nombre!", "#¡valor!", "#¡ref!", "#valor!", "#valore!", "#rif!"),
        *("#arg!", "#adr!", "#n/b", "#waarde!", "#verw!", "#н/д", "#знач!", "#spill!", "#calc!", "#getting_data"),
    ]
)
"""Words, in lower case, that are taken to mean that there is no label, which is said."""

DOUBTFUL = frozenset(
    [
        *("na", "n/a", "n.a.", "n.a", "n. a.", "none", "null", "nil", "missing", "undefined", "unknown", "[unknown]"),
        *("<unknown>", "unsure", "not sure", "uncertain", "unclear", "undecided", "unassigned", "unspecified"),
        *("not specified", "not available", "not applicable", "no answer", "don't know", "dont know", "idk", "dk"),
        *("cannot tell", "can't tell", "todo", "to do", "to-do", "tbd", "tba", "tbc", "pending", "skip", "skipped"),
        *("ignore", "ignored", "discard", "discarded", "reject", "rejected", "empty", "blank", "invalid", "xxx"),
        *("to sort", "to be sorted", "unsorted", "new folder", "untitled folder", "neuer ordner", "nouveau dossier"),
        *("nueva carpeta", "nuova cartella", "nova pasta", "nieuwe map", "nowy folder", "новая папка", "新建文件夹"),
        *("-9", "-99", "-100", "-999", "-9999"),
    ]
)
"""Words, in lower case, that may mean so: they are taken for classes, and a question asks."""

FOREIGN = frozenset(
    [
        *("k.a.", "k. a.", "k.a", "keine", "keiner", "kein", "keine angabe", "keine angaben", "kein label"),
        *(
            "unbekannt",
            "unklar",
            "unbestimmt",
            "nicht bestimmt",
            "nicht bestimmbar",
            "nicht bekannt",
            "nicht zugeordnet",
        ),
        *("ohne", "ohne label", "ohne zuordnung", "leer", "fehlt", "weiß nicht", "weiss nicht", "unsicher", "entfällt"),
        *("aucun", "aucune", "non renseigné", "non renseignée", "non précisé", "sans objet", "inconnu", "inconnue"),
        *("indéterminé", "n/d", "n.d.", "s/o", "vide", "desconocido", "desconocida", "ninguno", "ninguna", "vacío"),
        *("sin etiqueta", "sin datos", "sin clasificar", "no aplica", "no sabe", "nessuno", "nessuna", "sconosciuto"),
        *("non disponibile", "non specificato", "desconhecido", "nenhum", "nenhuma", "não se aplica", "brak"),
        *("brak danych", "nie dotyczy", "nieznany", "nieznane", "nie wiem", "onbekend", "geen", "n.v.t.", "nvt"),
        *("okänd", "ukendt", "ukjent", "neznámý", "нет данных", "неизвестно", "не указано", "без метки", "н/д"),
        *("未标注", "未标记", "未標註", "待标注", "无", "無", "未知", "不明"),
        *("未定", "不确定", "空", "なし", "없음", "미정"),
    ]
)
"""Words of other languages, in lower case, that may mean so, too."""

REFUSED = frozenset(
    [
        *("discarded", "discard", "rejected", "reject", "ignored", "ignore", "skipped", "skip", "cancelled"),
        *("canceled", "deleted", "invalid", "draft", "pending"),
    ]
)
"""States, in lower case, of an answer that an annotator took back, refused or did not finish."""

STATES = ("status", "answer", "state", "decision", "review", "review_status", "annotation_status", "record_status")
"""Names, in lower case, of fields and columns that hold the state of an answer."""

FILLERS = frozenset(["x", "9", "99", "999", "9999"])
"""Words, in lower case, that may mean so where the other labels are names, or numbers that leave a gap before them."""

MOST = 0.5
"""Share of the labels from which on a single sign, letter or number may mean so where the other labels are names."""

NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
"""Pattern of a number."""


def is_odd_beside(word: str, labels: Mapping[str, int]) -> bool:
    """Whether a label that is no known word may mean that there is none, by the labels beside it.

    Args:
        word: the label.
        labels: all labels, with their counts.

    >>> is_odd_beside("***", {"food": 9, "sport": 9, "***": 1}), is_odd_beside("99", {"97": 1, "98": 1, "99": 1})
    (True, False)
    >>> is_odd_beside("0", {"food": 9, "sport": 9, "0": 40}), is_odd_beside("x", {"x": 40, "o": 40})
    (True, False)
    """
    small = _letters(word) <= 1 and len(word) <= 2 and labels[word] > MOST * sum(labels.values())
    filler, sign = word.casefold() in FILLERS, not any(map(str.isalnum, word))
    others = [label for label in labels if label != word] if filler or sign or small else []
    if len(others) < 2:
        return False
    if all(_letters(label) > 1 for label in others):
        return True
    numbers = [float(label) for label in others if NUMBER.fullmatch(label)]
    return filler and len(word) > 1 and len(numbers) == len(others) and 2 * max(numbers) < float(word)


def _letters(label: str) -> int:
    return sum(map(str.isalpha, label))
