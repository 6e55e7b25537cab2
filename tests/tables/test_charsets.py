"""Charsets are obeyed, told apart and named; letters that were spoilt before are pointed out."""

from __future__ import annotations

import pytest
from table_files import noted, quiet, rows_of, written

from tutelage.tables import DataError, ReadAs, read

TEXTS = {
    "cs": "Příliš žluťoučký kůň úpěl ďábelské ódy. Objednávka dorazila pozdě a krabice byla poškozená.",
    "pl": "Paczka przyszła za późno i była uszkodzona. Dziękuję za szybką obsługę, na pewno wrócimy.",
    "hu": "A csomag későn érkezett és sérült volt. Köszönöm a gyors ügyintézést, az étel kitűnő volt.",
    "fr": "Le colis est arrivé trop tard et il était abîmé. Merci pour votre réponse très rapide.",
    "de": "Das Paket kam zu spät und war beschädigt. Vielen Dank für die schnelle Antwort, köstlich.",
    "tr": "Paket çok geç geldi ve hasarlıydı. Hızlı yanıt için teşekkür ederim, kesinlikle yine geleceğiz.",
    "ru": "Посылка пришла поздно и была повреждена. Спасибо за быстрый ответ, мы обязательно вернёмся.",
    "el": "Το πακέτο έφτασε αργά και ήταν κατεστραμμένο. Ευχαριστώ για τη γρήγορη απάντηση.",
    "ja": "荷物が遅れて届き、箱が壊れていました。迅速なご対応ありがとうございます。",
    "zh": "包裹到得太晚，而且已经损坏。谢谢你们的快速回复。食物非常好吃，我们一定会再来。",
    "zh-tw": "包裹到得太晚，而且已經損壞。謝謝你們的快速回覆。食物非常好吃，我們一定會再來。",
    "ko": "소포가 늦게 도착했고 상자가 망가져 있었습니다. 빠른 답변 감사합니다. 음식이 정말 맛있어요.",
}


def content(text: str) -> str:
    parts = [part.strip() for part in text.replace("。", ".").split(".")]
    return "text,label\n" + "".join(f"{part},a\n" for part in parts if part)


@pytest.mark.parametrize(
    ("language", "charset"),
    [
        ("cs", "cp1250"), ("cs", "iso-8859-2"), ("pl", "cp1250"), ("pl", "iso-8859-2"), ("hu", "cp1250"),
        ("fr", "cp1252"), ("de", "latin-1"), ("tr", "cp1254"), ("ru", "cp1251"), ("ru", "koi8-r"), ("el", "cp1253"),
        ("ja", "shift_jis"), ("ja", "euc_jp"), ("zh", "gb18030"), ("zh-tw", "big5"), ("ko", "cp949"),
        ("fr", "mac-roman"),
    ],
)  # fmt: skip
def test_the_likeliest_charset_reads_what_was_written(tmp_path, language, charset):
    written_text = content(TEXTS[language])
    path = written(tmp_path, "t.csv", written_text.encode(charset))
    with pytest.raises(DataError, match=r"is not utf-8 \(line \d\); it looks like .*: pass --charset \S+$") as refused:
        read(path)
    suggested = str(refused.value).split()[-1]
    assert path.read_bytes().decode(suggested) == written_text


def test_the_hint_shows_a_word_as_two_charsets_read_it(tmp_path):
    with pytest.raises(DataError, match=r"cp1250, which reads '(\w+)' \(cp1252 reads '(\w+)'\)") as refused:
        read(written(tmp_path, "t.csv", content(TEXTS["cs"]).encode("cp1250")))
    meant, other = [part.split("'")[0] for part in str(refused.value).split(" reads '")[1:]]
    assert meant in TEXTS["cs"] and other not in TEXTS["cs"]


def test_marks_and_dashes_alone_are_the_commonest_charset(tmp_path):
    with pytest.raises(DataError, match="pass --charset cp1252"):
        read(written(tmp_path, "t.csv", "text\n5 € – “ok”\n".encode("cp1252")))


@pytest.mark.parametrize("charset", ["utf-16", "utf-32"])
def test_a_byte_order_mark_is_obeyed_and_said(tmp_path, charset):
    found, notes = noted(written(tmp_path, "t.csv", content(TEXTS["ru"]).encode(charset)))
    assert found.frame.text[0] == TEXTS["ru"].split(".")[0]
    assert f"read as {charset}-le, as its byte order mark says" in notes.lines[0]


