"""Guesses at the charset of bytes that are not utf-8, by the letters that each charset reads in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

LATIN = ("cp1252", "cp1250", "iso8859-2", "cp1254", "cp1257", "iso8859-15")
"""Charsets of Latin letters; where several read the same, the first is meant."""
RARE = ("mac-roman", "cp850", "cp852")
"""Charsets of Latin letters of older systems, believed only where they fit clearly better."""
ALPHABETS = ("cp1251", "koi8-r", "koi8-u", "cp866", "iso8859-5", "cp1253", "iso8859-7", "cp1255", "cp1256")
"""Charsets of other alphabets, whose words have no Latin letters."""
OTHERS = (*ALPHABETS, "cp932", "euc_jis_2004", "gb18030", "big5hkscs", "cp949")
"""Charsets of other letters."""
CLEARLY = 1.5
"""How many times the confidence of a usual charset a rare one must have."""
COMMON = 1.2
"""By how much the confidence of cp1252 counts more, since most such files are in it."""
SAMPLE = 50_000
"""Number of bytes that a charset is guessed by, at most."""
WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
"""Pattern of a word with bytes beyond ASCII."""
LONG = re.compile(rb"([!-~]{60})[!-~]+")
"""Pattern of ASCII that is longer than a word; chardet's time grows faster than such a run."""
PLAIN = {"iso8859-2": "iso-8859-2", "iso8859-15": "iso-8859-15", "iso8859-5": "iso-8859-5", "iso8859-7": "iso-8859-7"}
"""Usual spellings of charsets' names."""


def guess(sample: bytes, whole: bytes = b"") -> list[str]:
    r"""Charsets of bytes that are not utf-8, the likeliest first; empty where none fits.

    Args:
        sample: lines with bytes beyond ASCII.
        whole: bytes that the first charset must be able to read.

    >>> guess("Příliš žluťoučký kůň".encode("cp1250"))[0], guess(b"x" * 40_000 + b" \xe9t\xe9")[0]
    ('cp1250', 'cp1252')
    """
    from chardet import detect_all

    sample = LONG.sub(rb"\1", sample)[:SAMPLE]
    words = WORD.findall(sample)
    marks = _reads(sample, "cp1252") or "é"
    if _letters(words, "cp1252") == 1 and not any(c.isalpha() for c in marks if not c.isascii()):
        return ["cp1252"]  # such as quotation marks and dashes
    beyond = sum(byte > 127 for word in words for byte in word)
    latin = 2 * beyond < sum(map(len, words))  # in other scripts most of a word's letters are beyond ASCII
    among = (*LATIN, *RARE, *(() if latin else OTHERS))
    found = detect_all(sample, ignore_threshold=True, compat_names=False, include_encodings=among)
    trust = {str(each["encoding"]): each["confidence"] for each in found if each["encoding"] in among}
    if latin:
        trust = {name: each * _letters(words, name) for name, each in trust.items()}
        trust["cp1252"] = COMMON * trust.get("cp1252", 0.0)
    trust = {name: each * (1 - _mixed(words, name) * (name in ALPHABETS)) for name, each in trust.items()}
    trust = {name: each / (CLEARLY if name in RARE else 1) for name, each in trust.items()}
    fits = [name for name in trust if _reads(sample, name) is not None and _reads(whole, name) is not None]
    ranked = sorted(fits, key=lambda name: -trust[name])
    if ranked and ranked[0] in LATIN:  # such as "Müller", the same in many charsets
        same = [name for name in LATIN if _reads(sample, name) == _reads(sample, ranked[0])]
        ranked = [same[0], *(name for name in ranked if name != same[0])]
    return [PLAIN.get(name, name) for name in ranked]


def in_words(found: Sequence[str], lines: Sequence[bytes]) -> str:
    """Phrase on the likeliest charset, with a word as it reads it, and as the next one reads that word.

    Args:
        found: charsets, the likeliest first.
        lines: lines with bytes beyond ASCII.

    >>> in_words(["cp1250", "cp1252"], ["Příliš".encode("cp1250")])
    "cp1250, which reads 'Příliš' (cp1252 reads 'Pøíliš')"
    """
    first, *others = found
    taken_for = [name for name in ("cp1252", "cp1250") if name != first] if first.startswith(("cp125", "iso")) else []
    words = [word for line in lines[:1000] for word in WORD.findall(line) if len(word) <= 20]
    words.sort(key=len, reverse=True)
    for other in (*taken_for, *others):
        for word in words:
            read, differs = _reads(word, first), _reads(word, other)
            if read and differs and differs != read and differs.isprintable():
                return f"{first}, which reads {read!r} ({other} reads {differs!r})"
    shown = next((read for word in words if (read := _reads(word, first))), "")
    return f"{first}, which reads {shown!r}" if shown else first


def _letters(words: Sequence[bytes], charset: str) -> float:
    """Share of the words in which a charset reads letters as words have them: no mark or capital after a small one."""
    read = [text for word in words if (text := _reads(word, charset)) is not None]
    return (sum(map(_is_word, read)) + 0.1) / (len(words) + 0.1)


def _mixed(words: Sequence[bytes], charset: str) -> float:
    """Share of the words in which a charset reads Latin letters beside others."""
    read = [_reads(word, charset) or "" for word in words]
    return sum(any(c.isalpha() for c in text if not c.isascii()) and _has_ascii(text) for text in read) / (
        len(read) or 1
    )


def _has_ascii(text: str) -> bool:
    return any(c.isascii() and c.isalpha() for c in text)


def _is_word(text: str) -> bool:
    inner = text.strip("“”„‘’‚»«…–—€°§®©™\xa0")
    if any(not (c.isalpha() or c in "’–-") for c in inner):
        return False
    return not any(a.islower() and b.isupper() for a, b in zip(inner, inner[1:], strict=False))


def _reads(data: bytes, charset: str) -> str | None:
    """Text of bytes in a charset; None where they are not in it."""
    try:
        return data.decode(charset)
    except UnicodeDecodeError:
        return None
