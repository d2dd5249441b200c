"""Typed config of step 3, its presets, and the variants that stand as rows in the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from common.data.language import CorpusConfig
from common.integration import IntegrationConfig, rules
from common.later import later
from common.models.gpt2_size import SCRATCH, SMALL, TINY, SizeConfig
from common.streams.config import StreamConfig
from common.training.config import LanguageTrainConfig
from common.transfer.config import TransferConfig
from common.variants import CONTROLS, STUDIED, plain_rule, refuse_equal_names, refuse_wrong_name, row

MATCHED = {"meaning_params": "parameters", "meaning_flops": "flops"}
"""Baselines without streams, as large or as costly as a model with them."""
OPTIONS = ("a", "b")

PHONETIC = StreamConfig(kind="phonetic", width=64, layers=2, dropout=0.0, max_pieces=16)
MORPHOLOGICAL = StreamConfig(kind="morphological", width=64, layers=2, dropout=0.0, max_pieces=16)


@dataclass(frozen=True)
class GPTConfig:
    """One run of step 3. Everything that can change a result is in here, and its hash names the run's folder."""

    name: str = ""
    """Name of the row in tables and figures; empty takes rule and option."""
    backbone: str = SCRATCH
    """``scratch``, or a GPT-2 with weights: hub name or local folder."""
    size: SizeConfig = field(default_factory=SizeConfig)
    """Size of the backbone ``scratch``."""
    match: Literal["none", "parameters", "flops"] = "none"
    """Leave the streams out and widen ``scratch`` until it has the parameters, or the FLOPs per token, of this very
    config with its streams."""
    streams: tuple[StreamConfig, ...] = (PHONETIC, MORPHOLOGICAL)
    """Secondary streams, in order."""
    integration: IntegrationConfig = field(default_factory=IntegrationConfig)
    """How the streams are combined."""
    option: Literal["a", "b"] = "b"
    """a: the streams join once, at the output. b: in every layer, and the state goes back into the reference stream."""
    data: CorpusConfig = field(default_factory=CorpusConfig)
    """The text that is trained on; its tokenizer is that of a backbone with weights, else byte-level BPE."""
    also: str = ""
    """Name of a further corpus whose test split is scored, such as wikitext-2; empty for none."""
    also_path: str = ""
    """Local folder of that corpus; empty takes the hub (or its cache)."""
    train: LanguageTrainConfig = field(
        default_factory=lambda: LanguageTrainConfig(select_metric="loss", select_mode="min")
    )
    """Optimisation; `max_length` is the context in tokens."""
    train_tokens: int = 0
    """Tokens of the training split that are used, from its beginning; 0 = all."""
    eval_tokens: int = 0
    """Tokens that are scored of every other split, from its beginning; 0 = all."""
    stride: int = 0
    """Tokens by which the evaluation's windows advance; each scores its last so many. 0 = half the context."""
    dropout: float = 0.0
    """Dropout of the backbone."""
    transfer: TransferConfig = later(TransferConfig())
    """Mixing weights that are not learnt, but taken from a run in another domain."""

    def __post_init__(self) -> None:
        refuse_equal_names(self.streams)
        if self.also in ("train", "validation", "test") or (self.also_path and not self.also):
            raise ValueError("also names a corpus, such as wikitext-2, and also_path its folder")
        if self.option not in OPTIONS:
            raise ValueError(f"option must be a (at the output) or b (in every layer), got {self.option!r}")
        inner, option = _without_option(self.name)
        refuse_wrong_name(self.name, self.integration, inner, f"_{self.option}")
        if option not in ("", self.option) and plain_rule(inner) in (*CONTROLS, *rules()):
            raise ValueError(
                f"the row is called {self.name!r}, but its option is {self.option!r}; choose the option by --variant "
                f"{inner}_{self.option}, or give the row another --name"
            )
        if min(self.train_tokens, self.eval_tokens, self.stride) < 0:
            raise ValueError("train_tokens, eval_tokens and stride must not be negative")
        if self.train.max_length < 8 or self.stride > self.train.max_length:
            raise ValueError(
                f"the context train.max_length is at least 8 tokens and no shorter than the stride, got "
                f"{self.train.max_length} and {self.stride}"
            )
        if self.match != "none" and (self.backbone != SCRATCH or not self.streams):
            raise ValueError("match widens a backbone from scratch to the size that it has with its streams")

    def named(self) -> GPTConfig:
        """This config, called after its rule and option if it has no name yet, with the weights it takes over."""
        name = self.name or f"{self.integration.rule}_{self.option}"
        return replace(self, name=name, transfer=self.transfer.resolved(self.rule))

    @property
    def corpus(self) -> CorpusConfig:
        """The text, cut by the tokenizer of the backbone."""
        return self.data if self.backbone == SCRATCH else replace(self.data, tokenizer=self.backbone)

    @property
    def others(self) -> tuple[CorpusConfig, ...]:
        """Texts beside the main one, of which the test split is scored."""
        return (CorpusConfig(name=self.also, path=self.also_path),) if self.also else ()

    @property
    def texts(self) -> tuple[CorpusConfig, ...]:
        """All texts of the run, the main one first."""
        return (self.corpus, *self.others)

    @property
    def advance(self) -> int:
        """The stride in tokens."""
        return self.stride or max(1, self.train.max_length // 2)

    @property
    def used(self) -> tuple[StreamConfig, ...]:
        """Streams of the model that is trained."""
        return self.streams if self.match == "none" else ()

    @property
    def rule(self) -> IntegrationConfig:
        """The rule as the option asks for it."""
        if self.match != "none":
            return IntegrationConfig(rule="reference")
        if self.option == "a" and "recurrent" in rules()[self.integration.rule].options:
            return replace(self.integration, recurrent=False)
        return self.integration

    @property
    def feedback(self) -> bool:
        """Whether the state goes back into the reference stream."""
        return self.option == "b" and self.rule.rule != "reference"


def quick() -> GPTConfig:
    """Documentation strings of this Python and a tiny GPT-2: minutes on a laptop."""
    return GPTConfig(
        size=TINY, data=CorpusConfig(vocab_size=4096), train=_train(epochs=2, batch_size=16, max_length=128, lr=2e-3),
        eval_tokens=32_768,
    )  # fmt: skip


def small() -> GPTConfig:
    """Running text from a folder, sized for eight minutes on a laptop without a GPU."""
    return GPTConfig(
        data=CorpusConfig(name="folder"), train=_train(epochs=1, batch_size=16, max_length=256, lr=2e-3),
        train_tokens=1_000_000, eval_tokens=65_536, also="wikitext-2",
    )  # fmt: skip


def paper() -> GPTConfig:
    """WikiText-103 and GPT-2 small from scratch, for a GPU."""
    wide = {"width": 128, "layers": 3}
    return GPTConfig(
        size=SMALL, streams=(replace(PHONETIC, **wide), replace(MORPHOLOGICAL, **wide)),
        data=CorpusConfig(name="wikitext-103-raw", tokenizer="gpt2"), dropout=0.1,
        train=_train(epochs=2, batch_size=16, max_length=1024, lr=6e-4, accumulate=4, compile=True),
    )  # fmt: skip


def _train(
    epochs: int, batch_size: int, max_length: int, lr: float, accumulate: int = 1, compile: bool = False
) -> LanguageTrainConfig:
    return LanguageTrainConfig(
        epochs=epochs, batch_size=batch_size, max_length=max_length, lr_backbone=lr, lr_streams=lr, lr_head=lr,
        accumulate=accumulate, compile=compile, weight_decay=0.1, bucket=False, select_metric="loss",
        select_mode="min", precision="auto",
    )  # fmt: skip


PRESETS: dict[str, Callable[[], GPTConfig]] = {"quick": quick, "small": small, "paper": paper}

VARIANTS = (
    "meaning", *MATCHED,
    *(f"{name}_{option}" for name in (*CONTROLS[1:], *STUDIED) for option in OPTIONS),
)  # fmt: skip
"""Names of rows, for the help; any other rule works too."""


def variant(base: GPTConfig, name: str) -> GPTConfig:
    """The config of one row: ``meaning``, a matched baseline, or a row of :func:`common.variants.row` with the option
    behind it (``dm_b``, ``shuffled_a``, ``dm_linear_shuffled_b``, ``li[meaning+phonetic]_b``).

    Raises:
        ValueError: an unknown name.
    """
    if name == "meaning":
        return replace(row(base, name), match="none")
    if name in MATCHED:
        return replace(row(base, "dm"), name=name, match=MATCHED[name], option="b")
    inner, option = _without_option(name)
    if not option:
        raise ValueError(
            f"unknown variant {name!r}; a row of step 3 ends in its option, such as dm_a (joined at the output) or "
            f"dm_b (in every layer); without one there are meaning, {', '.join(MATCHED)}"
        )
    return replace(row(base, inner), name=name, option=option)


def _without_option(name: str) -> tuple[str, str]:
    """``dm_b`` -> ``dm``, ``b``; the option is empty where the name ends in none."""
    inner, _, option = name.rpartition("_")
    return (inner, option) if option in OPTIONS else (name, "")