def test_a_mark_of_utf8_is_seen_without_a_word(tmp_path):
    found, notes = noted(written(tmp_path, "t.csv", content(TEXTS["fr"]).encode("utf-8-sig")))
    assert quiet(notes) and found.seen.marked and found.seen.columns == ["text", "label"]


def test_utf16_without_a_mark_is_named(tmp_path):
    with pytest.raises(DataError, match="it looks like utf-16-le: pass --charset utf-16-le"):
        read(written(tmp_path, "t.csv", "text\nabc\n".encode("utf-16-le")))


def test_a_few_lines_of_another_charset_are_told_from_a_wrong_charset(tmp_path):
    good = content(TEXTS["fr"]).encode() * 10
    path = written(tmp_path, "t.csv", good + "déjà vu,b\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"1 line is in another charset.*--skip-bad leaves their rows out"):
        read(path)
    found, notes = noted(path, skip_bad=True)
    assert found.seen.left_out >= 1 and "déjà" not in " ".join(found.frame.text)
    assert any("1 row with bytes that cannot be read (first: row 30)" in line for line in notes.lines)


def test_a_file_that_ends_within_a_character_was_cut(tmp_path):
    cut = ("text\n" + "plain\n" * 30 + "café").encode()[:-1]
    path = written(tmp_path, "t.csv", cut)
    with pytest.raises(DataError, match=r"ends within a character, in line 32, so it was cut: .*, or --skip-bad"):
        read(path)
    assert len(noted(path, skip_bad=True)[0].frame) == 30


def test_zero_bytes_are_counted(tmp_path):
    path = written(tmp_path, "t.csv", "text\n" + "plain\n" * 30 + "a\0b\n")
    with pytest.raises(DataError, match=r"1 byte is zero, in 1 of 32 lines \(first: line 32\).*--skip-bad"):
        read(path)
    assert len(noted(path, skip_bad=True)[0].frame) == 30


@pytest.mark.parametrize("taken_for", ["cp1252", "cp1250", "latin-1"])
def test_utf8_that_was_read_as_another_charset_is_asked_about(tmp_path, taken_for):
    spoilt = TEXTS["fr"].encode().decode(taken_for)
    _, notes = noted(written(tmp_path, "t.csv", content(spoilt)))
    (question,) = notes.questions
    assert not question.halts and "look like utf-8 that was read as" in question.asks
    assert any(word in question.asks for word in ("arrivé", "était", "abîmé", "réponse", "très"))
    assert quiet(noted(written(tmp_path, "u.csv", content(TEXTS["fr"])))[1])


@pytest.mark.parametrize("text", ["CAFÉ” sagt „Ä“ und „Ö“", "NÃO ÉS ÂNIMO", "naïve façade – “Ok”", "Ñandú Ünïcödé"])
def test_good_letters_are_not_taken_for_spoilt_ones(tmp_path, text):
    assert quiet(noted(written(tmp_path, "t.csv", "text\n" + f"{text}\n" * 5))[1])


def test_lost_characters_are_counted(tmp_path):
    found, notes = noted(written(tmp_path, "t.csv", "text\nplain\ncaf\ufffd\nd\ufffdj\ufffd\n"))
    assert len(rows_of(found)) == 3
    assert "3 characters were lost before the file was written" in notes.lines[0]
    assert "(first: line 3)" in notes.lines[0]


def test_a_charset_that_is_none(tmp_path):
    path = written(tmp_path, "t.csv", "text\na\n")
    for charset in ("klingon", "hex"):
        with pytest.raises(DataError, match=f"charset '{charset}' is not known"):
            noted(path, charset=charset)


def test_words_of_mixed_letters_are_of_no_other_alphabet(tmp_path):
    text = "text;label\nŽluťoučký kůň won the race;sport\nA goal;sport\n"
    with pytest.raises(DataError, match="it looks like cp1250, which reads"):
        read(written(tmp_path, "t.csv", text.encode("cp1250")))


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16"])
def test_marks_of_files_that_were_joined_are_no_letters(tmp_path, charset):
    found, notes = noted(written(tmp_path, "t.csv", "text,label\nsoup,food\n".encode(charset) * 2))
    assert rows_of(found) == [["soup", "food"]] * 2
    assert "1 row repeats the names of the columns (first: row 2), as where files were joined; left out." in str(notes)


def test_a_file_of_utf8_is_not_read_as_utf16(tmp_path):
    path = written(tmp_path, "t.csv", "text,label\na café,x\nb,y\n")
    with pytest.raises(DataError, match="it looks like utf-8: leave out --charset utf-16"):
        read(path, ReadAs(charset="utf-16"))
