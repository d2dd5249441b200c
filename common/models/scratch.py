"""A GPT-2 that starts from random weights."""

from __future__ import annotations

from typing import Any

from transformers import GPT2Config, GPT2LMHeadModel

from common.models.gpt2_size import SizeConfig


def random_gpt2(size: SizeConfig, tokenizer: Any, context: int, dropout: float) -> GPT2LMHeadModel:
    """A GPT-2 with random weights. Its GELU is the tanh approximation, as GPT-2's own, from torch's kernel.

    Args:
        tokenizer: with a length and an ``eos_token_id``.
        context: tokens that it can read.
    """
    end = tokenizer.eos_token_id
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer), n_embd=size.width, n_layer=size.layers, n_head=size.heads,
            n_inner=size.inner or 4 * size.width, n_positions=context, activation_function="gelu_pytorch_tanh",
            embd_pdrop=dropout, resid_pdrop=dropout, attn_pdrop=dropout, bos_token_id=end, eos_token_id=end,
        )
    )  # fmt: skip
