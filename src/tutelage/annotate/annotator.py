"""Annotation: each text is asked about once, replies are kept as they come, and what they say becomes a table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tutelage.annotate.budget import Budget, added
from tutelage.annotate.chat import ChatError, ChatModel, Reply, Request, key_of
from tutelage.annotate.kept import Kept
from tutelage.annotate.prior import without_prior
from tutelage.annotate.prompts import Prompt
from tutelage.annotate.replies import class_in
from tutelage.ops.checks import in_range
from tutelage.ops.durations import duration
from tutelage.ops.visible import visible
from tutelage.tables import OF_CLASS, SAID
from tutelage.types import Say, Tick
from tutelage.weak import Source

REFUSALS = 3
"""Texts that an endpoint may refuse before it answers any."""

EMPTY, UNASKED, REFUSED, CUT, NO_CLASS = "empty", "not asked", "refused", "cut off", "no class"
"""Why a row is silent: the text is empty; the budget was reached; the model refused it; its answer was cut off; its
answer is none of the classes."""

LONG = 30.0
"""Seconds from which on it is said how long the replies take."""

EXAMPLES = 3
"""Answers that are no class, at most, that are shown."""


def said_beside(prefix: str) -> str:
    """Name of the column of labels beside those of probabilities: "said", or that behind a prefix of one's own.

    Args:
        prefix: what stands before a class in the columns of probabilities.

    >>> said_beside("p_"), said_beside("gpt_")
    ('said', 'said_gpt')
    """
    return SAID if prefix == OF_CLASS else f"{SAID}_{prefix.rstrip('_')}"


class RenamedError(ChatError):
    """The model calls itself otherwise than in replies that are kept."""


@dataclass(frozen=True)
class Job:
    """One reply that is needed.

    Attributes:
        request: what is asked.
        draw: number of the reply among several to one request.
        key: hash by which the reply is kept.
    """

    request: Request
    draw: int
    key: str


@dataclass(frozen=True, eq=False)
class Annotated:
    """What a chat model says of n rows.

    Attributes:
        classes: names of the c classes.
        probabilities: probabilities of the classes, (n, c); NaN of a row of which no probabilities are known.
        label: number of the likeliest class, or of the class that was named, (n,); -1 is silent.
        why: why a row is silent, one of the words above, (n,); "" where it is not.
        strange: answers that are no class, by how often they came.
        tokens: tokens that were read and written for the replies, those kept from before among them.
        stopped: which part of the budget was reached; empty where none was.
    """

    classes: tuple[str, ...]
    probabilities: np.ndarray
    label: np.ndarray
    why: list[str]
    strange: Counter[str]
    tokens: tuple[int, int]
    stopped: str = ""

    def __len__(self) -> int:
        return len(self.label)

    @property
    def told(self) -> bool:
        """Whether probabilities are known of any row."""
        return bool((~np.isnan(self.probabilities)).any())

    @property
    def labels(self) -> list[str | None]:
        """Name of each row's class; None where it is silent."""
        return [None if k < 0 else self.classes[k] for k in self.label.tolist()]

    def source(self, name: str = "said") -> Source:
        """The probabilities as a teacher's, of the rows of which they are known.

        Args:
            name: name of the teacher.
        """
        return Source(name, self.probabilities)


