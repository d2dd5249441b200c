"""The plain backbone behind the interface of the fusions: the baseline that everything is compared with."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from common.integration.base import Combined, Integration, IntegrationConfig, Site, register


@register("reference")
class ReferenceOnly(Integration):
    """Reference stream alone: ``z = s_ref``. Takes no other stream, so that none is trained for nothing."""

    last_site_only = True
    needs_reference = True

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        if self.secondary:
            raise ValueError(f"rule 'reference' reads the reference stream alone; remove {list(self.secondary)}")

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        stream = streams[self.names[0]]
        return Combined(stream, {self.names[0]: stream}, None)
