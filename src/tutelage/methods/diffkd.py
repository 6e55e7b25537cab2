"""DiffKD: a small diffusion model cleans the student's features before they are compared with the teacher's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.fields import Count, NonNegative
from tutelage.methods.from_teacher import FromTeacher, logs
from tutelage.methods.nd import fitting
from tutelage.ops.checks import Range
from tutelage.ops.draws import drawn
from tutelage.ops.losses import kl
from tutelage.tasks import Task
from tutelage.types import Params, Probs, Views, Weight

NOISY = 1000
"""Number of steps from features to noise."""

WAVES = 8
"""Number of frequencies by which the denoiser is told the step."""


@dataclass(frozen=True)
class DiffKd(FromTeacher):
    """Distillation, and a diffusion model of the teacher's features cleans the student's before they are compared.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w_u (KL(t_u || p(x_u; S)) + feature |r_u - h_u|^2 / d + noise N_u)

    h_u are the teacher's features. The student's, projected to the same d dimensions as s, are taken for noisy ones:
    g s + (1 - g) e, with normal noise e and a share g that an adapter reads from s, is cleaned in ``steps`` steps of
    DDIM by the denoiser; r_u is a projection of the result. N_u is the mean squared error of the denoiser on the
    teacher's features at a random step of 1,000. With ``steps`` 0, r = s, and there is no denoiser.

    Source: Huang et al., Knowledge Diffusion for Distillation, NeurIPS 2023, as in the released code. In place of the
    authors' linear autoencoder, the teacher's features are projected onto ``size`` principal directions (`nd.fitting`);
    the denoiser is a perceptron. All modules that are brought are dropped in the end.

    Args:
        weight: factor on the pool's loss, at least 0.
        feature: factor on the features' distance within it, at least 0.
        noise: factor on the denoiser's loss within it, at least 0.
        steps: number of steps of DDIM, at least 0.
        size: number of dimensions d that are compared, at least 1.

    >>> from tutelage.tasks import Classification
    >>> DiffKd(size=3).brings(4, Classification(2))["diffusion"](torch.zeros(5, 4)).shape
    torch.Size([5, 3])
    """

    name: ClassVar[str] = "diffkd"
    stackable: ClassVar[bool] = True
    feature: NonNegative = 1.0
    noise: NonNegative = 1.0
    steps: Annotated[int, Range(0, NOISY // 2, whole=True)] = 5
    size: Count = 64

    @property
    def couples(self) -> str:
        return "its loss draws noise for all units of a batch at once"

    def brings(self, width: int, task: Task) -> nn.ModuleDict:
        return nn.ModuleDict({"diffusion": Diffusion(width, self.size, self.steps)})

    def remembers(self, loader: Loader, task: Task) -> Params:
        kept = super().remembers(loader, task)
        rows = fitting(self.seen(loader)[0].to(kept["said"]), self.size)
        rows = rows - rows.mean(0)
        return kept | {"features": rows / rows.square().mean().sqrt().clamp(min=1e-12)}

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        logits, rows = student.represent(pool["weak"])
        told = memory.kept["features"][pool.index]
        found = kl(logs(said), task.units(logits))
        if not self.steps:
            return found + self.feature * (student.brought("diffusion", rows) - told).square().mean(-1)
        e, other, at = drawn(rows, lambda like, g: _noise(like, self.size, g))
        cleaned, guess = student.brought("diffusion", rows, told, e.to(told), other.to(told), at).chunk(2, -1)
        wrong: Weight = (guess - other.to(told)).square().mean(-1)
        return found + self.feature * (cleaned - told).square().mean(-1) + self.noise * wrong


def _noise(like: Tensor, size: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
    """Normal noise for the student's and for the teacher's features, (n, size) each, and a step for each unit, (n,)."""
    shape = len(like), size
    first, second = (torch.randn(shape, generator=generator) for _ in range(2))
    return first, second, torch.randint(NOISY, (len(like),), generator=generator)


class Diffusion(nn.Module):
    """The projector, the noise adapter, the denoiser, and the last projection.

    Args:
        width: number of the student's features.
        size: number of the teacher's.
        steps: number of steps of DDIM; with 0 there is a projector alone.
    """

    def __init__(self, width: int, size: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.project = nn.Linear(width, size)
        if steps:
            self.share = nn.Sequential(nn.Linear(size, size), nn.ReLU(), nn.Linear(size, 1))
            self.time = nn.Linear(2 * WAVES, size)
            self.denoise = nn.Sequential(
                nn.Linear(size, 4 * size), nn.ReLU(), nn.Linear(4 * size, size), nn.ReLU(),
                nn.Linear(size, 4 * size), nn.ReLU(), nn.Linear(4 * size, size),
            )  # fmt: skip
            self.last = nn.Linear(size, size)

    def forward(self, rows: Tensor, *more: Any) -> Tensor:
        """The student's features in the teacher's dimensions, (n, size).

        With the teacher's features, noise for either, (n, size) each, and steps, (n,): the student's features cleaned,
        and what the denoiser takes for the noise in the teacher's, (n, 2 size).
        """
        s = self.project(rows)
        if not more:
            return torch.as_tensor(s)
        told, e, other, at = more
        g = self.share(s).sigmoid()
        cleaned = self.last(self.cleaned(g * s + (1 - g) * e))
        left = remaining(told)[at][:, None]
        return torch.cat([cleaned, self.guess(left.sqrt() * told + (1 - left).sqrt() * other, at)], -1)

    def guess(self, x: Tensor, at: Tensor) -> Tensor:
        """Noise in noisy features, (n, size), at a step each, (n,)."""
        waves = at.to(x)[..., None] / NOISY * torch.pi * 2.0 ** torch.arange(WAVES, device=x.device)
        return torch.as_tensor(self.denoise(x + self.time(torch.cat([waves.sin(), waves.cos()], -1))))

    def cleaned(self, x: Tensor) -> Tensor:
        """Features without noise, (n, size): DDIM without further noise, over the less noisy half of all steps."""
        left, each = remaining(x), NOISY // (2 * self.steps)
        for at in range((self.steps - 1) * each, -1, -each):
            now, then = left[at], left[at - each] if at >= each else torch.ones(())
            e = self.guess(x, torch.full((len(x),), at, device=x.device))
            x = then.sqrt() * (x - (1 - now).sqrt() * e) / now.sqrt() + (1 - then).sqrt() * e
        return x


def remaining(like: Tensor) -> Tensor:
    """Share of the features' variance that is left at each step, (1000,): the product of 1 - b, b from 1e-4 to 0.02.

    >>> [round(float(share), 4) for share in remaining(torch.zeros(1))[[0, 400, 999]]]
    [0.9999, 0.1936, 0.0]
    """
    return torch.cumprod(1 - torch.linspace(1e-4, 0.02, NOISY, dtype=like.dtype, device=like.device), 0)
