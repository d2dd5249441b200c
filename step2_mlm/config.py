"""Typed config of step 2, its presets, and the variants that stand as rows in the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from common.data.language import CorpusConfig
from common.data.language.masking import MaskConfig
from common.integration import IntegrationConfig
from common.models.gpt2_size import SCRATCH
from common.streams.config import StreamConfig
from common.training.config import TrainConfig
from common.variants import refuse_equal_names, refuse_wrong_name

PHONETIC = StreamConfig(kind="phonetic")
MORPHOLOGICAL = StreamConfig(kind="morphological")


@dataclass(frozen=True)
class ScratchConfig:
    """Size of a BERT that starts from random weights."""

    width: int = 256
    """Channels."""
    layers: int = 4
    """Layers."""
    heads: int = 4
    """Attention heads."""

    def __post_init__(self) -> None:
        if min(self.width, self.layers, self.heads) < 1 or self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}, and all at least 1")


@dataclass(frozen=True)
class MaskedLMConfig:
    """One run of step 2. Everything that can change a result is in here, and its hash names the run's folder."""

    name: str = ""
    """Name of the row in tables and figures; empty takes that of the rule."""
    backbone: str = SCRATCH
    """``scratch``, or pretrained: hub name, local folder, ``minilm`` (packaged) or a tiny random one."""
    scratch: ScratchConfig = field(default_factory=ScratchConfig)
    """Size of the backbone ``scratch``."""
    streams: tuple[StreamConfig, ...] = (PHONETIC, MORPHOLOGICAL)
    """Secondary streams, in order."""
    integration: IntegrationConfig = field(default_factory=IntegrationConfig)
    """How the streams are combined."""
    data: CorpusConfig = field(default_factory=CorpusConfig)
    """Which text; its tokenizer is that of a pretrained backbone, else WordPiece trained on the text."""
    mask: MaskConfig = field(default_factory=MaskConfig)
    """What is masked, in training and in evaluation."""
    train: TrainConfig = field(default_factory=lambda: TrainConfig(select_metric="loss", select_mode="min"))
    """Optimisation; `max_length` is the length of a window, special tokens included."""
    train_tokens: int = 0
    """Tokens of the training split that are used, from its beginning; 0 = all."""
    eval_tokens: int = 0
    """Tokens of the validation and of the test split that are used, from their beginning; 0 = all."""
    mask_seed: int = 0
    """Seed of the masks of validation and test: the same for all runs that are compared."""
    dropout: float | None = None
    """Dropout of the backbone; None keeps its own."""

    def __post_init__(self) -> None:
        refuse_equal_names(self.streams)
        refuse_wrong_name(self.name, self.integration)
        if min(self.train_tokens, self.eval_tokens, self.mask_seed) < 0:
            raise ValueError("train_tokens, eval_tokens and mask_seed must not be negative")
        if self.train.max_length < 8:
            raise ValueError(f"a window of {self.train.max_length} tokens is too short; train.max_length is at least 8")

    def named(self) -> MaskedLMConfig:
        """This config, called after its rule if it has no name yet."""
        return self if self.name else replace(self, name=self.integration.rule)

    @property
    def corpus(self) -> CorpusConfig:
        """The text, cut by the tokenizer of the backbone."""
        return replace(self.data, tokenizer="wordpiece" if self.backbone == SCRATCH else self.backbone)


def quick() -> MaskedLMConfig:
    """Documentation strings of this Python, a small BERT from scratch: minutes on a laptop."""
    return MaskedLMConfig(
        scratch=ScratchConfig(width=128, layers=3),
        data=CorpusConfig(vocab_size=4096),
        streams=(replace(PHONETIC, width=64, layers=2), replace(MORPHOLOGICAL, width=64, layers=2)),
        train=_train(epochs=4, batch_size=32, max_length=64, lr=1e-3),
        eval_tokens=32_768,
    )


def small() -> MaskedLMConfig:
    """Running text from a folder with the packaged MiniLM, for a laptop without a GPU."""
    return MaskedLMConfig(
        backbone="minilm",
        data=CorpusConfig(name="folder"),
        train=_train(epochs=1, batch_size=16, max_length=128, lr=2e-4, evaluations=1),
        train_tokens=400_000,
        eval_tokens=65_536,
    )


def paper() -> MaskedLMConfig:
    """WikiText-103 with bert-base-uncased, for a GPU."""
    return MaskedLMConfig(
        backbone="bert-base-uncased",
        data=CorpusConfig(name="wikitext-103-raw"),
        train=_train(epochs=1, batch_size=64, max_length=256, lr=5e-5),
        eval_tokens=0,
    )


def _train(epochs: int, batch_size: int, max_length: int, lr: float, evaluations: int = 2) -> TrainConfig:
    return TrainConfig(
        epochs=epochs, batch_size=batch_size, max_length=max_length, lr_backbone=lr, lr_streams=1e-3, lr_head=1e-3,
        bucket=False, evaluations_per_epoch=evaluations, select_metric="loss", select_mode="min", precision="auto",
    )  # fmt: skip


PRESETS: dict[str, Callable[[], MaskedLMConfig]] = {"quick": quick, "small": small, "paper": paper}
