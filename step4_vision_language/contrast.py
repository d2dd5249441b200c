"""Pictures and texts in one space: each read alone by the whole model, compared by InfoNCE or pairwise sigmoids."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.data.language.masking import NOTHING
from common.models.causal_lm import MultiStreamCausalOutput
from step4_vision_language.model import VisionLanguageModel


class DualEncoder(nn.Module):
    """The model reads a picture without a text, and a text without a picture; the last state of each is projected.

    So every fusion is compared as it is: whatever it does with a picture happens before the projection.

    Args:
        width: channels D of the model's states.
        embedding: channels E in which both are compared.
        siglip: pairwise sigmoids (Zhai et al. 2023) in place of InfoNCE (Radford et al. 2021).
        end_id: token that ends a text.
    """

    def __init__(self, width: int, embedding: int, siglip: bool, end_id: int) -> None:
        super().__init__()
        self.picture = nn.Linear(width, embedding, bias=False)
        self.text = nn.Linear(width, embedding, bias=False)
        self.siglip, self.end_id = siglip, end_id
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0 if siglip else 1 / 0.07)))
        self.bias = nn.Parameter(torch.tensor(-10.0)) if siglip else None

    def scale(self) -> Tensor:
        """Inverse temperature ``[]``, at most 100 as in CLIP."""
        return self.log_scale.exp().clamp(max=100.0)

    def forward(self, model: VisionLanguageModel, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Embeddings ``[B, E]`` of length 1 of the pictures and of the texts of a batch."""
        ids, mask, labels = batch["input_ids"], batch["attention_mask"], batch["labels"]
        begin = ids[:, :1]
        read_alone = self.read_pictures(model, batch).last_hidden_state
        assert read_alone is not None
        marks = (ids == model.config.image_token_id).sum(1)  # [B]; behind them stands padding
        picture = read_alone[torch.arange(len(ids), device=ids.device), marks]
        # The text alone: what is to be written, moved to the left, behind the token that begins a document.
        wanted = labels != NOTHING
        order = torch.argsort(~wanted, dim=1, stable=True)
        kept = int(wanted.sum(1).max())
        text = torch.cat([begin, ids.gather(1, order)[:, :kept]], dim=1)
        read = torch.cat([mask[:, :1], (mask * wanted).gather(1, order)[:, :kept]], dim=1)
        text = torch.where(read.bool(), text, self.end_id)
        states = model(text, attention_mask=read).last_hidden_state
        last = states[torch.arange(len(ids), device=ids.device), read.sum(1) - 1]
        return F.normalize(self.picture(picture).float(), dim=-1), F.normalize(self.text(last).float(), dim=-1)

    def read_pictures(
        self, model: VisionLanguageModel, batch: Mapping[str, Tensor], report: bool = False
    ) -> MultiStreamCausalOutput:
        """What the model makes of the pictures of a batch, without their texts."""
        begin = batch["input_ids"][:, :1]
        marks = (batch["input_ids"] == model.config.image_token_id).sum(1, keepdim=True)  # [B, 1]
        there = torch.arange(int(marks.max()), device=begin.device) < marks  # [B, M]
        shown = torch.where(there, model.config.image_token_id, self.end_id)
        read = None if there.all() else torch.cat([torch.ones_like(begin), there.long()], dim=1)
        seen = {name: batch[name] for name in ("seen_patches", "seen_pooled", "pixel_values") if name in batch}
        return model(torch.cat([begin, shown], dim=1), attention_mask=read, report=report, **seen)

    def loss(self, model: VisionLanguageModel, batch: Mapping[str, Tensor]) -> Tensor:
        """Contrastive loss ``[]`` of the pairs of a batch that have a picture; 0 where none has."""
        picture, text = self(model, batch)
        seen = (batch["input_ids"] == model.config.image_token_id).any(1)
        if not seen.any():
            return 0.0 * self.scale()
        return self.compare(picture[seen], text[seen], batch["example"][seen])

    def compare(self, picture: Tensor, text: Tensor, example: Tensor) -> Tensor:
        """Loss ``[]`` of embeddings ``[B, E]``; texts of one example ``[B]`` are no negatives of one another."""
        logits = self.scale() * picture @ text.T  # [B, B]
        same = example[:, None] == example[None, :]
        own = torch.eye(len(same), dtype=torch.bool, device=same.device)
        if self.bias is not None:
            signs = torch.where(same, 1.0, -1.0)
            return -F.logsigmoid(signs * (logits + self.bias)).sum(-1).mean()
        logits = logits.masked_fill(same & ~own, torch.finfo(logits.dtype).min)
        target = torch.arange(len(logits), device=logits.device)
        return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
