"""A causal language model that reads pictures, by any of the fusions, in `transformers` format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.cache_utils import Cache

from common.models.backbones import decoder_layers
from common.models.causal_lm import MultiStreamCausalConfig, MultiStreamCausalLM, MultiStreamCausalOutput
from common.models.stream_cache import one_cache
from common.models.vision_composer import VISION, VisionComposer
from common.vision.config import VisionConfig
from common.vision.encoder import Visual, build_encoder
from step4_vision_language.adapters import add_adapters
from step4_vision_language.fusion_config import FusionConfig
from step4_vision_language.fusions import Pictures, Shape, build_fusion
from step4_vision_language.fusions.base import FAR
from step4_vision_language.texts import IMAGE


class VisionLanguageConfig(MultiStreamCausalConfig):
    """Adds the fusion, the vision encoder, the id of ``<image>``, and LoRA (rank, alpha, dropout)."""

    model_type = "vision_language"

    def __init__(
        self,
        fusion: dict[str, Any] | None = None,
        vision: dict[str, Any] | None = None,
        vision_architecture: dict[str, Any] | None = None,
        image_token_id: int = -1,
        adapters: dict[str, Any] | None = None,
        **kwargs,
    ) -> None:
        self.adapters = adapters or {}
        self.fusion = fusion or asdict(FusionConfig(name="none"))
        self.vision = vision or asdict(VisionConfig())
        self.vision_architecture = vision_architecture or {}
        self.image_token_id = image_token_id
        super().__init__(**kwargs)


class VisionLanguageModel(MultiStreamCausalLM):
    """A language model, a vision encoder, and what is between them. A text without a picture is
    read with the vision streams absent, so that the vision part has no say in its logits.

    Args:
        config: see :class:`VisionLanguageConfig`.
        backbone: the language model; None builds one with random weights.
        encoder: the vision encoder; None builds one with random weights.
    """

    config_class = VisionLanguageConfig
    main_input_name = "input_ids"

    def __init__(self, config: VisionLanguageConfig, backbone=None, encoder=None) -> None:
        vision = VisionConfig(**_tuples(config.vision))
        encoder = encoder or build_encoder(vision, load=False, architecture=config.vision_architecture)
        labels = [stream["name"] or stream["kind"] for stream in config.streams if stream["kind"] == VISION]
        config.vocabularies = {**config.vocabularies, **dict.fromkeys(labels, encoder.patch_width)}
        super().__init__(config, backbone)
        if config.adapters.get("rank"):
            add_adapters(self.backbone, **config.adapters)
        embeddings: Any = self.get_input_embeddings()
        self.vision = encoder
        self.fusion = build_fusion(
            FusionConfig(**config.fusion),
            Shape(
                encoder.patch_width,
                encoder.pooled_width,
                encoder.patches_of(vision.image_size),
                embeddings.embedding_dim,
                len(decoder_layers(self.backbone)),
            ),  # fmt: skip
        )
        self.vision_labels: tuple[str, ...] = tuple(labels)
        self._read: tuple[Tensor, Tensor] | None = None

    def parts(self) -> dict[str, list[nn.Module]]:
        """As of the language model; the encoder and the fusion have learning rates of their own."""
        found = super().parts()
        return {**found, "streams": [*found["streams"], self.fusion], "vision": [self.vision]}

    @property
    def context(self) -> int:
        """Tokens that the language model reads at most, those of pictures among them."""
        return self.config.get_text_config().max_position_embeddings

    def see(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised pictures ``[B, I, 3, H, W]`` to patches ``[B, I, P, C]`` and pooled vectors ``[B, I, E]``."""
        visual: Visual = self.vision(pixel_values.flatten(0, 1))
        batch = pixel_values.shape[:2]
        return visual.patches.unflatten(0, batch), visual.pooled.unflatten(0, batch)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        pixel_values: Tensor | None = None,
        seen_patches: Tensor | None = None,
        seen_pooled: Tensor | None = None,
        seen_begin: Tensor | None = None,
        seen_memory: Tensor | None = None,
        cache: Cache | None = None,
        present: Mapping[str, Tensor] | None = None,
        logits_to_keep: int = 0,
        past_key_values: Cache | None = None,
        **inputs: Any,
    ) -> MultiStreamCausalOutput:
        """Predict the next tokens.

        Args:
            input_ids, attention_mask, cache, past_key_values, present, logits_to_keep: as of
                :class:`MultiStreamCausalLM`.
            pixel_values: ``[B, I, 3, H, W]``, the pictures of each text in order; where a text has fewer than I, the
                rest is not read. In their place what the encoder made of them:
            seen_patches, seen_pooled: ``[B, I, P, C]`` and ``[B, I, E]``.
            seen_begin: ``[B, I]``, place of each picture in the text; by default found by the ``<image>`` tokens.
            seen_memory: what :meth:`remember` made of the pictures, so that it is not made anew for every token.
            inputs: further arguments of :class:`MultiStreamCausalLM`.

        Raises:
            ValueError: texts and pictures do not fit.
        """
        inputs["logits_to_keep"] = logits_to_keep
        cache = one_cache(cache, past_key_values)
        if pixel_values is not None:
            seen_patches, seen_pooled = self.see(pixel_values)
        if (seen_patches is None) != (seen_pooled is None):
            raise ValueError("pass seen_patches and seen_pooled together, as see() gives them")
        if seen_patches is None or seen_pooled is None:
            self._refuse_marks_without_pictures(input_ids)
            return self._without(input_ids, attention_mask, cache, present, inputs)
        earlier = 0 if cache is None else cache.get_seq_length()
        if seen_begin is None:
            if earlier:
                raise ValueError("with a cache, seen_begin must say where the pictures stand: begins() of the text")
            seen_begin = self.begins(input_ids, seen_patches.shape[1])
        pictures = Pictures(seen_patches, seen_pooled, seen_begin)
        if self.vision_labels:
            there = (seen_begin < FAR).any(-1)
            present = {**dict.fromkeys(self.vision_labels, there), **(present or {})}
            parts = [None] * len(self.vision_labels)
            if seen_memory is not None:
                parts = seen_memory.split([self._composer(label).memory_width for label in self.vision_labels], dim=-1)
            for label, part in zip(self.vision_labels, parts, strict=True):
                inputs |= {f"{label}_patches": seen_patches, f"{label}_begin": seen_begin, f"{label}_memory": part}
        if self.fusion.replaces and earlier == 0:
            inputs["inputs_embeds"] = self._replaced(input_ids, pictures)
        if self.fusion.joins_layers:
            seen = pictures.seen(input_ids.shape[1], earlier + input_ids.shape[1])
            self._read = (self.fusion.prepare(pictures) if seen_memory is None else seen_memory, seen)
        try:
            return super().forward(input_ids, attention_mask, cache=cache, present=present, **inputs)
        finally:
            self._read = None

    def remember(self, pictures: Pictures) -> Tensor | None:
        """What every token reads of the pictures, whatever the text: ``[B, I, K, d]`` of a fusion that joins layers,
        ``[B, IP, M]`` of vision streams, side by side; None where nothing is read but at the marks.
        """
        if self.fusion.joins_layers:
            return self.fusion.prepare(pictures)
        parts = [self._composer(label).remember(pictures.patches) for label in self.vision_labels]
        return torch.cat(parts, dim=-1) if parts else None

    def _composer(self, label: str) -> VisionComposer:
        composer = self.secondary.composers[label]
        assert isinstance(composer, VisionComposer)
        return composer

    def begins(self, input_ids: Tensor, pictures: int) -> Tensor:
        """Place ``[B, I]`` of the first token of each picture in whole texts ``[B, T]``; ``FAR`` beyond the last.

        Raises:
            ValueError: a text has other than I times the fusion's number of ``<image>`` tokens, or fewer pictures.
        """
        marks = input_ids == self.config.image_token_id  # [B, T]
        counts, each = marks.sum(-1), self.fusion.tokens
        if (counts % each).any() or (counts > pictures * each).any():
            raise ValueError(
                f"texts have {counts.tolist()} {IMAGE} tokens; fusion {self.fusion.config.name!r} reads {each} for "
                f"each picture, of which there are at most {pictures}; let the processor write the texts"
            )
        order = marks.long().cumsum(-1) - 1  # number of each mark in its text
        place = torch.arange(input_ids.shape[1], device=input_ids.device).expand_as(order)
        begin = input_ids.new_full((len(input_ids), pictures + 1), FAR)
        first = marks & (order % each == 0)
        return begin.scatter(1, torch.where(first, order // each, pictures), torch.where(first, place, FAR))[:, :-1]

    def _without(self, input_ids: Tensor, attention_mask, cache, present, inputs) -> MultiStreamCausalOutput:
        """Texts without pictures: the vision streams are absent."""
        absent = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        for label in self.vision_labels:
            like = next(self.parameters())
            present = {**(present or {}), label: absent}
            inputs[f"{label}_patches"] = like.new_zeros(len(input_ids), 1, 1, self.vision.patch_width)
            inputs[f"{label}_begin"] = input_ids.new_full((len(input_ids), 1), FAR)
        return super().forward(input_ids, attention_mask, cache=cache, present=present, **inputs)

    def _refuse_marks_without_pictures(self, input_ids: Tensor) -> None:
        if self.fusion.config.name != "none" and (input_ids == self.config.image_token_id).any():
            raise ValueError(f"a text holds {IMAGE}, but no picture came with it; pass pixel_values or seen_patches")

    def _replaced(self, input_ids: Tensor, pictures: Pictures) -> Tensor:
        """Input embeddings ``[B, T, D]``, visual tokens in the place of the marks."""
        embedded = self.get_input_embeddings()(input_ids)
        visual = self.fusion.embed(pictures).flatten(1, 2).to(embedded.dtype)  # [B, IK, D]
        marks = input_ids == self.config.image_token_id
        order = (marks.long().cumsum(-1) - 1).clamp_min(0).unsqueeze(-1).expand(-1, -1, visual.shape[-1])
        return torch.where(marks.unsqueeze(-1), visual.gather(1, order), embedded)

    def _after_block(self, site: int, total: Tensor) -> Tensor:
        if self._read is not None:
            total = self.fusion.attend(site, total, *self._read)
        return super()._after_block(site, total)

    @torch.no_grad()
    def generate(self, inputs: Tensor | None = None, **kwargs: Any) -> Any:
        """As of `transformers`; pictures as in :meth:`forward`, and the encoder reads them once."""
        ids = kwargs["input_ids"] if inputs is None else inputs
        pixels = kwargs.pop("pixel_values", None)
        if pixels is not None:
            kwargs["seen_patches"], kwargs["seen_pooled"] = self.see(pixels)
        if kwargs.get("seen_patches") is not None and "seen_begin" not in kwargs:
            kwargs["seen_begin"] = self.begins(ids, kwargs["seen_patches"].shape[1])
        if kwargs.get("seen_patches") is not None:
            pictures = Pictures(kwargs["seen_patches"], kwargs["seen_pooled"], kwargs["seen_begin"])
            kwargs["seen_memory"] = self.remember(pictures)
        return super().generate(inputs, **kwargs)  # pyright: ignore[reportAttributeAccessIssue]


def _tuples(options: Mapping[str, Any]) -> dict[str, Any]:
    """Lists, which JSON makes of tuples, as tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}


AutoConfig.register(VisionLanguageConfig.model_type, VisionLanguageConfig, exist_ok=True)
AutoModelForCausalLM.register(VisionLanguageConfig, VisionLanguageModel, exist_ok=True)
