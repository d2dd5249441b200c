"""Any encoder of `transformers` with further streams integrated at every depth."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Mapping, Sequence

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from common.integration import IntegrationConfig, build_integration
from common.integration.regularisers import draw_presence
from common.models.backbones import depth_norms, load_backbone
from common.models.multi_stream_config import MultiStreamConfig, MultiStreamOutput
from common.models.secondary import SecondaryStreams, depth_of_site
from common.streams.config import StreamConfig

MEANING = "meaning"
"""Name of the reference stream: the backbone's own subword tokens."""


@dataclass
class _Pass:
    """What one forward pass carries from site to site."""

    secondary: dict[str, list[Tensor]]
    present: Mapping[str, Tensor] | None
    mask: Tensor
    report: bool
    state: Tensor | None = None
    alphas: list[dict[str, Tensor]] = field(default_factory=list)
    contributions: list[dict[str, Tensor]] = field(default_factory=list)
    penalties: list[Tensor] = field(default_factory=list)


class MultiStreamModel(PreTrainedModel):
    """Wraps an unchanged backbone: before each layer's final norm its raw sum is read, the streams are integrated,
    and at the last layer the integrated state takes the raw sum's place. Bias, norm and head are the backbone's own.
    """

    config_class = MultiStreamConfig
    base_model_prefix = ""
    auto_class_of_backbone = AutoModelForSequenceClassification
    _supports_sdpa = True

    def __init__(self, config: MultiStreamConfig, backbone: PreTrainedModel | None = None) -> None:
        super().__init__(config)
        if backbone is None:
            options = dict(config.backbone)
            inner = AutoConfig.for_model(options.pop("model_type"), **options)
            backbone = self.auto_class_of_backbone.from_config(inner)
        assert isinstance(backbone, PreTrainedModel)
        self.backbone: PreTrainedModel = backbone
        norms = depth_norms(backbone)
        width = norms[-1][1].shape[0]
        streams = [StreamConfig(**stream) for stream in config.streams]
        widths = {MEANING: width} if config.use_meaning else {}
        for stream in streams:
            if stream.label in widths:
                raise ValueError(f"two streams are called {stream.label!r}; give one of them another `name`")
            widths[stream.label] = stream.width
        embeddings = backbone.get_input_embeddings()
        assert isinstance(embeddings, nn.Embedding)
        self.secondary = SecondaryStreams(streams, config.vocabularies, embeddings.embedding_dim)
        rule = IntegrationConfig(**config.integration)
        self.integration = build_integration(rule, widths, width, len(norms), MEANING if config.use_meaning else None)
        self.sites = len(norms)
        self._pass: _Pass | None = None
        for site, (norm, _) in enumerate(norms):
            norm.register_forward_pre_hook(self._hook(site))
        norms[-1][0].register_forward_hook(self._after_last_norm)
        if not config.use_meaning:
            self._freeze_unread_backbone()
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
        **options,
    ):
        """Build around a pretrained backbone.

        Args:
            name: hub name, local folder, ``minilm`` (packaged) or one of the tiny random models.
            integration: the rule; DM() by default.
            streams: secondary streams.
            vocabularies: stream label -> symbol ids, from ``StreamProcessor.stream_vocabularies()``.
            use_meaning: False leaves the backbone's own stream out (its embeddings and head remain).
            dropout: backbone dropout; None keeps its own.
            options: further fields of the backbone's config, such as ``num_labels=5``.
        """
        backbone = load_backbone(cls.auto_class_of_backbone, name, dropout, **options)
        config = MultiStreamConfig(
            backbone=backbone.config.to_dict(),
            integration=asdict(integration or IntegrationConfig()),
            streams=[asdict(stream) for stream in streams],
            vocabularies=vocabularies,
            use_meaning=use_meaning,
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
        return {"backbone": [base], "streams": [self.secondary], "integration": [self.integration], "head": head}

    def run(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None,
        present: Mapping[str, Tensor] | None,
        report: bool,
        inputs: Mapping[str, Tensor],
        **backbone_inputs,
    ) -> tuple[Any, _Pass]:
        """Run streams and backbone; returns the backbone's output and what the sites left behind."""
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        grid = self.get_input_embeddings()(input_ids)  # [B, T, G]
        presence = self._presence(input_ids.shape[0], present, input_ids.device)
        secondary = self.secondary(inputs, grid, attention_mask)
        self._pass = current = _Pass(secondary, presence, attention_mask.bool(), report)
        try:
            output = self.backbone(input_ids=input_ids, attention_mask=attention_mask, **backbone_inputs)
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

    def _hook(self, site: int):
        def integrate(norm: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor] | None:
            return self._integrate(site, inputs[0])

        return integrate

    def _integrate(self, site: int, total: Tensor) -> tuple[Tensor] | None:
        """At one layer's final norm: `total` ``[B, T, D]`` is what the norm would read."""
        current = self._pass
        last = site == self.sites - 1
        if current is None or (self.integration.last_site_only and not last):
            return None
        bias = depth_norms(self.backbone)[site][1]
        streams = {MEANING: total - bias} if self.config.use_meaning else {}
        for name, depths in current.secondary.items():
            streams[name] = depths[depth_of_site(site, self.sites, len(depths))]
        result = self.integration(streams, current.state, current.present, site, current.report, current.mask)
        current.state = result.state
        if result.alphas is not None:
            current.alphas.append(result.alphas)
        if result.contributions is not None:
            current.contributions.append(result.contributions)
        if result.penalty is not None:
            current.penalties.append(result.penalty)
        return (result.state + bias,) if last else None

    def _after_last_norm(self, norm: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        return None if self._pass is None else self.integration.after_norm(output)

    def _freeze_unread_backbone(self) -> None:
        """Without the meaning stream only the embeddings (for duplicates), last bias, last norm and pooler are read."""
        base = self.backbone.base_model
        norm, bias = depth_norms(self.backbone)[-1]
        read = {id(bias), *(id(p) for p in norm.parameters())}
        pooler = getattr(base, "pooler", None)
        if isinstance(pooler, nn.Module):
            read |= {id(p) for p in pooler.parameters()}
        for parameter in base.parameters():
            parameter.requires_grad_(id(parameter) in read)


def stack_sites(sites: list[dict[str, Tensor]]) -> dict[str, Tensor] | None:
    """[{name: x} per site] to {name: ``[S, …]``}; a name missing at a site (the first has no state) counts 0 there."""
    if not sites:
        return None
    names = dict.fromkeys(name for site in sites for name in site)
    like = {name: next(site[name] for site in sites if name in site) for name in names}
    return {name: torch.stack([site.get(name, torch.zeros_like(like[name])) for site in sites]) for name in names}


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
        output, sites = self.run(input_ids, attention_mask, present, report, stream_inputs, **segments)
        logits = output.logits
        loss = None
        if labels is not None:
            loss = sum(sites.penalties, nn.functional.cross_entropy(logits.float(), labels))
        alphas = stack_sites(sites.alphas) if report else None
        return MultiStreamOutput(loss, logits, alphas, stack_sites(sites.contributions))
