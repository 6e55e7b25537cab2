"""Character sets of text files: a byte order mark is obeyed, and bytes that fit no charset are told apart."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace
from pathlib import Path

from tutelage.data.errors import DataError
from tutelage.tables.guesses import guess, in_words
from tutelage.tables.how import ReadAs

MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # begins like that of utf-16
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""Charsets by the byte order mark at the beginning of a file."""
BLOCK = 1 << 22
"""Number of bytes that are decoded at once to check them."""
UNREADABLE = "\U0010ffff"
"""Character that stands where bytes are not in the charset, if rows with such bytes are left out; no text has it."""
PAGES = tuple(byte for byte in range(32) if chr(byte) not in "\t\n\r")
"""Bytes that are one half of the characters of an alphabet in utf-16, and are in no text in other charsets."""
MOST = 0.5
"""Share of every other byte that is the same one of these, at least, where a text is in utf-16."""
WIDE = ("utf-16", "utf-32")
"""Beginnings of the names of charsets in which a letter of English has a byte that is zero."""
FEW = 0.1
"""Share of the lines that may hold unreadable bytes, at most, so that they may be left out."""


@dataclass(frozen=True)
class Text:
    """Text of a file.

    Attributes:
        data: text in utf-8, without a byte order mark; bytes that are not in the charset are `UNREADABLE`.
        charset: charset of the file, as Python names it.
        marked: whether the file begins with a byte order mark.
        holes: whether the text holds `UNREADABLE` characters.
    """

    data: bytes
    charset: str
    marked: bool = False
    holes: bool = False


def decoded(data: bytes, how: ReadAs, path: str | Path, alone: bool = False) -> Text:
    r"""Text of a file's bytes.

    Args:
        data: bytes of the file, unpacked.
        how: how files are read: the charset, and whether what cannot be read is left out.
        path: the file, for messages.
        alone: whether the file is one text of several, so that it is left out as a whole.

    Raises:
        DataError: the charset is not known, or bytes are not in it; the message names the likeliest charset.

    >>> decoded("naïve".encode("utf-16"), ReadAs(), "t.csv")
    Text(data=b'na\xc3\xafve', charset='utf-16-le', marked=True, holes=False)
    """
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    charset, body = MARKS.get(mark, how.charset), data[len(mark) :] if mark else data
    try:
        if not mark and codecs.lookup(charset).name.startswith(WIDE) and 0 not in body and body and _is_utf8(body):
            raise DataError(f"{path}: the file is not {charset}; it looks like utf-8: leave out --charset {charset}")
        if codecs.lookup(charset).name == "utf-8":
            _check(body)
            return _without_zeros(Text(_one_text(body), "utf-8", bool(mark)), how, path, alone)
        text = Text(_one_text(body.decode(charset).encode()), charset, bool(mark))
        return _without_zeros(text, how, path, alone)
    except LookupError as e:
        raise DataError(f"charset {charset!r} is not known") from e
    except UnicodeDecodeError as e:
        if how.skip_bad and not alone and (holed := _with_holes(body, charset)) is not None:
            return Text(holed, charset, bool(mark), holes=True)
        raise DataError(_message(path, charset, body, e, alone)) from e
    except UnicodeError as e:
        raise DataError(f"{path}: not readable as {charset} ({e})") from e


def _one_text(data: bytes) -> bytes:
    """Text, in utf-8, without byte order marks at the beginnings of lines, as where files were joined."""
    return re.sub(rb"(?<=[\r\n])\xef\xbb\xbf", b"", data) if codecs.BOM_UTF8 in data else data


def encoding_of(charset: str) -> str:
    """Python's name of a charset; a byte order mark of utf-8 is passed over."""
    return "utf-8-sig" if charset.lower() in ("utf-8", "utf8") else charset


def undecodable(path: Path, charset: str, error: UnicodeDecodeError) -> str:
    """Message that a file is not in a charset, with a guess at the right one.

    Args:
        path: the file.
        charset: the charset.
        error: error of its decoding.
    """
    return _message(path, charset, path.read_bytes(), error)


