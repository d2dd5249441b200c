"""Texts to batches: loads the corpus, fits the streams on its training split, encodes every text once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from common.data import load_text
from common.data.text import TextData
from common.models.backbones import load_tokenizer
from common.streams.processor import Encoded, StreamProcessor
from common.training.config import RuntimeConfig
from common.training.loader import BucketedLoader
from step1_sentiment.config import SentimentConfig


@dataclass(frozen=True)
class SentimentData:
    """What a run trains on. Items are (encoded text, label); each split has its loader."""

    text: TextData
    processor: StreamProcessor
    loaders: dict[str, BucketedLoader]


def build_data(config: SentimentConfig, runtime: RuntimeConfig) -> SentimentData:
    """Load, check, fit, encode. The streams' analysers see the training split's words only."""
    text = load_text(config.data)
    splits = text.splits
    processor = StreamProcessor.build(
        load_tokenizer(config.backbone),
        config.streams,
        train_texts=splits["train"].texts,
        other_texts=splits["validation"].texts + splits["test"].texts,
        max_length=config.train.max_length,
        cache_dir=Path(runtime.cache_dir).expanduser() / "lexicons",
        progress=runtime.progress,
    )

    def collate(items: list[tuple[Encoded, int]]) -> dict[str, Tensor]:
        return processor.collate([encoded for encoded, _ in items], [label for _, label in items])

    loaders = {}
    for name, split in splits.items():
        encoded = processor.encode_many(split.texts)
        cut = sum(item.cut for item in encoded)
        if name == "test" and cut:
            text = replace(text, source=f"{text.source}; {_said(cut, len(split), config.train.max_length)}")
        training = name == "train"
        loaders[name] = BucketedLoader(
            list(zip(encoded, split.labels, strict=True)),
            collate,
            batch_size=config.train.batch_size if training else 2 * config.train.batch_size,
            lengths=[len(item.input_ids) for item in encoded],
            shuffle=training,
            bucket=config.train.bucket,
            seed=config.train.seed,
            repeats=text.repeats if training else 1.0,
        )
    return SentimentData(text, processor, loaders)


def _said(cut: int, texts: int, length: int) -> str:
    return f"texts are read up to {length} tokens, {cut:,} of {texts:,} test texts have more"
