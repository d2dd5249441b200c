"""Cross-attention fusion: the reference tokens look into the other streams."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from common.integration.attend import CrossAttend
from common.integration.base import Combined, Integration, IntegrationConfig, Site, register


@register("cross_attention")
class CrossAttention(Integration):
    """Cross-attention: ``z = s_ref + Σ_i O_i Attention(s_ref → s_i)``, O_i zero at first; last site only.

    After Tsai et al. 2019 ("Multimodal Transformer for Unaligned Multimodal Language Sequences"), one block per stream.
    """

    last_site_only = True
    attends = True
    needs_reference = True
    options = frozenset({"hidden", "heads"})

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        self.attend = nn.ModuleList(
            CrossAttend(width, widths[name], config.hidden, config.heads, zero=True) for name in self.secondary
        )

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        assert self.reference is not None
        total = reference = streams[self.reference]
        terms = {self.reference: reference}
        for name, attend in zip(self.secondary, self.attend, strict=True):
            terms[name] = attend(reference, streams[name], site.mask, site.causal)
            total = total + terms[name]
        return Combined(total, terms, None)
