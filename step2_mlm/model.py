"""The model of step 2: a masked language model with integrated streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from transformers import BertConfig, BertForMaskedLM

from common.models.gpt2_size import SCRATCH
from common.models.masked_lm import MultiStreamForMaskedLM
from common.models.multi_stream_config import MultiStreamConfig
from step2_mlm.config import MaskedLMConfig


def build_model(config: MaskedLMConfig, tokenizer: Any, vocabularies: Mapping[str, int]) -> MultiStreamForMaskedLM:
    """Backbone, secondary streams and integration rule as `config` says."""
    if config.backbone != SCRATCH:
        return MultiStreamForMaskedLM.from_backbone(
            config.backbone, config.integration, config.streams, vocabularies, dropout=config.dropout
        )
    size, dropout = config.scratch, 0.0 if config.dropout is None else config.dropout
    backbone = BertForMaskedLM(
        BertConfig(
            vocab_size=len(tokenizer), hidden_size=size.width, num_hidden_layers=size.layers,
            num_attention_heads=size.heads, intermediate_size=4 * size.width, hidden_act="gelu_pytorch_tanh",
            max_position_embeddings=max(512, config.train.max_length), pad_token_id=tokenizer.pad_token_id,
            hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
        )
    )  # fmt: skip
    return MultiStreamForMaskedLM(
        MultiStreamConfig(
            backbone=backbone.config.to_dict(), integration=asdict(config.integration),
            streams=[asdict(stream) for stream in config.streams], vocabularies=vocabularies,
        ),
        backbone,
    )  # fmt: skip
