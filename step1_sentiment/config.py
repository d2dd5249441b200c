"""Typed config of step 1, its presets, and the variants that stand as rows in the tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Callable

from common.data.text import DataConfig
from common.integration import IntegrationConfig
from common.streams.config import StreamConfig
from common.training.config import TrainConfig

PHONETIC = StreamConfig(kind="phonetic")
MORPHOLOGICAL = StreamConfig(kind="morphological")


@dataclass(frozen=True)
class SentimentConfig:
    """One run of step 1. Everything that can change a result is in here, and its hash names the run's folder."""

    name: str = "dm"
    """Name of the row in tables and figures."""
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
    dropout: float | None = None
    """Dropout of the backbone; None keeps its own."""
    importance: bool = True
    """After training, leave out every stream and evaluate every subset of streams on the validation split."""

    def __post_init__(self) -> None:
        if not self.use_meaning and not self.streams:
            raise ValueError("a run needs the meaning stream or at least one secondary stream")
        labels = [stream.label for stream in self.streams]
        if len(set(labels)) != len(labels):
            raise ValueError(f"streams need different names, got {labels}; set `name` on one of them")

    @property
    def stream_names(self) -> tuple[str, ...]:
        """All integrated streams, the reference first."""
        return (("meaning",) if self.use_meaning else ()) + tuple(stream.label for stream in self.streams)


def quick() -> SentimentConfig:
    """Generated texts with planted cues, packaged MiniLM: under a minute on a laptop."""
    return SentimentConfig(
        data=DataConfig(name="planted", planted_sizes=(1400, 300, 300)),
        train=TrainConfig(epochs=2, batch_size=32, lr_backbone=1e-4, lr_streams=1e-3, lr_head=1e-3, max_length=64),
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

RULES = (
    "dm", "dm_linear", "li", "li_soma", "attention", "gated", "multiplicative", "hierarchical",
    "mean", "concat", "scalar_mix", "cross_attention", "gmu", "mag", "film", "flamingo", "hyper_connections",
)  # fmt: skip
"""Rules that join three streams; each is a variant under its own name."""

STUDIED = ("dm", "dm_linear", "li", "li_soma")
"""The rules the study is about; their streams' importance is measured after training."""

CONTROLS = ("meaning", "duplicate", "shuffled", "noise")
"""Variants that carry no information beyond the subwords."""


def variant(base: SentimentConfig, name: str) -> SentimentConfig:
    """The config of one row: a rule, a control, or a rule on a subset of streams such as ``dm[meaning+phonetic]``.

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    base = replace(base, name=name, importance=base.importance and name in STUDIED)
    rule, _, subset = name.partition("[")
    if subset:
        return _on_subset(replace(base, integration=replace(base.integration, rule=rule)), subset.removesuffix("]"))
    if name == "meaning":
        return replace(base, streams=(), integration=IntegrationConfig(rule="reference"))
    if name == "duplicate":
        return replace(base, streams=tuple(_duplicate(stream) for stream in base.streams))
    if name in ("shuffled", "noise"):
        return replace(base, streams=tuple(replace(stream, control=name) for stream in base.streams))
    if name in RULES:
        return replace(base, integration=replace(base.integration, rule=name))
    known = ", ".join((*CONTROLS, *RULES))
    raise ValueError(f"unknown variant {name!r}; known: {known}, or a rule on a subset such as dm[meaning+phonetic]")


DUPLICATE_HIDDEN = {"phonetic": 184, "morphological": 1160}
"""Inner width that gives a duplicate the parameters of the stream it replaces (with some 4,000 morphs, as on SST-5)."""


def _duplicate(stream: StreamConfig) -> StreamConfig:
    hidden = DUPLICATE_HIDDEN.get(stream.kind, 0)
    return replace(stream, kind="duplicate", name=f"duplicate_of_{stream.label}", hidden=hidden)


def _on_subset(base: SentimentConfig, subset: str) -> SentimentConfig:
    wanted = subset.split("+")
    by_label = {stream.label: stream for stream in base.streams}
    unknown = [label for label in wanted if label != "meaning" and label not in by_label]
    if unknown or base.integration.rule not in RULES:
        raise ValueError(f"{base.name!r}: streams are meaning, {', '.join(by_label)}; rules are {', '.join(RULES)}")
    streams = tuple(by_label[label] for label in wanted if label != "meaning")
    return replace(base, use_meaning="meaning" in wanted, streams=streams)
