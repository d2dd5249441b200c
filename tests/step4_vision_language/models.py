"""Small vision-language models with random weights, of real classes."""

from __future__ import annotations

from dataclasses import asdict

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Qwen2Config, Qwen2ForCausalLM

from common.integration import DM, LI, IntegrationConfig
from common.integration.mixing_weights import MixingWeights
from common.streams.config import StreamConfig
from common.vision.config import VisionConfig
from common.vision.encoder import build_encoder
from step4_vision_language.fusion_config import FusionConfig
from step4_vision_language.model import VisionLanguageConfig, VisionLanguageModel

VOCABULARY, IMAGE, EOS = 60, 59, 58
REFERENCE = IntegrationConfig(rule="reference")

CASES: dict[str, tuple[str, IntegrationConfig, str]] = {
    # name: fusion, rule, alignment of the vision stream
    "none": ("none", REFERENCE, ""),
    "dm": ("streams", DM(), "attention"),
    "dm_token": ("streams", DM(granularity="token", constraint="softmax"), "attention"),
    "dm_output": ("streams", DM(recurrent=False), "pooled"),
    "li": ("streams", LI(), "attention"),
    "concat": ("streams", IntegrationConfig(rule="concat"), "pooled"),
    **{
        name: (name, REFERENCE, "")
        for name in ("prefix_mlp", "prefix_transformer", "projector", "projector_patches", "qformer", "cross_attention")
    },
}
READING = [name for name in CASES if name != "none"]
SEEDED = ("dm", "dm_output", "li", "concat", "cross_attention")
"""Those that start as the language model alone, also with a picture."""


def language_model(family: str = "gpt2"):
    torch.manual_seed(0)
    if family == "qwen2":
        made = Qwen2Config(
            vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=True, bos_token_id=None,
            eos_token_id=EOS, pad_token_id=0,
        )  # fmt: skip
        return Qwen2ForCausalLM(made).eval()
    made = GPT2Config(
        vocab_size=VOCABULARY, n_embd=32, n_layer=3, n_head=2, n_positions=256, bos_token_id=EOS, eos_token_id=EOS,
        pad_token_id=0,
    )  # fmt: skip
    return GPT2LMHeadModel(made).eval()


def build(case: str, family: str = "gpt2", trained: bool = False, feedback: bool = False) -> VisionLanguageModel:
    """`trained` gives everything that starts at zero a value, so that the picture has a say."""
    fusion, rule, alignment = CASES[case]
    backbone = language_model(family)
    streams = [StreamConfig(kind="vision", alignment=alignment or "pooled", width=16, layers=2, heads=2, dropout=0.0)]
    torch.manual_seed(1)
    encoder = build_encoder(VisionConfig(image_size=64))
    config = VisionLanguageConfig(
        fusion=asdict(FusionConfig(name=fusion, tokens=3, width=16, layers=1, heads=2)), image_token_id=IMAGE,
        vision=asdict(encoder.config), vision_architecture=encoder.architecture(), feedback=feedback,
        backbone=backbone.config.to_dict(), integration=asdict(rule),
        streams=[asdict(stream) for stream in streams] if fusion == "streams" else [],
    )  # fmt: skip
    model = VisionLanguageModel(config, backbone, encoder).eval()
    if trained:
        generator = torch.Generator().manual_seed(1)
        mixing = {id(p) for m in model.modules() if isinstance(m, MixingWeights) for p in m.parameters()}
        for name, parameter in model.named_parameters():
            if not name.startswith("vision."):
                spread = 0.5 if id(parameter) in mixing else 0.1
                parameter.data += spread * torch.randn(parameter.shape, generator=generator)
    return model


def text_of(model: VisionLanguageModel, *pieces: list[int] | str) -> torch.Tensor:
    """``[T]``; the piece "image" stands for a picture."""
    each = model.fusion.tokens
    return torch.tensor([token for piece in pieces for token in ([IMAGE] * each if piece == "image" else piece)])


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    """``[count, 3, 64, 64]``"""
    return torch.randn(count, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
