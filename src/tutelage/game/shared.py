"""A player whose calls are shared: each process computes a part of a batch, and all of them get the whole output.

With N processes there are two sorts of values: those that are the same in each process, and those of its own part. A
loss sees the former alone, so that it may couple the units of a batch as it likes. A gradient in parameters is that of
the process's own part, times N: its mean over the processes is the gradient on the whole batch. Each step between the
two sorts has a gradient that is made of such steps, so that gradients can be differentiated again.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)
from torch.overrides import TorchFunctionMode

from tutelage.comm import Comm
from tutelage.game.ways import Called, Way
from tutelage.types import Inputs, Logits, Params


class _Gathered(torch.autograd.Function):
    """The rows of all processes of each one's rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, comm: Comm, counts: Sequence[int]) -> Tensor:
        parts = comm.gather(rows, counts)
        ctx.comm, ctx.counts = comm, [len(part) for part in parts]
        return torch.cat(list(parts))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return _own(grad, ctx.comm, ctx.counts) * ctx.comm.size, None, None


class _Own(torch.autograd.Function):
    """A process's own rows of rows that all processes have."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, comm: Comm, counts: Sequence[int]) -> Tensor:
        ctx.comm, ctx.counts, start = comm, counts, sum(counts[: comm.rank])
        return rows[start : start + counts[comm.rank]].clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return gathered(grad, ctx.comm, ctx.counts) / ctx.comm.size, None, None


class _Lent(torch.autograd.Function):
    """Tensors that all processes have, for each one's own part; their gradients are averaged over the processes."""

    @staticmethod
    def forward(ctx: Any, comm: Comm, *whole: Tensor) -> tuple[Tensor, ...]:
        ctx.comm = comm
        return tuple(t.view_as(t) for t in whole)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return None, *_Mean.apply(ctx.comm, *grads)  # type: ignore[no-untyped-call]


class _Mean(torch.autograd.Function):
    """The mean over the processes of tensors of each one's own."""

    @staticmethod
    def forward(ctx: Any, comm: Comm, *own: Tensor) -> tuple[Tensor, ...]:
        ctx.comm = comm
        return tuple(comm.mean({str(i): t for i, t in enumerate(own)}).values())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return None, *_Lent.apply(ctx.comm, *grads)  # type: ignore[no-untyped-call]


def gathered(rows: Tensor, comm: Comm, counts: Sequence[int] = ()) -> Tensor:
    """The rows of all processes, (n, ...), in their order, of each one's rows, whose numbers are ``counts``."""
    found: Tensor = _Gathered.apply(rows, comm, counts)  # type: ignore[no-untyped-call]
    return found


def lent(params: Params, comm: Comm) -> Params:
    """The same parameters for each process's own part, by name; gradients in what was given are on the whole batch."""
    found = _Lent.apply(comm, *params.values())  # type: ignore[no-untyped-call]
    return dict(zip(params, found, strict=True))


def _own(rows: Tensor, comm: Comm, counts: Sequence[int]) -> Tensor:
    found: Tensor = _Own.apply(rows, comm, counts)  # type: ignore[no-untyped-call]
    return found