@dataclass
class Annotator:
    """A chat model that annotates texts.

    Args:
        model: the chat model.
        prompt: how it is asked.
        kept: replies that are kept, and where new ones go.
        budget: how much may be spent.
        samples: replies to each text, at least 1; from 2 on the share of the votes is the probability.
        parallel: requests on their way at the same time, at least 1.
        remove_prior: whether the model's prior over the classes is taken off its probabilities, where these are of
            words that it would write.
        mixed: whether replies of models that call themselves otherwise may stand together.
        seed: seed of the order in which texts are asked about.

    Raises:
        ValueError: a number is out of its range, or several replies are asked of a model that tells its probabilities.
    """

    model: ChatModel
    prompt: Prompt
    kept: Kept = field(default_factory=Kept)
    budget: Budget = field(default_factory=Budget)
    samples: int = 1
    parallel: int = 1
    remove_prior: bool = True
    mixed: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        in_range("--samples", self.samples, 1)
        in_range("--parallel", self.parallel, 1)
        if self.samples > 1 and self.model.exact:
            raise ValueError("--samples is for endpoints: this model tells its probabilities at once; leave it out")

    def plan(self, texts: Sequence[str]) -> Plan:
        """What is to be asked about texts: each different text once, in an order that a seed draws.

        Whatever stops it, the texts that were asked about are then a sample, and a larger budget goes on with it.

        Args:
            texts: n texts.
        """
        different = list(dict.fromkeys(text for text in texts if text.strip()))
        order = np.random.default_rng(self.seed).permutation(len(different))
        chosen = [different[i] for i in order][: self.budget.texts]
        requests = [self.prompt.request(text) for text in chosen]
        jobs = [Job(r, d, key_of(self.model, r, d)) for r in requests for d in range(self.samples)]
        return Plan(self, list(texts), len(different), jobs)


@dataclass
class Plan:
    """What is to be asked, before it is.

    Attributes:
        annotator: who asks.
        texts: the texts, one for each row, (n,).
        different: number of different texts.
        jobs: replies that are needed within the budget.
    """

    annotator: Annotator
    texts: list[str]
    different: int
    jobs: list[Job]

    @cached_property
    def missing(self) -> list[Job]:
        """Replies that were not kept before."""
        return [job for job in self.unique if self.annotator.kept.get(job.key) is None]

    @cached_property
    def unique(self) -> list[Job]:
        """The replies, each once: texts that are equal as far as they are read need one."""
        return list({job.key: job for job in reversed(self.jobs)}.values())[::-1]

    @cached_property
    def expected(self) -> tuple[int, int]:
        """Tokens that the missing replies will take, (read, wrote), about."""
        return added(self.annotator.model.tokens(job.request) for job in self.missing)

    @property
    def cut(self) -> int:
        """Number of different texts of which a part alone is read."""
        longest = self.annotator.prompt.longest
        return sum(len(job.request.text) > longest for job in self.jobs if job.draw == 0)

    def replies(self) -> list[Reply]:
        """The replies within the budget that are kept."""
        kept = self.annotator.kept
        return [reply for job in self.unique if (reply := kept.get(job.key)) is not None]

    @property
    def spent(self) -> tuple[int, int]:
        """Tokens of all replies that are kept, (read, wrote)."""
        return added(reply.tokens for reply in self.replies())

    def ask(self, tick: Tick, say: Say | None = None) -> Annotated:
        """Ask for the replies that are missing, and read all of them.

        Args:
            tick: called with the progress.
            say: called with a sentence on how long it takes, and where Ctrl-C was typed.

        Raises:
            ChatError: the model cannot be asked; what it replied before is kept.
            RenamedError: it calls itself otherwise than before.
        """
        asking = _Asking(self, tick, say or _silent)
        asking.all()
        return self.read(asking.stopped)

    def require_one_model(self) -> None:
        """Check that the replies that are kept come of a model of one name.

        Raises:
            RenamedError: they do not.
        """
        names = Counter(reply.served for reply in self.replies() if not reply.refused)
        if len(names) < 2 or self.annotator.mixed:
            return
        told = ", ".join(f"{count:,} of {visible(name)!r}" for name, count in names.most_common())
        raise RenamedError(
            f"the model that is asked for as {self.annotator.model.name!r} calls itself otherwise than before: the "
            f"replies are {told}. All are kept; --mixed takes them together, and another file to write asks anew"
        )

    def read(self, stopped: str = "") -> Annotated:
        """What the replies that are kept say of the rows.

        Args:
            stopped: which part of the budget was reached; empty where none was.
        """
        annotator, classes = self.annotator, self.annotator.prompt.classes
        by_text: dict[str, list[Reply]] = {}
        for job in self.jobs:
            if (reply := annotator.kept.get(job.key)) is not None:
                by_text.setdefault(job.request.text, []).append(reply)
        strange: Counter[str] = Counter()
        said = {text: _said(replies, classes, annotator.samples, strange) for text, replies in by_text.items()}
        silent = np.full(len(classes), np.nan), -1
        empty, unasked = (*silent, EMPTY), (*silent, UNASKED)
        rows = [said.get(text, unasked) if text.strip() else empty for text in self.texts]
        logs = np.stack([row[0] for row in rows]) if rows else np.empty((0, len(classes)))
        label = np.array([row[1] for row in rows], dtype=np.int64)
        told = ~np.isnan(logs).any(1)
        if annotator.remove_prior and annotator.model.of_words and annotator.samples == 1:
            logs = without_prior(logs)
        label[told] = logs[told].argmax(1)
        return Annotated(
            classes, np.exp(logs), label, [row[2] for row in rows], strange, self.spent, stopped
        )  # fmt: skip


