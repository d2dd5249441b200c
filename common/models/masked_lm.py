"""The multi-stream masked language model."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from common.models.assembly import MultiStreamModel
from common.models.multi_stream_config import MultiStreamConfig, MultiStreamOutput
from common.models.passes import Pass, mean_entropy, stack_sites


class MultiStreamForMaskedLM(MultiStreamModel):
    """Prediction of masked tokens; the head is the backbone family's own, its matrix the backbone's embeddings."""

    auto_class_of_backbone = AutoModelForMaskedLM

    def __init__(self, config: MultiStreamConfig, backbone=None) -> None:
        if not config.use_meaning:
            raise ValueError("a masked language model predicts tokens of the meaning stream and needs it")
        super().__init__(config, backbone)

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
        """Predict tokens.

        Args:
            input_ids, attention_mask: ``[B, T]``.
            labels: ``[B, T]``, -100 where nothing is predicted. `loss` is then the mean cross-entropy over the M other
                positions, in training plus the balance penalty where one is set, and `logits` are those of these
                positions alone, ``[M, V]`` in the order of the batch; without labels ``[B, T, V]``.
            present: stream -> bool ``[B]``.
            report: also return α and contributions of every site.
            stream_inputs: the stream fields that ``GridStreams.batch`` makes.
        """
        segments = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        wanted = None if labels is None else labels != -100
        output, sites = self.run(
            input_ids, attention_mask, present, report, stream_inputs, read=wanted, backbone_inputs=segments
        )
        logits, loss = output.logits, None
        if labels is not None:
            logits = logits[0]
            loss = sum(sites.penalties, mean_entropy(logits, labels[wanted]))
        alphas = stack_sites(sites.alphas) if report else None
        read = (sites.mask if wanted is None else wanted & sites.mask) if report else None
        return MultiStreamOutput(
            loss, logits, alphas, stack_sites(sites.contributions), read, stack_sites(sites.projections)
        )

    def readout(self, hidden: Tensor, current: Pass) -> Tensor:
        """States of the positions to be predicted ``[1, M, D]``: a vocabulary is too wide for all the others."""
        return hidden if current.read is None else hidden[current.read].unsqueeze(0)

    def parts(self) -> dict[str, list[nn.Module]]:
        """As of every multi-stream model; the head's matrix is the backbone's."""
        found = super().parts()
        owned = {id(p) for module in found["backbone"] for p in module.parameters()}
        leaves = [leaf for module in found["head"] for leaf in _split(module, owned)]
        return {**found, "head": leaves}


def _split(module: nn.Module, owned: set[int]) -> list[nn.Module]:
    """The modules below `module` that own none of the parameters in `owned`; what is left of a module that owns one
    (its bias) in a module of its own.
    """
    if not any(id(p) in owned for p in module.parameters()):
        return [module]
    own = nn.ParameterList(p for p in module.parameters(recurse=False) if id(p) not in owned)
    return [own, *(leaf for child in module.children() for leaf in _split(child, owned))]


AutoModelForMaskedLM.register(MultiStreamConfig, MultiStreamForMaskedLM, exist_ok=True)