def parts_of(count: int, size: int) -> list[int]:
    """Number of examples in each process's part of ``count``; they differ by one at most.

    >>> parts_of(7, 3)
    [2, 2, 3]
    """
    return [count * (rank + 1) // size - count * rank // size for rank in range(size)]


def _count(inputs: Inputs) -> int:
    return len(next(iter(inputs.values())) if isinstance(inputs, Mapping) else inputs)


class Shared(Called):
    """A player whose network is called on a part of the examples in each process; all get the outputs on all of them.

    Where there are fewer examples than processes each one computes all of them.

    Args:
        module: the network.
        way: how it is called.
        comm: the processes.
        borrowed: parameters that it plays; None plays its own. Gradients in borrowed ones are those on the whole batch.
        exact: whether gradients in its own parameters are those on the whole batch, too, as is needed where they are
            multiplied with each other before they are averaged.
    """

    def __init__(
        self, module: nn.Module, way: Way, comm: Comm, borrowed: Params | None = None, exact: bool = False
    ) -> None:
        super().__init__(module, way, None if borrowed is None else lent(borrowed, comm))
        self.params = borrowed or self.params
        self.comm, self.exact = comm, exact
        self._draws: _Draws | None = None

    def __call__(self, inputs: Inputs) -> Logits:
        if not self.exact:
            return self._called(inputs)
        self._borrowed = lent(self.params, self.comm)
        try:
            return self._called(inputs)
        finally:
            self._borrowed = None

    def _called(self, inputs: Inputs) -> Logits:
        if not self._parted(inputs):
            return super().__call__(inputs)
        counts = parts_of(_count(inputs), self.comm.size)
        start = sum(counts[: self.comm.rank])
        part = slice(start, start + counts[self.comm.rank])

        def of(rows: Tensor) -> Tensor:
            return _own(rows, self.comm, counts) if rows.is_floating_point() else rows[part]

        mine = {name: of(t) for name, t in inputs.items()} if isinstance(inputs, Mapping) else of(inputs)
        with _Draws(self.comm) as self._draws:
            out = super().__call__(mine)
        return self._all(out, inputs)

    def represent(self, inputs: Inputs) -> tuple[Logits, Tensor]:
        logits, rows = super().represent(inputs)
        return logits, self._all(rows, inputs) if self._parted(inputs) else rows

    def near(self, inputs: Inputs, move: Callable[[Tensor], Tensor]) -> Logits:
        if isinstance(inputs, Tensor) or not self._parted(inputs):
            return super().near(inputs, move)
        counts = parts_of(_count(inputs), self.comm.size)

        def moved(mine: Tensor) -> Tensor:
            assert self._draws is not None
            whole = self._draws.in_common(lambda: move(gathered(mine, self.comm, counts)))
            return _own(whole, self.comm, counts)

        return super().near(inputs, moved)

    def _all(self, mine: Tensor, inputs: Inputs) -> Tensor:
        """Outputs on all examples; an example of several named inputs may have any number of them."""
        if isinstance(inputs, Mapping):
            return gathered(mine, self.comm)
        counts = parts_of(len(inputs), self.comm.size)
        each = len(mine) // counts[self.comm.rank]
        return gathered(mine, self.comm, [each * count for count in counts])

    def seat(self, params: Params) -> Shared:
        return Shared(self.module, self.way, self.comm, params)

    def _parted(self, inputs: Inputs) -> bool:
        return _count(inputs) >= self.comm.size > 1


class _Draws(TorchFunctionMode):
    """Context of a network's call on a part of a batch, in which what concerns the whole batch is that of the whole.

    Dropout on a CPU draws for the whole batch, so that one process would have drawn the same; batch norm takes the
    statistics of the whole batch. Anything else that is random is drawn by each process for itself, and leaves the
    generator that all have in common as it was.
    """

    def __init__(self, comm: Comm) -> None:
        super().__init__()
        self.comm = comm
        cuda = comm.device.type == "cuda"
        self._fork = torch.random.fork_rng([comm.device.index or 0] if cuda else [])

    def __enter__(self) -> _Draws:
        self._common = torch.get_rng_state()
        self._fork.__enter__()
        torch.manual_seed(zlib.crc32(self._common.numpy().data) * self.comm.size + self.comm.rank)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *fault: Any) -> None:
        super().__exit__(*fault)  # type: ignore[no-untyped-call]
        self._fork.__exit__(*fault)
        torch.set_rng_state(self._common)

    def in_common(self, draw: Callable[[], Tensor]) -> Tensor:
        """What is drawn of the generator that all processes have in common."""
        own = torch.get_rng_state()
        torch.set_rng_state(self._common)
        try:
            return draw()
        finally:
            self._common = torch.get_rng_state()
            torch.set_rng_state(own)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.dropout:
            return self._dropout(*args, **kwargs)
        if func is F.batch_norm:
            return self._batch_norm(*args, **kwargs)
        if func is F.scaled_dot_product_attention and kwargs.get("dropout_p"):
            return self._attention(*args, **kwargs)
        return func(*args, **kwargs)

    def _dropout(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        if not training or not 0 < p < 1 or input.device.type != "cpu":
            return F.dropout(input, p, training, inplace)
        counts = self.comm.counts(len(input))
        start = sum(counts[: self.comm.rank])
        ones = torch.ones(sum(counts), *input.shape[1:], dtype=input.dtype)
        noise = self.in_common(lambda: F.dropout(ones, p))
        return input * noise[start : start + len(input)]

    def _attention(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
        is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
    ) -> Tensor:  # fmt: skip
        """Attention with dropout on a CPU in its plain form, whose weights are dropped as `_dropout` does."""
        if is_causal or enable_gqa or query.device.type != "cpu":
            more = {"attn_mask": attn_mask, "dropout_p": dropout_p, "is_causal": is_causal, "scale": scale}
            return F.scaled_dot_product_attention(query, key, value, **more, enable_gqa=enable_gqa)  # type: ignore[arg-type]
        scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
        if attn_mask is not None:
            scores = scores.masked_fill(~attn_mask, -torch.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
        return self._dropout(scores.softmax(-1), dropout_p) @ value

    def _batch_norm(
        self, input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
        bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
    ) -> Tensor:  # fmt: skip
        if not training:
            return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
        x = input.to(torch.promote_types(input.dtype, torch.float32))
        over, shape = [d for d in range(x.ndim) if d != 1], [1, -1] + [1] * (x.ndim - 2)
        count = x.new_full((1,), x.numel() / x.shape[1])
        sums, count = self._of_all(x.sum(over), count)
        mean = sums / count
        far = x - mean.view(shape)
        var = self._of_all(far.square().sum(over))[0] / count
        out = far * (var + eps).rsqrt().view(shape)
        if running_mean is not None and running_var is not None:
            n = count.detach() * self.comm.size
            running_mean.lerp_(mean.detach().to(running_mean), momentum)
            running_var.lerp_((var.detach() * n / (n - 1)).to(running_var), momentum)
        if weight is not None and bias is not None:
            out = out * weight.view(shape) + bias.view(shape)
        return out.to(input.dtype)

    def _of_all(self, *own: Tensor) -> tuple[Tensor, ...]:
        """The means over the processes, each of which goes on with them on its own part."""
        found: tuple[Tensor, ...] = _Lent.apply(self.comm, *_Mean.apply(self.comm, *own))  # type: ignore[no-untyped-call]
        return found