class _Asking:
    """Replies that are asked for, some at the same time, and kept as they come.

    The first request is alone, since it tells what an endpoint takes.

    Args:
        plan: what is asked.
        tick: called with the progress.
        say: called with a sentence on how long it takes, and where Ctrl-C was typed.
    """

    def __init__(self, plan: Plan, tick: Tick, say: Say) -> None:
        self.plan, self.tick, self.say = plan, tick, say
        self.model, self.kept, self.budget = plan.annotator.model, plan.annotator.kept, plan.annotator.budget
        before = plan.replies()
        self.served = next((reply.served for reply in before if not reply.refused), None)
        self.spent, self.done, self.total = added(r.tokens for r in before), len(before), len(plan.unique)
        self.refused: list[tuple[Job, Reply]] = []
        self.flying: dict[Future[Reply], Job] = {}
        self.first, self.stopped, self.began = True, "", time.monotonic()
        self.error: BaseException | None = None

    def all(self) -> None:
        """Ask for all replies that are missing.

        Raises:
            ChatError: the model cannot be asked.
            RenamedError: it calls itself otherwise than before.
        """
        self.plan.require_one_model()
        waiting = iter(self.plan.missing)
        with ThreadPoolExecutor(self.plan.annotator.parallel, "annotate") as pool:
            while True:
                self._send(waiting, pool)
                if not self.flying:
                    break
                try:
                    finished, _ = wait(self.flying, return_when=FIRST_COMPLETED)
                except KeyboardInterrupt as e:
                    self._interrupt(e)
                    continue
                for future in finished:
                    self._take(self.flying.pop(future), future)
        if self.served is not None:
            for job, reply in self.refused:
                self.kept.add(job.key, reply)
        if self.error is not None:
            raise self.error

    def _send(self, waiting: Iterator[Job], pool: ThreadPoolExecutor) -> None:
        """Send requests as far as there is room, and money."""
        room = 1 if self.first else self.plan.annotator.parallel
        while self.error is None and not self.stopped and len(self.flying) < room:
            if (job := next(waiting, None)) is None:
                return
            ahead = (self.model.tokens(each.request) for each in (*self.flying.values(), job))
            if words := self.budget.reached(added([self.spent, *ahead])):
                self.stopped = words
                return
            self.flying[pool.submit(self._one, job)] = job

    def _one(self, job: Job) -> Reply:
        """A reply, kept by the thread that it came to, so that it is whatever else happens."""
        reply = self.model.reply(job.request, job.draw)
        if not reply.refused:
            self.kept.add(job.key, reply)
        return reply

    def _take(self, job: Job, future: Future[Reply]) -> None:
        """Look at a reply; the first error stops the sending, and what is on its way is still taken."""
        try:
            reply = future.result()
            self.spent = added([self.spent, reply.tokens])
            if reply.refused:  # kept once it answers others: else the fault is elsewhere
                self.refused.append((job, reply))
                if self.served is None and len(self.refused) >= REFUSALS:
                    raise ChatError(f"{self.model.name} refuses every text: {reply.refused}")
            else:
                if self.first:
                    self._foretell(time.monotonic() - self.began)
                self.first = False
                if self.served not in (None, reply.served):
                    self.plan.require_one_model()
                self.served = reply.served
        except Exception as e:
            self.error = self.error or e
        self.done += 1
        self.tick("asking", self.done, self.total)

    def _foretell(self, seconds: float) -> None:
        """Say how long the other replies will take, if that is long, by the seconds that the first one took."""
        rest = seconds * (self.total - self.done - 1) / self.plan.annotator.parallel
        if rest > LONG:
            self.say(f"This takes about {duration(rest)} here: the first reply took {seconds:.1f} seconds.")

    def _interrupt(self, e: KeyboardInterrupt) -> None:
        """Stop sending; a second time give up what is on its way, too."""
        if isinstance(self.error, KeyboardInterrupt):
            close = getattr(self.model, "close", None)
            if close is not None:
                close()
        elif self.model.host:
            self.say("Stopped; the replies that are on their way are waited for. Ctrl-C again gives them up.")
        self.error = e