def _check(data: bytes) -> None:
    """Decode utf-8 block by block, so that the text is never in memory as a whole.

    Raises:
        UnicodeDecodeError: bytes are not utf-8; the error has their place in all the data.
    """
    if data.isascii():
        return
    decoder, done = codecs.getincrementaldecoder("utf-8")(), 0
    for begin in range(0, len(data), BLOCK):
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(data[begin : begin + BLOCK], final=begin + BLOCK >= len(data))
        except UnicodeDecodeError as e:
            at = done - kept
            raise UnicodeDecodeError(e.encoding, data, at + e.start, at + e.end, e.reason) from e
        done = begin + BLOCK


def _without_zeros(text: Text, how: ReadAs, path: str | Path, alone: bool) -> Text:
    """The text, in which NUL bytes are `UNREADABLE` if rows with them are left out.

    Raises:
        DataError: there are NUL bytes, and none may be left out, or there are too many.
    """
    zeros = text.data.count(0)
    if not zeros:
        return text
    if (wide := _wide(text.data)) and text.charset == "utf-8":
        raise DataError(f"{path}: the file is not utf-8; it looks like {wide}: pass --charset {wide}")
    lines = text.data.splitlines()
    bad = sum(0 in line for line in lines)
    if how.skip_bad and not alone and bad <= max(1, FEW * len(lines)):
        return replace(text, data=text.data.replace(b"\0", UNREADABLE.encode()), holes=True)
    first = text.data.count(b"\n", 0, text.data.index(0)) + 1
    hint = "; or --skip-bad leaves their rows out" if not alone and bad <= max(1, FEW * len(lines)) else ""
    raise DataError(
        f"{path}: {zeros} {'byte is' if zeros == 1 else 'bytes are'} zero, in {bad} of {len(lines)} lines (first: line "
        f"{first}), as where a file was cut or is no text; fetch it again{hint}"
    )


def _with_holes(data: bytes, charset: str) -> bytes | None:
    """Text in utf-8 with `UNREADABLE` for bytes that are not in the charset; None where too many lines have them."""
    try:
        text = re.sub("[\udc80-\udcff]+", UNREADABLE, data.decode(charset, "surrogateescape"))
        lines = text.splitlines()
        bad = sum(UNREADABLE in line for line in lines)
        return text.encode() if bad <= max(1, FEW * len(lines)) else None
    except UnicodeError:  # of charsets whose characters have several bytes each
        return None


def _message(path: str | Path, charset: str, data: bytes, error: UnicodeDecodeError, alone: bool = False) -> str:
    line, utf8 = data.count(b"\n", 0, error.start) + 1, codecs.lookup(charset).name == "utf-8"
    what = f"{path}: byte 0x{data[error.start : error.start + 1].hex()} is not {charset} (line {line})"
    if error.end >= len(data) and error.reason in ("unexpected end of data", "truncated data"):
        hint = ", or --skip-bad leaves its last row out" if utf8 and not alone else ""
        return f"{path}: the file ends within a character, in line {line}, so it was cut: fetch it again{hint}"
    if not charset.startswith("utf-16") and (wide := _wide(data)):
        return f"{what}; it looks like {wide}: pass --charset {wide}"
    if 0 in data:
        return f"{what}, and bytes are zero, as in no text: this is a file of another kind"
    lines = [each for each in data.splitlines() if not each.isascii()]
    good = sum(_is_utf8(each) for each in lines) if utf8 else 0
    found = guess(b"\n".join(each for each in lines if not (utf8 and _is_utf8(each))), data if not good else b"")
    if good:
        like = f", perhaps {found[0]}," if found else ""
        those = "1 line is" if len(lines) == good + 1 else f"{len(lines) - good} lines are"
        how = f"in another charset{like} but {good} with such letters {'is' if good == 1 else 'are'} {charset}"
        return f"{what}: {those} {how}; convert them{'' if alone else ', or --skip-bad leaves their rows out'}"
    return f"{what}; it looks like {in_words(found, lines)}: pass --charset {found[0]}" if found else what


def _wide(data: bytes) -> str:
    """Charset of two bytes for each character that bytes look to be in; empty where they do not.

    >>> _wide("text".encode("utf-16-le")), _wide(b"text")
    ('utf-16-le', '')
    """
    sides = data[:10_000:2], data[1:10_000:2]
    shares = [max((side.count(byte) for byte in PAGES), default=0) / max(len(side), 1) for side in sides]
    if max(shares) < MOST or min(shares) > FEW:
        return ""
    return "utf-16-le" if shares[1] > shares[0] else "utf-16-be"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
