"""Causal language models with further streams: integrated at the output (option A), or in every layer with feedback
(option B).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, GenerationMixin
from transformers.cache_utils import Cache, DynamicCache
from typing_extensions import Self

from common.data.language.prefixes import PrefixStreams
from common.integration.mixing_weights import MixingWeights
from common.models.assembly import MultiStreamModel
from common.models.backbones import decoder_layers, last_bias
from common.models.blocks import places_of
from common.models.multi_stream_config import MultiStreamConfig, MultiStreamOutput
from common.models.passes import biased, mean_entropy, stack_sites
from common.models.stream_cache import CACHE, StreamCache, one_cache
from common.models.vision_composer import VISION


class MultiStreamCausalConfig(MultiStreamConfig):
    """Adds `feedback`: whether the state of each site goes back into the reference stream (option B)."""

    model_type = "multi_stream_causal"

    def __init__(self, feedback: bool = False, **kwargs) -> None:
        self.feedback = feedback
        super().__init__(**kwargs)

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> Any:
        """The backbone's config: what `generate` asks for layers, heads and vocabulary."""
        if not self.backbone:  # `transformers` compares a config with one made of nothing
            return self
        options = dict(self.backbone)
        return AutoConfig.for_model(options.pop("model_type"), **options)


@dataclass
class MultiStreamCausalOutput(MultiStreamOutput):
    """cache: keys and values of backbone and streams, where `use_cache`, under the name that `transformers` gives them
    (``CACHE`` of :mod:`common.models.stream_cache`); last_hidden_state: what the head reads ``[B, T, D]``.
    """

    if CACHE == "cache":
        cache: Cache | None = None
    else:
        past_key_values: Cache | None = None
    last_hidden_state: Tensor | None = None


