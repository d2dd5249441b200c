"""Any encoder of `transformers` with further streams integrated at every depth."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar, Mapping, Sequence, cast

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from common.integration import IntegrationConfig, build_integration
from common.integration.regularisers import draw_presence
from common.models.backbones import clear_layers, depth_norms, load_backbone
from common.models.multi_stream_config import MultiStreamConfig
from common.models.passes import Pass, Soma, biased
from common.models.secondary import SecondaryStreams, depth_of_site
from common.models.stream_cache import StreamCache
from common.streams.config import StreamConfig

MEANING = "meaning"
"""Name of the reference stream: the backbone's own subword tokens."""


class MultiStreamModel(PreTrainedModel):
    """Wraps an unchanged backbone: before each layer's final norm its raw sum is read, the streams are integrated,
    and at the last layer the integrated state takes the raw sum's place. Bias, norm and head are the backbone's own.
    """

    config_class = MultiStreamConfig
    base_model_prefix = ""
    auto_class_of_backbone = AutoModelForSequenceClassification
    _supports_sdpa = True
    causal: ClassVar[bool] = False
    """Whether no position may read a later one."""

    def __init__(self, config: MultiStreamConfig, backbone: PreTrainedModel | None = None) -> None:
        super().__init__(config)
        if backbone is None:
            options = dict(config.backbone)
            inner = AutoConfig.for_model(options.pop("model_type"), **options)
            backbone = self.auto_class_of_backbone.from_config(inner)
        assert isinstance(backbone, PreTrainedModel)
        self.backbone: PreTrainedModel = backbone
        norms = depth_norms(backbone)
        width = cast(Any, norms[-1][0]).weight.shape[0]
        streams = [StreamConfig(**stream) for stream in config.streams]
        widths = {MEANING: width} if config.use_meaning else {}
        for stream in streams:
            if stream.label in widths:
                raise ValueError(f"two streams are called {stream.label!r}; give one of them another `name`")
            widths[stream.label] = stream.width
        embeddings = backbone.get_input_embeddings()
        assert isinstance(embeddings, nn.Embedding)
        self.secondary = SecondaryStreams(streams, config.vocabularies, embeddings.embedding_dim, self.causal)
        rule = IntegrationConfig(**config.integration)
        self.integration = build_integration(rule, widths, width, len(norms), MEANING if config.use_meaning else None)
        self.sites = len(norms)
        self._pass: Pass | None = None
        if config.use_meaning:
            self._attach([norm for norm, _ in norms])
            norms[-1][0].register_forward_hook(self._after_last_norm)
        else:
            self.soma = Soma(*norms[-1])
            clear_layers(backbone, embeddings=not self.secondary.reads_grid)
        self.post_init()

    @classmethod
    def from_backbone(
        cls,
        name: str,
        integration: IntegrationConfig | None = None,
        streams: Sequence[StreamConfig] = (),
        vocabularies: Mapping[str, int] | None = None,
        use_meaning: bool = True,
        dropout: float | None = None,
        pooling: str = "first",
        **options,
    ):
        """Build around a pretrained backbone.

        Args:
            name: hub name, local folder, ``minilm`` (packaged) or one of the tiny random models.
            integration: the rule; DM() by default.
            streams: secondary streams.
            vocabularies: stream label -> symbol ids, from ``StreamProcessor.stream_vocabularies()``.
            use_meaning: False leaves the backbone's own stream out: of the backbone only the head, the last norm and
                bias, and for duplicates the embeddings remain.
            dropout: backbone dropout; None keeps its own.
            pooling: what the head reads: the ``first`` token's state, as `transformers` does, or the ``mean`` over the
                text's tokens, so that every token's state reaches the logits.
            options: further fields of the backbone's config, such as ``num_labels=5``.
        """
        backbone = load_backbone(cls.auto_class_of_backbone, name, dropout, **options)
        config = MultiStreamConfig(
            backbone=backbone.config.to_dict(),
            integration=asdict(integration or IntegrationConfig()),
            streams=[asdict(stream) for stream in streams],
            vocabularies=vocabularies,
            use_meaning=use_meaning,
            pooling=pooling,
            num_labels=backbone.config.num_labels,
        )
        return cls(config, backbone)

    def _init_weights(self, module: nn.Module) -> None:
        """Every module initialises itself when it is made; loading replaces all of it."""

    def get_input_embeddings(self) -> nn.Module:
        return self.backbone.get_input_embeddings()

    def parts(self) -> dict[str, list[nn.Module]]:
        """The parts that have a learning rate of their own; together they cover every parameter once."""
        base = self.backbone.base_model
        head = [child for child in self.backbone.children() if child is not base]
        trunk = [base] if self.config.use_meaning else [base, self.soma]
        return {"backbone": trunk, "streams": [self.secondary], "integration": [self.integration], "head": head}

    def run(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None,
        present: Mapping[str, Tensor] | None,
        report: bool,
        inputs: Mapping[str, Tensor],
        keep: bool = False,
        read: Tensor | None = None,
        past: StreamCache | None = None,
        backbone_inputs: Mapping[str, Any] | None = None,
    ) -> tuple[Any, Pass]:
        """Run streams and backbone; returns the backbone's output (without the meaning stream: what the head reads)
        and what the sites left behind. `read` is kept for :meth:`readout`; `past` is what a causal model remembers.
        """
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        if self.secondary.reads_grid:
            grid = self.get_input_embeddings()(input_ids)  # [B, T, G]
        else:
            grid = torch.zeros(*input_ids.shape, 0, device=input_ids.device)
        presence = self._presence(input_ids.shape[0], present, input_ids.device)
        pasts = None
        if past is not None:
            pasts = {name: past.layers(stream.layers) for name, stream in self.secondary.configs.items()}
        secondary = self.secondary(inputs, grid, attention_mask, pasts)
        if past is not None and self.integration.attends:
            secondary = {name: [*depths[:-1], past.history(depths[-1])] for name, depths in secondary.items()}
        current = Pass(secondary, presence, attention_mask.bool(), report, keep, read)
        if not report and not torch.is_grad_enabled():
            current.ahead = self.integration.work_ahead([self._streams(s, secondary) for s in self._joined], presence)
        if not self.config.use_meaning:
            current.raw = [self._streams(site, secondary) for site in self._joined]
            return self._integrate_all(current.raw, current), current
        self._pass = current
        try:
            known: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
            if self.causal and self.secondary.reads_grid:
                # Looked up once: a second look would cost a second gradient as large as the embeddings.
                known |= {"input_ids": None, "inputs_embeds": grid}
            output = self.backbone(**(known | dict(backbone_inputs or {})))
        finally:
            self._pass = None
        return output, current

    def _presence(
        self, batch: int, present: Mapping[str, Tensor] | None, device: torch.device
    ) -> Mapping[str, Tensor] | None:
        rate = self.integration.config.stream_dropout
        if not (self.training and rate > 0):
            return present
        return draw_presence(self.integration.names, batch, rate, present, device)

    def _attach(self, norms: Sequence[nn.Module]) -> None:
        """Read the raw sums from inside the backbone: they are what the layers' final norms are given."""
        for site, norm in enumerate(norms):
            # A bound method, not a closure, so that a copy of the model calls its own.
            norm.register_forward_pre_hook(partial(self._before_norm, site))

    def _before_norm(self, site: int, norm: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor] | None:
        if self._pass is None or site not in self._joined:
            return None
        bias = depth_norms(self.backbone)[site][1]
        state = self._integrate(site, inputs[0], bias, self._pass)
        return (biased(state, bias),) if site == self.sites - 1 else None

    @property
    def _joined(self) -> range:
        """Sites at which the rule integrates."""
        return range(self.sites - 1 if self.integration.last_site_only else 0, self.sites)

    def _soma(self) -> tuple[nn.Module, nn.Parameter | None]:
        return depth_norms(self.backbone)[-1] if self.config.use_meaning else (self.soma.norm, self.soma.bias)

    def _streams(self, site: int, secondary: Mapping[str, list[Tensor]]) -> dict[str, Tensor]:
        """Secondary streams as `site` reads them."""
        return {name: depths[depth_of_site(site, self.sites, len(depths))] for name, depths in secondary.items()}

    def _integrate(self, site: int, total: Tensor, bias: Tensor | None, current: Pass) -> Tensor:
        """The new state; `total` ``[B, T, D]`` is the layer's raw sum with its last `bias` ``[D]``."""
        streams = {MEANING: total if bias is None else total - bias, **self._streams(site, current.secondary)}
        if current.keep:
            current.raw.append(streams)
        return self._join(site, streams, current)

    def _join(
        self, site: int, streams: Mapping[str, Tensor], current: Pass, scale_like: Tensor | None = None
    ) -> Tensor:
        """One site: the new state ``[B, T, D]``."""
        ahead = None if current.ahead is None else current.ahead[site - self._joined.start]
        result = self.integration(
            streams, current.state, current.present, site, current.report, current.mask, scale_like, self.causal, ahead
        )
        current.state = result.state
        if result.alphas is not None:
            current.alphas.append(result.alphas)
        if result.contributions is not None:
            current.contributions.append(result.contributions)
        if result.projections is not None:
            current.projections.append(result.projections)
        if result.penalty is not None:
            current.penalties.append(result.penalty)
        return result.state

    def _integrate_all(
        self, sites: Sequence[Mapping[str, Tensor]], current: Pass, scale_like: Sequence[Tensor] | None = None
    ) -> Tensor:
        """All sites from raw streams at hand, then last bias and norm: what the head reads."""
        for place, (site, streams) in enumerate(zip(self._joined, sites, strict=True)):
            self._join(site, streams, current, None if scale_like is None else scale_like[place])
        assert current.state is not None
        norm, bias = self._soma()
        return self.readout(self.integration.after_norm(norm(biased(current.state, bias))), current)

    def _after_last_norm(self, norm: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        if self._pass is None:
            return None
        self._pass.hidden = self.readout(self.integration.after_norm(output), self._pass)
        return self._pass.hidden

    def readout(self, hidden: Tensor, current: Pass) -> Tensor:
        """What of the final hidden states ``[B, T, D]`` goes on to the head; all of it unless a model selects."""
        return hidden
