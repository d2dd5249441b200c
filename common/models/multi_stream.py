"""Multi-stream models with a task's head: so far text classification."""

from __future__ import annotations

from typing import Mapping, Sequence

import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from common.models.assembly import MultiStreamModel
from common.models.backbones import classify
from common.models.multi_stream_config import MultiStreamConfig, MultiStreamOutput
from common.models.passes import Collected, Pass, stack_sites


class MultiStreamForSequenceClassification(MultiStreamModel):
    """Text classification; the head is the backbone family's own."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        present: Mapping[str, Tensor] | None = None,
        report: bool = False,
        **stream_inputs: Tensor,
    ) -> MultiStreamOutput:
        """Classify.

        Args:
            input_ids, attention_mask: ``[B, T]``.
            labels: ``[B]``; `loss` is then the cross-entropy, in training plus the balance penalty where one is set.
            present: stream -> bool ``[B]``.
            report: also return α and contributions of every site.
            stream_inputs: the stream fields that ``StreamProcessor.collate`` makes.
        """
        segments = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output, sites = self.run(input_ids, attention_mask, present, report, stream_inputs, backbone_inputs=segments)
        logits = output.logits if self.config.use_meaning else classify(self.backbone, output)
        loss = None
        if labels is not None:
            loss = sum(sites.penalties, nn.functional.cross_entropy(logits.float(), labels))
        alphas = stack_sites(sites.alphas) if report else None
        read = self.read_positions(sites.mask) if report else None
        return MultiStreamOutput(
            loss, logits, alphas, stack_sites(sites.contributions), read, stack_sites(sites.projections)
        )

    def read_positions(self, mask: Tensor) -> Tensor:
        """Bool ``[B, T]``: the positions whose state reaches the logits, of those in `mask`."""
        if self.config.pooling == "mean":
            return mask
        return mask & (torch.arange(mask.shape[1], device=mask.device) == 0)

    def readout(self, hidden: Tensor, current: Pass) -> Tensor:
        """Final hidden states ``[B, T, D]`` to the one state ``[B, 1, D]`` per text that the family's head reads."""
        if self.config.pooling == "first":
            return hidden[:, :1]
        kept = current.mask.unsqueeze(-1).to(hidden.dtype)  # [B, T, 1]
        return (hidden * kept).sum(1, keepdim=True) / kept.sum(1, keepdim=True).clamp_min(1)

    def collect(self, input_ids: Tensor, attention_mask: Tensor, **inputs: Tensor) -> Collected:
        """The raw streams of a batch at every integrated site; they do not depend on the integration."""
        segments = {name: inputs.pop(name) for name in ("token_type_ids",) if name in inputs}
        _, sites = self.run(input_ids, attention_mask, None, False, inputs, keep=True, backbone_inputs=segments)
        return Collected(sites.raw, sites.mask)

    def logits_from(
        self,
        collected: Collected,
        present: Mapping[str, Tensor] | None = None,
        scale_like: Sequence[Tensor] | None = None,
    ) -> Tensor:
        """Logits ``[B, K]`` from collected streams, without running any encoder again.

        Args:
            collected: from :meth:`collect`, as it is or with streams replaced.
            present: stream -> bool ``[B]``.
            scale_like: per site the reference stream ``[B, T, D]`` that sets the scale of the others.
        """
        current = Pass({}, present, collected.mask, report=False)
        return classify(self.backbone, self._integrate_all(collected.sites, current, scale_like))


AutoModelForSequenceClassification.register(MultiStreamConfig, MultiStreamForSequenceClassification, exist_ok=True)
