"""Typed config of step 1, its presets, and the variants that stand as rows in the tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Callable, Literal

from common.data.text import DataConfig
from common.integration import IntegrationConfig, rules
from common.streams.config import StreamConfig
from common.training.config import TrainConfig

PHONETIC = StreamConfig(kind="phonetic")
MORPHOLOGICAL = StreamConfig(kind="morphological")


DROPOUT = "_dropout"
"""Ending of the variants that are trained with stream dropout."""

STREAM_DROPOUT = 0.2
"""Their probability that a sample loses a stream."""


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
        labels = [stream.label for stream in self.streams]
        if len(set(labels)) != len(labels):
            raise ValueError(f"streams need different names, got {labels}; set `name` on one of them")
        claimed = self.name.partition("[")[0].removesuffix(DROPOUT)
        if claimed in rules() and claimed != self.integration.rule:
            raise ValueError(
                f"the row is called {self.name!r}, but its rule is {self.integration.rule!r}; choose the rule by "
                f"--variant {self.integration.rule}, or give the row another --name"
            )

    def named(self) -> SentimentConfig:
        """This config, called after its rule if it has no name yet."""
        return self if self.name else replace(self, name=self.integration.rule)

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
    """The config of one row: a rule, a control, a rule with stream dropout (``dm_dropout``), or a rule on a subset of
    streams (``dm[meaning+phonetic]``).

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    rule, _, subset = name.partition("[")
    base = replace(base, name="", importance=base.importance and rule.removesuffix(DROPOUT) in STUDIED and not subset)
    if name == "meaning":
        return replace(base, name=name, streams=(), integration=IntegrationConfig(rule="reference"))
    if name == "duplicate":
        return replace(base, name=name, streams=tuple(_duplicate(stream) for stream in base.streams))
    if name in ("shuffled", "noise"):
        return replace(base, name=name, streams=tuple(replace(stream, control=name) for stream in base.streams))
    if rule.removesuffix(DROPOUT) not in {*rules()} - {"reference"}:
        known = ", ".join((*CONTROLS, *RULES))
        raise ValueError(
            f"unknown variant {name!r}; known: {known}, a rule with stream dropout such as dm{DROPOUT}, or a rule on a "
            "subset of streams such as dm[meaning+phonetic]"
        )
    integration = replace(base.integration, rule=rule.removesuffix(DROPOUT))
    if rule.endswith(DROPOUT):
        integration = replace(integration, stream_dropout=STREAM_DROPOUT)
    base = replace(base, integration=integration)
    if subset:
        base = _on_subset(base, subset.removesuffix("]"))
    return replace(base, name=name)


def _duplicate(stream: StreamConfig) -> StreamConfig:
    return replace(stream, kind="duplicate", of=stream.kind, name=f"duplicate_of_{stream.label}")


def _on_subset(base: SentimentConfig, subset: str) -> SentimentConfig:
    wanted = subset.split("+")
    by_label = {stream.label: stream for stream in base.streams}
    unknown = [label for label in wanted if label != "meaning" and label not in by_label]
    if unknown:
        raise ValueError(f"unknown streams {unknown}; streams are meaning, {', '.join(by_label)}")
    streams = tuple(by_label[label] for label in wanted if label != "meaning")
    return replace(base, use_meaning="meaning" in wanted, streams=streams)