def _said(
    replies: Sequence[Reply], classes: Sequence[str], samples: int, strange: Counter[str]
) -> tuple[np.ndarray, int, str]:
    """Logarithms of the probabilities, (c,), the class's number, and why there is none.

    Args:
        replies: the replies to one text, at least one.
        classes: names of the c classes.
        samples: replies that are asked for; from 2 on shares of votes are the probabilities.
        strange: takes answers that are no class.
    """
    nothing, why = np.full(len(classes), np.nan), UNASKED
    votes = []
    for reply in replies:
        if reply.refused:
            why = REFUSED
        elif reply.logs is not None and samples == 1:
            return np.array(reply.logs), int(np.argmax(reply.logs)), ""
        elif (number := class_in(reply.text, classes)) is not None:
            votes.append(number)
        elif reply.cut:
            why = CUT
        else:
            why = NO_CLASS
            strange[visible(" ".join(reply.text.split()))[:40]] += 1
    if not votes:
        return nothing, -1, why
    if samples == 1:
        return nothing, votes[0], ""
    counts = np.bincount(votes, minlength=len(classes))
    with np.errstate(divide="ignore"):
        return np.log(counts / counts.sum()), int(counts.argmax()), ""


def annotate(
    texts: Sequence[str], model: ChatModel, prompt: Prompt, kept: Kept | None = None, tick: Tick | None = None,
    remove_prior: bool = True,
) -> Annotated:  # fmt: skip
    """What a chat model says of texts, without a budget and one request after the other.

    Args:
        texts: n texts.
        model: the chat model.
        prompt: how it is asked.
        kept: replies that are kept; None keeps them in memory alone.
        tick: called with the progress.
        remove_prior: whether the model's prior over the classes is taken off its probabilities.

    >>> from tutelage.annotate.scripted import Scripted
    >>> found = annotate(["you win", "see you"], Scripted(lambda t: {"spam": 0.9, "ham": 0.1}), Prompt(("spam", "ham")))
    >>> found.labels, found.source().table.round(2).tolist()
    (['spam', 'spam'], [[0.9, 0.1], [0.9, 0.1]])
    """
    annotator = Annotator(model, prompt, Kept() if kept is None else kept, remove_prior=remove_prior)
    return annotator.plan(texts).ask(tick or _still)


def _silent(line: str) -> None:
    pass


def _still(what: str, done: int, total: int) -> None:
    pass
