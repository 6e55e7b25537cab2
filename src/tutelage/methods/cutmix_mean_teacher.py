"""CutMix Mean Teacher: the student sees a collage of two images, the teacher each of them whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from tutelage.game import Ema, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import NonNegative, Share
from tutelage.ops.losses import mean, sigmoid_ramp
from tutelage.ops.mix import cutmix, cutmix_boxes
from tutelage.ops.thresholds import above
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class CutmixMeanTeacher(Method):
    """The student agrees, on images that each show a box of another one, with what the teacher made of both.

    x' = (1 - m) x + m x[perm],  p' = (1 - m) p(x; T) + m p(x; T)[perm],  m a box of half the image's area,
    L = L_sup(S) + weight * s * (1/|B_u|) sum_u |p'_u - p_u(x'; S)|^2,  T <- decay * T + (1 - decay) * S,
    s = share of the u whose confidence, the greatest of p mixed likewise, is at least the threshold.

    A unit u is a pixel; one beyond the border of the original image has weight 0. Where it is an image, m in p' is the
    box's share of the area. Inputs that are not images (b, k, h, w) are not mixed: this is Mean Teacher then.

    Source: French et al., Semi-supervised semantic segmentation needs strong, varied perturbations, BMVC 2020; loss and
    defaults are those of the released code, where s takes the place of a ramp. There the other image comes from a
    second batch, here from the same one. For whole images French et al., CowMask, VISAPP 2022, whose code has a
    threshold of 0.6, with boxes.

    Args:
        decay: share of its own weights that the teacher keeps at each step, in [0, 1].
        threshold: least confidence of a unit that counts in s, in [0, 1]; with 0, s = 1.
        weight: factor on the pool's loss, at least 0.
        ramp: share of training in which the pool's loss grows to its full weight, in [0, 1]; the released code has it
            as an option.

    >>> CutmixMeanTeacher().rule.response
    Ema(decay=0.99)
    """

    name: ClassVar[str] = "cutmix_mean_teacher"
    stackable: ClassVar[bool] = True
    anchored: ClassVar[bool] = False
    decay: Share = 0.99
    threshold: Share = 0.97
    weight: NonNegative = 1.0
    ramp: Share = 0.0

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Ema(self.decay), interaction=0.0)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool, x = batch.unlabelled, batch.unlabelled["weak"]
        p = task.units(play["teacher"](x)).softmax(dim=-1)
        confidence, label = p.max(dim=-1)
        inside = torch.ones_like(confidence)
        if "weak" in pool.geometry:
            inside = task.carry(inside, x, None, pool.geometry["weak"])[1].to(p)
        mixed = torch.cat([p, confidence[:, None], inside[:, None]], dim=1)
        if isinstance(x, Tensor) and x.ndim == 4:
            x, mixed = collage(x, mixed)
        distance = (mixed[:, :-2] - task.units(play["student"](x)).softmax(dim=-1)).square().sum(-1)
        share = above(mixed[:, -2], self.threshold).mean()
        scale = self.weight * sigmoid_ramp(batch.progress, self.ramp)
        return Terms(
            {
                "supervised": on_labels(play["student"], batch, task),
                "pool": scale * mean(distance, share * mixed[:, -1]),
            },
            {"label": label, "confidence": confidence, "weight": share * inside},
        )


def collage(x: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Put into each image a box of half its area from another of the batch; mix values of their units likewise.

    Args:
        x: images, (b, k, h, w).
        values: values of the images' pixels, (b h w, d), or of each image as a whole, (b, d).

    Raises:
        ValueError: ``values`` has neither b h w nor b rows.

    >>> x = torch.arange(4.0).repeat_interleave(16).view(4, 1, 4, 4)
    >>> mixed, values = collage(x, x.view(-1, 1))
    >>> torch.equal(mixed.view(-1, 1), values)
    True
    """
    b, _, h, w = x.shape
    if len(values) not in (b, b * h * w):
        raise ValueError(f"{b} images of {h} by {w} have {b * h * w} pixels, but the network predicts {len(values)}")
    draws = np.random.default_rng(int(torch.randint(2**31, (1,))))
    mask, perm = cutmix_boxes(b, h, w, 0.5, draws).to(values), torch.randperm(b).to(x.device)
    share = mask.mean((1, 2, 3), keepdim=True) if len(values) == b else mask
    of_image = values.view(b, -1, values.shape[1])
    mixed = of_image.lerp(of_image[perm], share.view(b, -1, 1))
    return cutmix(x, x[perm], mask), mixed.view_as(values)
