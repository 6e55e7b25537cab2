"""Changes of the bytes of files: of those that the library wrote, and of inputs as fuzzers change them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from injected.same import MANIFEST


def _byte(draw: random.Random, data: bytes) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]


def _run(draw: random.Random, data: bytes) -> bytes:
    at, long = draw.randrange(len(data)), draw.choice((4, 64, 1024))
    part = draw.choice((bytes(long), draw.randbytes(long)))[: len(data) - at]
    return data[:at] + part + data[at + len(part) :]


def _cut(draw: random.Random, data: bytes) -> bytes:
    return data[: draw.choice((0, len(data) // 2, draw.randrange(len(data))))]


def _longer(draw: random.Random, data: bytes) -> bytes:
    return data + draw.choice((b"\0", b"\n", draw.randbytes(100), data))


def _digit(draw: random.Random, data: bytes) -> bytes:
    """Another digit in place of one: a text file stays well-formed."""
    at = [i for i, byte in enumerate(data[:200_000]) if 48 <= byte <= 57]
    if not at:
        return _byte(draw, data)
    i = draw.choice(at)
    return data[:i] + bytes([48 + (data[i] - 48 + draw.randint(1, 9)) % 10]) + data[i + 1 :]


ODD: tuple[Any, ...] = (
    None,
    "",
    [],
    {},
    -1,
    0,
    10**30,
    "x",
    [None],
    {"a": 1},
    True,
    3.5,
    ["food"],
    "../../x",
    "[" * 99,
)
"""Values in place of a part of a JSON file."""


def _node(draw: random.Random, data: bytes) -> bytes:
    """A part of a JSON file is gone, is another, is odd, or is reversed."""
    try:
        value = json.loads(data)
    except ValueError:
        return _byte(draw, data)
    nodes = [(held, key) for held, key in _nodes(value)]
    if not nodes:
        return b"[]"
    held, key = draw.choice(nodes)
    other, its = draw.choice(nodes)
    way = draw.randrange(4)
    if way == 0:
        del held[key]
    elif way == 1:
        held[key] = draw.choice(ODD)
    elif way == 2 and isinstance(held[key], list):
        held[key].reverse()
    else:
        held[key] = json.loads(json.dumps(other[its]))
    if draw.randrange(30) == 0:
        return b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    return json.dumps(value).encode()


def _nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _nodes(value[key])


CHANGES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "a bit": _byte, "a run of bytes": _run, "cut": _cut, "longer": _longer, "a digit": _digit, "a part of JSON": _node,
}  # fmt: skip
"""Changes of a file's bytes, by name."""


def damage(draw: random.Random, folder: Path, within: Sequence[str]) -> tuple[str, str]:
    """Damage one file of a folder: word for the harm, and the file's path.

    Args:
        draw: source of the choices.
        folder: folder of the trial.
        within: names of the folders in it whose files are damaged.
    """
    files = sorted(p for name in within for p in (folder / name).rglob("*") if p.is_file())
    weights = [3 if "model" in p.parts or p.suffix == ".json" else 1 for p in files]
    path = draw.choices(files, weights)[0]
    name = path.relative_to(folder).as_posix()
    way = draw.randrange(10)
    if way == 0:
        path.unlink()
        return "removed", name
    other = draw.choice(files)
    first, second = path.read_bytes(), other.read_bytes()
    if way == 1 and first != second:
        path.write_bytes(second)
        other.write_bytes(first)
        return "swapped", name
    data = path.read_bytes()
    if not data:
        path.write_bytes(b"x")
        return "longer", name
    how = draw.choice(list(CHANGES))
    path.write_bytes(CHANGES[how](draw, data))
    return how, name


def vouched(draw: random.Random, folder: Path) -> tuple[str, str]:
    """Change a part of a JSON file of a run as a stranger may, who also writes the hashes that vouch for it anew.

    Args:
        draw: source of the choices.
        folder: folder of the run.

    Returns:
        Word for the harm, and the file's path.
    """
    path = draw.choice(sorted(p for p in folder.rglob("*.json") if p.name != MANIFEST))
    changed = _node(draw, path.read_bytes())
    path.write_bytes(changed)
    if not changed.startswith(b'{"a":{"a":') and isinstance(value := json.loads(changed), dict):
        path.write_text(json.dumps(value | {"sha256": _hash_of(value)}))
    for around in path.relative_to(folder.parent).parents[:-1]:  # from the innermost folder on
        listed = folder.parent / around / MANIFEST
        if listed.exists():
            value = json.loads(listed.read_bytes())
            for name in value["files"]:
                data = (listed.parent / name).read_bytes()
                value["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            listed.write_text(json.dumps(value | {"sha256": _hash_of(value)}))
    return "a part of JSON, vouched for", f"{folder.name}/{path.relative_to(folder).as_posix()}"


def _hash_of(value: dict[str, Any]) -> str:
    """Hash of an object by which the file vouches for itself."""
    return hashlib.sha256(json.dumps({k: v for k, v in value.items() if k != "sha256"}).encode()).hexdigest()


WORDS = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n", b'"', b"'", b",", b"\t", b";", b"{", b"}", b"[", b"]", b"null",
    b"NaN", b"-1", b"1e999", b"\\u0000", b"\\ud800", b"PAR1", b"ARROW1", b"PK\x03\x04", b"\x1f\x8b", b"BZh9",
    b"\x89PNG", b"IHDR", b"IDAT", b"\xff\xd8\xff", b"<xml>", b"=1+1", b"\x1b[2J", b"\xe2\x80\xae", b"text", b"label",
)  # fmt: skip
"""Bytes that mean something in a format."""

NUMBERS = tuple(
    value.to_bytes(size, "little", signed=value < 0)
    for size, bits in ((1, 8), (2, 16), (4, 32), (8, 64))
    for value in (-1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), 0)
)
"""Numbers at the bounds of their types, as bytes."""


def mutated(draw: random.Random, data: bytes, other: bytes) -> bytes:
    """Bytes with one to eight changes.

    Args:
        draw: source of the choices.
        data: bytes of an input.
        other: bytes of another one, of which a part may be taken.
    """
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4, 8))):
        at = draw.randrange(len(found) + 1)
        long = draw.choice((1, 2, 4, 16, 64, 256))
        way = draw.randrange(8)
        if way == 0 and at < len(found):
            found[at] ^= 1 << draw.randrange(8)
        elif way == 1:
            found[at : at + long] = b""
        elif way == 2:
            found[at:at] = draw.randbytes(long)
        elif way == 3:
            found[at:at] = found[at : at + long] * draw.choice((1, 2, 20))
        elif way == 4:
            word = draw.choice(WORDS)
            found[at : at + len(word) * draw.randrange(2)] = word
        elif way == 5:
            number = draw.choice(NUMBERS)
            found[at : at + len(number)] = number
        elif way == 6 and other:
            start = draw.randrange(len(other))
            found[at : at + long * draw.randrange(2)] = other[start : start + long]
        else:
            del found[at:]
    return bytes(found)
