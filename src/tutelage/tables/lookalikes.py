"""Letters of other scripts that look like Latin ones, so that two labels look alike and are not."""

from __future__ import annotations

LOOK = str.maketrans(
    dict(
        zip(
            "АВЕКМНОРСТУХЅІЈаеорсухѕіјԁԛԝһΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαν",
            "ABEKMHOPCTYXSIJaeopcyxsijdqwhABEZHIKMNOPTYXoav",
            strict=True,
        )
    )
)
"""Latin letters by letters of Cyrillic and Greek that look like them."""


def seems(label: str) -> str:
    r"""A label as it looks: letters that look like Latin ones are these.

    >>> seems("f\u043eod")
    'food'
    """
    return label.translate(LOOK)


def escaped(label: str) -> str:
    r"""A label in which letters that look like Latin ones are written as escapes.

    >>> print(escaped("f\u043eod"))
    f\u043eod
    """
    return "".join(f"\\u{ord(letter):04x}" if ord(letter) in LOOK else letter for letter in label)