class Depth(nn.Module):
    """A block of the backbone and the site behind it."""

    def __init__(self, block: nn.Module, site: Any) -> None:
        super().__init__()
        self.block = block
        self.site = site

    def forward(self, hidden: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        # The block may be computed anew for its gradient; the site is not, since it writes down the state.
        output = self.block(hidden, *args, **kwargs)
        return self.site(output[0] if isinstance(output, tuple) else output)


class MultiStreamCausalLM(MultiStreamModel, GenerationMixin):
    """Next-token prediction; blocks, final norm and head are those of the `transformers` model it wraps.

    The raw output of a block is the residual stream without its last bias; what the final norm reads is the state of
    the last site and that bias.
    """

    config_class = MultiStreamCausalConfig
    auto_class_of_backbone = AutoModelForCausalLM
    causal = True
    supports_gradient_checkpointing = True
    _no_split_modules = ["Depth"]

    def __init__(self, config: MultiStreamCausalConfig, backbone=None) -> None:
        if not config.use_meaning:
            raise ValueError("a language model predicts tokens of the meaning stream and needs it")
        super().__init__(config, backbone)
        if config.feedback:
            if self.integration.last_site_only:
                raise ValueError(
                    f"rule {config.integration['rule']!r} as configured integrates at the output only, so there is "
                    "nothing to feed back; take option A"
                )
            # From zero on, so that the start is the plain backbone.
            self.feedback = MixingWeights(gate=torch.zeros(self.sites - 1))
        self.streams: PrefixStreams | None = None
        self.generation_config = GenerationConfig.from_model_config(config.get_text_config())
        if self.generation_config.pad_token_id is None:  # GPT-2 has none; what is behind an end is never read
            self.generation_config.pad_token_id = self.generation_config.eos_token_id

    def parts(self) -> dict[str, list[nn.Module]]:
        """As of every multi-stream model; a head that is tied belongs to the backbone, the gates to the integration."""
        found = super().parts()
        tied = {id(parameter) for module in found["backbone"] for parameter in module.parameters()}
        head = [module for module in found["head"] if not tied & {id(parameter) for parameter in module.parameters()}]
        found["head"] = head
        return {**found, "integration": [*found["integration"], *([self.feedback] if self.config.feedback else [])]}

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Cache | None = None,
        use_cache: bool | None = None,
        labels: Tensor | None = None,
        shift_labels: Tensor | None = None,
        logits_to_keep: int = 0,
        present: Mapping[str, Tensor] | None = None,
        report: bool = False,
        return_dict: bool = True,
        inputs_embeds: Tensor | None = None,
        past_key_values: Cache | None = None,
        **stream_inputs: Tensor,
    ) -> MultiStreamCausalOutput:
        """Predict the next tokens.

        Args:
            input_ids: ``[B, T]``, of S positions the last T; S > T only with a cache.
            attention_mask: ``[B, S]``, zero at padding, which must stand on the left where a cache is used.
            position_ids: ``[B, T]``; by default counted from the first token that is not padding.
            cache: a ``DynamicCache`` of the positions before; the streams' keys and values are in it too.
            labels: ``[B, T]``, shifted in here, as `transformers` does; -100 is ignored. `loss` is the mean over the
                others, and zero where there are none.
            shift_labels: ``[B, T]``, in place of `labels` the next token of each position itself.
            logits_to_keep: logits of the last so many positions only; 0 = all.
            present: stream -> bool ``[B]``.
            report: also return α and contributions of every site.
            inputs_embeds: ``[B, T, D]``, what the backbone reads in place of the embeddings of `input_ids`.
            past_key_values: the older name of `cache`.
            stream_inputs: what ``PrefixStreams.batch`` or ``GridStreams.batch`` (causal) make.

        Raises:
            ValueError: for a cache that cannot grow, or stream inputs that are missing.
        """
        missing = [n for n in self._expected_inputs() if n not in stream_inputs]
        if missing:
            raise ValueError(
                f"the streams need {', '.join(missing)}; make them with PrefixStreams.batch(input_ids, attention_mask),"
                " or load the model's streams with load_streams() and call generate()"
            )
        whole = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        cache = one_cache(cache, past_key_values)
        if use_cache and cache is None:
            cache = self._new_cache()
        if cache is not None and attention_mask is None:
            whole = whole.new_ones(len(whole), cache.get_seq_length() + whole.shape[1])
        if position_ids is None:
            position_ids = places_of(whole.bool())[:, -input_ids.shape[1] :]
        past = None if cache is None else StreamCache(cache, self.sites)
        # `transformers` builds no mask where nothing is padding, and attention is then faster.
        plain = attention_mask is None
        backbone_inputs = {
            "position_ids": position_ids, CACHE: cache, "use_cache": bool(use_cache),
            "logits_to_keep": logits_to_keep, **({"attention_mask": None} if plain else {}),
        }  # fmt: skip
        if inputs_embeds is not None:
            backbone_inputs |= {"input_ids": None, "inputs_embeds": inputs_embeds}
        output, sites = self.run(
            input_ids, whole, present, report, stream_inputs, past=past, backbone_inputs=backbone_inputs
        )
        logits, loss = output.logits, None
        if labels is not None:
            shift_labels = nn.functional.pad(labels[:, 1:], (0, 1), value=-100)
        if shift_labels is not None:
            loss = sum(sites.penalties, mean_entropy(logits.flatten(0, 1), shift_labels.flatten()))
        return MultiStreamCausalOutput(
            loss=loss, logits=logits, alphas=stack_sites(sites.alphas) if report else None,
            contributions=stack_sites(sites.contributions), projections=stack_sites(sites.projections),
            read=whole.bool()[:, -input_ids.shape[1] :] if report else None,
            last_hidden_state=sites.hidden, **{CACHE: cache if use_cache else None},
        )  # fmt: skip

    def load_streams(self, streams: PrefixStreams) -> Self:
        """Take what turns tokens into stream inputs, so that :meth:`generate` can; returns the model."""
        self.streams = streams
        return self

    def checkpoint_activations(self) -> None:
        """From now on compute the blocks anew in the backward pass, which saves memory and costs time."""
        # `transformers` renames the method within version 5.
        getattr(self, "activation_checkpointing_enable", self.gradient_checkpointing_enable)()

    def prepare_inputs_for_generation(self, input_ids: Tensor, **kwargs: Any) -> dict[str, Any]:
        """Called by `generate` before each step: the tokens not yet in the cache, and the streams of these tokens."""
        mask = kwargs.get("attention_mask")
        inputs = super().prepare_inputs_for_generation(  # pyright: ignore[reportAttributeAccessIssue]
            input_ids, **kwargs
        )
        if self._expected_inputs():
            if self.streams is None:
                raise ValueError(
                    "generation computes the streams of new tokens as they appear: give the model a PrefixStreams by "
                    "load_streams(), for example PrefixStreams.from_pretrained(folder)"
                )
            inputs |= self.streams.batch(input_ids, mask, last=inputs["input_ids"].shape[1])
        inputs.pop("position_ids", None)
        return inputs

    def _expected_inputs(self) -> list[str]:
        names = []
        for label, stream in self.secondary.configs.items():
            if stream.kind not in ("duplicate", VISION):
                fields = ("pieces", "index") if stream.alignment == "word" else ("sequence", "owner")
                names += [f"{label}_{field}" for field in fields]
        return names

    def _new_cache(self) -> Cache:
        return DynamicCache(config=self.config.get_text_config())

    def _attach(self, norms: Sequence[nn.Module]) -> None:
        blocks = decoder_layers(self.backbone)
        for site, block in enumerate(blocks):
            blocks[site] = Depth(block, partial(self._after_block, site))

    def _after_block(self, site: int, total: Tensor) -> Tensor:
        """What the next block reads, given the output of block `site` ``[B, T, D]``."""
        current = self._pass
        if current is None or site < self._joined.start:
            return total
        # Read here and not before: only within its layer is it whole (FSDP).
        bias = last_bias(cast(Any, decoder_layers(self.backbone)[site]).block)
        state = self._integrate(site, total, bias, current)
        if site == self.sites - 1:
            return biased(state, bias)
        if self.config.feedback:
            return torch.addcmul(total, state.to(total.dtype), self.feedback["gate"][site].to(total.dtype))
        return total


class MultiStreamGPT2Config(MultiStreamCausalConfig):
    """Of :class:`MultiStreamGPT2LMHeadModel`."""

    model_type = "multi_stream_gpt2"

    def __init__(self, **kwargs) -> None:  # without one, `transformers` would write its own
        super().__init__(**kwargs)


class MultiStreamGPT2LMHeadModel(MultiStreamCausalLM):
    """:class:`MultiStreamCausalLM` around `transformers`' GPT-2."""

    config_class = MultiStreamGPT2Config


AutoConfig.register(MultiStreamGPT2Config.model_type, MultiStreamGPT2Config, exist_ok=True)
AutoModelForCausalLM.register(MultiStreamGPT2Config, MultiStreamGPT2LMHeadModel, exist_ok=True)
