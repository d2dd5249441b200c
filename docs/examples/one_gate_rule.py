"""A rule of one's own: all secondary streams behind one gate. Put such a file into common/integration/."""

import torch
from torch import nn

from common.integration.base import Combined, Integration, register
from common.integration.scaling import Projection


@register("one_gate")
class OneGate(Integration):
    """z = s_reference + g · Σ_i P_i s_i, at the last site; g starts at 0, so it starts as the plain backbone."""

    last_site_only = True
    needs_reference = True

    def __init__(self, config, widths, width, sites, reference):
        super().__init__(config, widths, width, sites, reference)
        self.project = Projection({name: widths[name] for name in self.secondary}, width, scale="none")
        self.gate = nn.Parameter(torch.zeros(()))

    def combine(self, streams, state, site):
        terms = {name: self.gate * wide for name, wide in self.project(streams, None).items()}
        terms = {self.reference: streams[self.reference], **terms}
        return Combined(torch.stack(list(terms.values())).sum(0), terms, alphas=None)
