"""The folder that a fit, or an adaptation, writes: opened by one process, and gone on with where it was stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage import files
from tutelage.files import BadFileError
from tutelage.files.errors import REMEDY, VOUCHED
from tutelage.files.lock import LOCK
from tutelage.files.manifest import differences, require_no_links
from tutelage.files.whole import is_part
from tutelage.kinds.saved import for_people
from tutelage.ops.said import warn
from tutelage.types import Say

PARTS = "parts"
"""Folder of the finished parts and the checkpoints of an unfinished run."""


@dataclass(frozen=True)
class Folder:
    """The folder of a run.

    Attributes:
        out: the folder, which need not exist yet.
        resume: whether a stopped run in it is gone on with.
        name: name of the file that keeps the options of the run.
        description: what that file holds, see `files.described`.
        result: name of the file that a finished run of an earlier version has.
    """

    out: Path
    resume: bool
    name: str
    description: type[Any]
    result: str

    @property
    def parts(self) -> Path:
        """Folder of the finished parts and the checkpoints."""
        return self.out / PARTS

    def require_free(self) -> None:
        """Check that the folder is free for this run: that it is empty, or holds a run to go on with.

        Raises:
            FileExistsError: it is no folder, or holds other files, or no run to resume.
            BadFileError: it holds a finished run without its options.
        """
        out = self.out
        if out.exists() and not out.is_dir():
            raise FileExistsError(f"{out} exists and is not a folder")
        if not out.exists() or not any(_counts(path) for path in out.iterdir()):
            return
        if not self.resume:
            raise FileExistsError(f"{out} exists and is not empty; choose another folder, or --resume the run in it")
        if not (out / self.name).exists() and files.is_sealed(out):
            raise BadFileError(f"{out} is damaged: {self.name} is missing; {REMEDY}, into another folder")
        if not (out / self.name).exists():
            raise FileExistsError(f"{out} holds no run to resume ({self.name} is missing)")

    @contextmanager
    def opened(self, asked: dict[str, Any], say: Say) -> Iterator[bool]:
        """Context in which no other process writes into the folder; whether the run in it is finished already.

        The folder is made where it is missing. Of a run that is there the damaged files are set aside, and said.

        Args:
            asked: options of the run, and hashes of what it reads; a run of others is refused.
            say: called with sentences for the user.

        Raises:
            FileExistsError: the folder is not free for this run, see `require_free`, or holds a run of other options.
            BusyError: another process writes into the folder.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        with files.one_writer(self.out):
            self.require_free()  # again: another process may have been quicker
            require_no_links(self.out)
            files.clear_parts(self.out)
            yield self._is_finished(asked, say)

    def finish(self) -> None:
        """Write the manifest of the finished run, and remove its parts."""
        files.seal(self.out)
        self._remove_parts()

    def _remove_parts(self) -> None:
        """Remove the parts of the finished run; where that fails it is said, and the run is whole all the same."""
        if why := files.remove_folder(self.parts):
            says = f"{self.parts}: the parts of the finished run could not be removed ({why}); it needs them no more"
            warn(f"{says}: remove them.", stacklevel=3, page="damaged")

    def _is_finished(self, asked: dict[str, Any], say: Say) -> bool:
        path = self.out / self.name
        before = self._asked_before(say) if path.exists() else None
        if before is None:
            files.write_json(path, asked)
            return False
        old = int(before.get("format", 1)) < VOUCHED
        if old and "kind" not in before:
            done = (self.out / self.result).exists()
            hint = "predict, score and report read it; to fit again" if done else "to begin anew"
            raise FileExistsError(
                f"{self.out} holds a run of version 0.1, which cannot be resumed; {hint}, name another folder"
            )
        changed = sorted(k for k in asked | before if asked.get(k) != before.get(k) and not (old and k == "format"))
        if changed:
            raise FileExistsError(f"{self.out} holds a run with other settings; different: {', '.join(changed)}")
        if old and not (self.out / self.result).exists():
            raise FileExistsError(
                f"{self.out} holds a run that an earlier version of Tutelage began; to begin anew, name another folder"
            )
        if old or self._is_whole(say):
            return True
        files.write_json(path, asked)  # the same options; the file may differ in its blanks
        return False

    def _asked_before(self, say: Say) -> dict[str, Any] | None:
        """Options of the run that is there; None where they are damaged, and the run, unfinished, begins anew."""
        path = self.out / self.name
        try:
            found: dict[str, Any] = files.read_json(path, self.description)
        except BadFileError as e:
            if files.is_sealed(self.out) or (self.out / self.result).exists():  # a whole run may be there
                raise
            files.set_aside(path)
            if self.parts.exists():
                files.set_aside(self.parts)
            say(f"{e}. It is set aside, and the run begins anew.")
            return None
        return found

    def _is_whole(self, say: Say) -> bool:
        """Whether the run is finished and nothing of it is damaged; what is damaged is set aside."""
        if not files.is_sealed(self.out):
            return False
        try:
            found = differences(self.out)
        except BadFileError as e:
            say(f"{e}. It is set aside, and what was not kept is done again.")
            files.set_aside(self.out / files.MANIFEST)
            return False
        broken = [name for name in (*found.missing, *found.changed) if not for_people(name)]
        if not broken:
            self._remove_parts()  # of a run that was killed at its very end
            return True
        aside = [files.set_aside(self.out / name).name for name in found.changed if name in broken]
        where = f" (set aside as {', '.join(aside)})" if aside else ""
        say(f"{self.out} is damaged: {found.words(set(found.missing + found.changed) - set(broken))}{where}. "
            "What was not kept is done again.")  # fmt: skip
        files.unseal(self.out)
        return False


def _counts(path: Path) -> bool:
    """Whether a path is more than what a killed process left before it wrote anything."""
    return path.name != LOCK and not is_part(path)
