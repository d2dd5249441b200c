"""A small multi-stream GPT-2 with a byte-level tokenizer, for tests of what it may see."""

from __future__ import annotations

from dataclasses import asdict

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from common.data.language.prefixes import PrefixStreams
from common.data.language.tokenizers import train_tokenizer
from common.integration import DM, IntegrationConfig
from common.integration.mixing_weights import MixingWeights
from common.models.causal_lm import MultiStreamGPT2Config, MultiStreamGPT2LMHeadModel
from common.streams.analyser import analyser_class
from common.streams.config import StreamConfig
from tests.common.data.language.texts import TRAIN_TEXT, WORDS, config, units_of

SHAPE = {"width": 16, "layers": 2, "heads": 2, "dropout": 0.0}


def streams_of(alignment: str = "word") -> list[StreamConfig]:
    """Phonemes, morphemes, and the subwords once more."""
    kinds = ("phonetic", "morphological", "duplicate")
    return [StreamConfig(kind=kind, alignment=alignment, **SHAPE) for kind in kinds]


def tokenizer_in(folder):
    """A byte-level tokenizer of few entries, so that words are cut into pieces."""
    (folder / "train.txt").write_text(TRAIN_TEXT)
    return train_tokenizer(config(folder, vocab_size=300), units_of(folder))


def prefix_streams(tokenizer, streams) -> PrefixStreams:
    words = {word: 5 for word in WORDS}
    kinds = {stream.kind for stream in streams} - {"duplicate"}
    return PrefixStreams(tokenizer, streams, {kind: analyser_class(kind).fit(words) for kind in kinds})


def backbone_of(vocabulary: int) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary, n_embd=32, n_layer=3, n_head=2, n_positions=128, bos_token_id=0, eos_token_id=0,
            pad_token_id=0,
        )
    ).eval()  # fmt: skip


def build(
    readers: PrefixStreams, rule: IntegrationConfig | None = None, feedback: bool = False, trained: bool = False
) -> MultiStreamGPT2LMHeadModel:
    """`trained` gives everything that starts at zero a value, so that every stream has a say."""
    backbone = backbone_of(len(readers.tokenizer))
    vocabularies = {s.label: 300 for s in readers.streams if s.kind != "duplicate"}
    made = MultiStreamGPT2Config(
        feedback=feedback, backbone=backbone.config.to_dict(), integration=asdict(rule or DM()),
        streams=[asdict(stream) for stream in readers.streams], vocabularies=vocabularies,
    )  # fmt: skip
    model = MultiStreamGPT2LMHeadModel(made, backbone).eval().load_streams(readers)
    if trained:
        generator = torch.Generator().manual_seed(1)
        mixing = {id(p) for m in model.modules() if isinstance(m, MixingWeights) for p in m.parameters()}
        for parameter in model.parameters():
            spread = 0.5 if id(parameter) in mixing else 0.1
            parameter.data += spread * torch.randn(parameter.shape, generator=generator)
    return model
