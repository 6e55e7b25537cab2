"""The box with the answer: the same in a report, and in a notebook for a fitted estimator and for its evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tutelage.fit.verdict import Verdict
from tutelage.pages.directions import isolated
from tutelage.pages.style import box_style

FINDINGS = 3
"""Number of findings in the box, at most."""


def box(found: Verdict, findings: Sequence[str] = (), notes: Sequence[str] = ()) -> str:
    """HTML of the box, without its style sheet.

    Args:
        found: the verdict.
        findings: sentences on what else matters, the most important first; the first FINDINGS are shown.
        notes: sentences in smaller letters at the end.

    >>> box(Verdict("How good?", "Right on 90 %.", "", "", (), "", "Use it.", "candidate"), ["3 < 4"]).count("&lt;")
    1
    """
    lines = [f'<p class="big">{isolated(found.answer)}</p>']
    if found.good and found.good != found.answer:
        lines.append(f'<p class="good">{isolated(found.good)}</p>')
    lines += [f"<p>{isolated(line)}</p>" for line in found.both]
    if found.size:
        lines.append(f"<p>{isolated(found.size)}</p>")
    lines.append(f'<p class="next"><strong>Next:</strong> {_with_code(found.after)}</p>')
    if findings:
        items = "".join(f"<li>{isolated(line)}</li>" for line in findings[:FINDINGS])
        lines.append(f'<p><strong>Worth knowing:</strong></p><ul class="findings">{items}</ul>')
    notes = [*filter(None, [found.means]), *notes]
    if notes:
        lines.append(f'<p class="soft">{isolated(" ".join(notes))}</p>')
    side = "reference" if found.returned == "reference" else "candidate"
    return f'<section class="tutelage {side}" aria-label="The answer">\n' + "\n".join(lines) + "\n</section>"


def _with_code(words: str) -> str:
    """HTML of a sentence, in which what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", isolated(words))


def in_notebook(found: Verdict, findings: Sequence[str] = ()) -> str:
    """HTML of the box for a notebook, with the question above the answer, and its style sheet.

    Args:
        found: the verdict.
        findings: as `box` takes them.
    """
    more = [f"And {len(findings) - FINDINGS} more: see warnings_."] if len(findings) > FINDINGS else []
    asked = f'<p class="soft">{isolated(found.question)}</p>\n<p class="big">'
    return f"<style>{box_style()}</style>\n" + box(found, findings, more).replace('<p class="big">', asked, 1)
