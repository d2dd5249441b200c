"""What an integration does at a moment of training, as rows of a run's trace."""

from __future__ import annotations

from torch import nn

from common.integration.mixing_weights import MixingWeights
from common.models.assembly import MultiStreamModel
from common.models.multi_stream_config import MultiStreamOutput
from common.training.sharding import whole
from common.training.task import Task

Row = tuple[str, str, int, float]
"""(quantity, stream, site, value)."""


class TracedTask(Task):
    """A task around a multi-stream model: it notes the forward that the trainer asks about, see :meth:`trace`."""

    def __init__(self, model: MultiStreamModel) -> None:
        super().__init__(model)
        self.model: MultiStreamModel = model
        self._traced: MultiStreamOutput | None = None

    def note(self, output: MultiStreamOutput) -> None:
        """Keep `output`, of a forward with ``report=True``, where the trainer will ask for it."""
        if self.tracing:
            self._traced = output

    def trace(self) -> list[Row]:
        """α, γ, feedback gates, gradients of α, contributions and projections of the noted forward."""
        output, self._traced = self._traced, None
        return [] if output is None else trace_rows(self.model, self.model.integration.names, output)


def trace_rows(model: nn.Module, names: tuple[str, ...], output: MultiStreamOutput) -> list[Row]:
    """α, γ, feedback gates, gradients of α, contributions and projections of a forward with ``report=True``.

    Values per token are averaged over the tokens that the head reads, channels over all.

    Args:
        model: whose mixing weights are read; ``.grad`` of them is that of the traced loss.
        names: streams in the order of the integration.
        output: of the traced forward.
    """
    assert output.read is not None
    rows: list[Row] = []
    found = (
        ("alpha", output.alphas), ("contribution", output.contributions), ("projection", output.projections),
    )  # fmt: skip
    for quantity, values in found:
        for stream, value in (values or {}).items():
            kept = value[:, output.read] if value.dim() == 3 else value.reshape(len(value), -1)
            mean = kept.float().mean(1)  # [S]
            rows += [(quantity, stream, site, share) for site, share in enumerate(mean.tolist())]
    return rows + _weights(model, names)


def _weights(model: nn.Module, names: tuple[str, ...]) -> list[Row]:
    """γ and feedback gate of every site that has one, and the gradient of α (its mean over channels)."""
    rows: list[Row] = []
    for module in model.modules():
        if not isinstance(module, MixingWeights):
            continue
        if "gamma" in module:
            # The first site has no state below it, so the first γ belongs to the second site.
            rows += [("gamma", "state", site + 1, g) for site, g in enumerate(whole(module["gamma"].detach()).tolist())]
        if "gate" in module:  # of the feedback into the reference stream
            rows += [("gate", "state", site, g) for site, g in enumerate(whole(module["gate"].detach()).tolist())]
        alpha = module.get_parameter("alpha") if "alpha" in module else None
        if alpha is not None and alpha.grad is not None and alpha.shape[1:2] == (len(names),):
            gradients = alpha.grad.float().flatten(2).mean(-1) if alpha.dim() > 2 else alpha.grad.float()  # [R, N]
            rows += [
                ("gradient", name, site, value)
                for site, row in enumerate(gradients.tolist())
                for name, value in zip(names, row, strict=True)
            ]
    return rows
