"""Typed config of step 1, its presets, and the variants that stand as rows in the tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Callable, Literal

from common.data.text import DataConfig
from common.integration import IntegrationConfig
from common.streams.config import StreamConfig
from common.training.config import TrainConfig
from common.variants import STUDIED, UNTOLD, plain_rule, refuse_equal_names, refuse_wrong_name, row

PHONETIC = StreamConfig(kind="phonetic")
MORPHOLOGICAL = StreamConfig(kind="morphological")


@dataclass(frozen=True)
class SentimentConfig:
    """One run of step 1. Everything that can change a result is in here, and its hash names the run's folder."""

    name: str = ""
    """Name of the row in tables and figures; empty takes that of the rule."""
    backbone: str = "minilm"
    """Hub name, local folder, ``minilm`` (packaged) or a tiny random one such as ``tiny-bert``."""
    use_meaning: bool = True
    """Whether the backbone's own subword stream is integrated."""
    streams: tuple[StreamConfig, ...] = (PHONETIC, MORPHOLOGICAL)
    """Secondary streams, in order."""
    integration: IntegrationConfig = field(default_factory=IntegrationConfig)
    """How the streams are combined."""
    data: DataConfig = field(default_factory=DataConfig)
    """Which texts and labels."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """Optimisation."""
    pooling: Literal["mean", "first"] = "mean"
    """What the head reads: the mean over the text's tokens, so that every token's integrated state reaches the label,
    or the first token alone."""
    dropout: float | None = None
    """Dropout of the backbone; None keeps its own."""
    importance: bool = True
    """After training, leave out every stream on the validation split; on a model trained with stream dropout, also
    evaluate every subset of streams (Shapley values)."""

    def __post_init__(self) -> None:
        if not self.use_meaning and not self.streams:
            raise ValueError("a run needs the meaning stream or at least one secondary stream")
        refuse_equal_names(self.streams)
        refuse_wrong_name(self.name, self.integration)

    def named(self) -> SentimentConfig:
        """This config, called after its rule if it has no name yet."""
        return self if self.name else replace(self, name=self.integration.rule)


def quick() -> SentimentConfig:
    """Generated texts with planted cues, packaged MiniLM: under a minute on a laptop."""
    return SentimentConfig(
        data=DataConfig(name="planted", planted_sizes=(1120, 240, 240)),
        train=TrainConfig(
            epochs=2,
            batch_size=32,
            lr_backbone=1e-4,
            lr_streams=1e-3,
            lr_head=1e-3,
            max_length=64,
            precision="auto",
        ),  # fmt: skip
        dropout=0.0,
    )


def small() -> SentimentConfig:
    """SST-5 with the packaged MiniLM, for a laptop without a GPU."""
    return SentimentConfig(
        data=DataConfig(name="sst5"),
        train=TrainConfig(epochs=2, batch_size=32, lr_backbone=1e-4, lr_streams=5e-4, lr_head=1e-3, max_length=80),
    )


def paper() -> SentimentConfig:
    """SST-5 with bert-base-uncased, for a GPU."""
    return SentimentConfig(
        backbone="bert-base-uncased",
        data=DataConfig(name="sst5"),
        train=TrainConfig(epochs=4, batch_size=32, lr_backbone=2e-5, lr_streams=5e-4, lr_head=2e-4, max_length=128),
    )


PRESETS: dict[str, Callable[[], SentimentConfig]] = {"quick": quick, "small": small, "paper": paper}


def variant(base: SentimentConfig, name: str) -> SentimentConfig:
    """The config of one row, see :func:`common.variants.row`. The streams' importance is measured for the rules that
    the study is about, on all streams as they are.
    """
    explained = plain_rule(name) in STUDIED and not any(mark in name for mark in ("[", *UNTOLD))
    return replace(row(base, name), importance=base.importance and explained)
