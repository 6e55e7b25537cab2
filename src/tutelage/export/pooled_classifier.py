"""A transformer whose mean token state, scaled to length 1, is classified by heads that answer together.

This file lies beside a model's weights, and needs torch and transformers alone:

    AutoModelForSequenceClassification.from_pretrained(FOLDER, trust_remote_code=True)

logits = log sum_k share_k softmax(head_k(x) / T_k + b_k) / T, so that their softmax are the model's probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class PooledConfig(PretrainedConfig):
    """Configuration of a `PooledClassifier`.

    Args:
        encoder: configuration of the transformer, as plain values.
        hidden: width of the hidden layer of each head; 0 is a linear head.
        divided_by: number above 0 by which the logits are divided.
    """

    model_type = "pooled_classifier"

    def __init__(
        self, encoder: dict[str, Any] | None = None, hidden: Sequence[int] = (), divided_by: float = 1.0, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self.encoder, self.hidden, self.divided_by = encoder, list(hidden), divided_by


class PooledHead(nn.Module):
    """A head: features, (n, d), are standardised, and give logits, (n, c).

    Args:
        width: number of features d.
        hidden: width of the hidden layer; 0 is a linear head.
        classes: number of classes c.
    """

    def __init__(self, width: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.mean, self.scale = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.ones(width))
        first = [nn.Linear(width, hidden), nn.ReLU()] if hidden else []
        self.layers = nn.Sequential(*first, nn.Linear(hidden or width, classes))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.layers((x - self.mean) / self.scale)
        return found


class PooledClassifier(PreTrainedModel):
    """A transformer and heads on its mean token state, for texts of one class each.

    Args:
        config: configuration with that of the transformer.
    """

    config_class = PooledConfig
    base_model_prefix = "encoder"

    def __init__(self, config: PooledConfig) -> None:
        super().__init__(config)
        plain = dict(config.encoder or {})
        inner = AutoConfig.for_model(plain.pop("model_type"), **plain)
        self.encoder = AutoModel.from_config(inner)
        heads, classes = len(config.hidden), config.num_labels
        self.heads = nn.ModuleList(PooledHead(inner.hidden_size, hidden, classes) for hidden in config.hidden)
        self.shares = nn.Parameter(torch.ones(heads) / heads)
        self.temperatures = nn.Parameter(torch.ones(heads))
        self.biases = nn.Parameter(torch.zeros(heads, classes))
        self.post_init()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None, **rest: Any
    ) -> SequenceClassifierOutput:
        """Logits, (n, c), of token ids, (n, t); with labels, (n,), also the cross-entropy."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        states = self.encoder(input_ids=input_ids, attention_mask=mask).last_hidden_state
        kept = mask[..., None].to(states.dtype)
        x = nn.functional.normalize((states * kept).sum(1) / kept.sum(1).clamp(min=1), dim=1)
        said = [
            (head(x).double() / t + b).log_softmax(-1) + share.log()
            for head, t, b, share in zip(self.heads, self.temperatures, self.biases, self.shares, strict=True)
        ]
        logits = (torch.stack(said).logsumexp(0) / self.config.divided_by).to(states.dtype)
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)
