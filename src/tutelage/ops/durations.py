"""Times and sizes in words for people."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(4), duration(100), duration(200), duration(7000)
    ('4 seconds', '100 seconds', '3 minutes', '1.9 hours')
    """
    if seconds < 150:  # below, whole minutes would be too coarse
        count = max(round(seconds), 1)
        return f"{count} second{'s' * (count > 1)}"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def size(count: float) -> str:
    """A number of bytes for people, by powers of ten.

    >>> size(900), size(2_400_000), size(64_000_000), size(1_240_000_000), size(80e9)
    ('1 KB', '2.4 MB', '64 MB', '1.2 GB', '80 GB')
    """
    for factor, unit in ((1e9, "GB"), (1e6, "MB")):
        if count >= factor:
            return f"{count / factor:.1f} {unit}" if count < 10 * factor else f"{count / factor:,.0f} {unit}"
    return f"{max(round(count / 1e3), 1)} KB"
