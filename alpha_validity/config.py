"""Typed config of an α-validity run, its presets, and the variants that stand as rows in the table.

A variant is a rule with endings: scaling (``scale_none``, ``scale_rms``), constraint (``softmax``, ``sigmoid``),
``equal`` start, ``free`` (no reference: every stream is projected), α's learning rate (``lr1``, ``lr20``; 5 otherwise),
``token`` or ``shared`` α, ``dropout`` of streams, ``frozen`` α (at an equal start), ``output`` (joined once).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from alpha_validity.settings import PLANTED, TENTHS
from common.integration.config import IntegrationConfig
from common.variants import STREAM_DROPOUT, refuse_wrong_name


@dataclass(frozen=True)
class VectorTrainConfig:
    """Optimisation of the small models."""

    seed: int = 0
    """Of the data, the weights and the order of the samples."""
    samples: int = 3000
    """Training samples."""
    steps: int = 400
    """Updates."""
    batch_size: int = 128
    lr: float = 3e-3
    """Learning rate of AdamW, falling to 0 as a cosine."""
    alpha_lr_multiplier: float = 5.0
    """The mixing weights α and γ learn at `lr` times this."""
    weight_decay: float = 0.01
    """Of matrices; mixing weights, biases and norms have none."""

    def __post_init__(self) -> None:
        if min(self.samples, self.steps, self.batch_size) < 1 or not self.lr > 0:
            raise ValueError("samples, steps, batch_size and lr must be positive")
        for name in ("seed", "alpha_lr_multiplier", "weight_decay"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")


@dataclass(frozen=True)
class ValidityRunConfig:
    """One run: a model on every planted setting. Everything that can change a result is in here."""

    name: str = ""
    """Name of the row in tables; empty takes the rule."""
    integration: IntegrationConfig = field(default_factory=IntegrationConfig)
    """How the streams are combined."""
    reference: bool = True
    """Whether stream a is as wide as the state and goes into it as it is, as the backbone's own stream does."""
    sites: int = 2
    """Depths at which the streams are combined."""
    width: int = 32
    """Channels of the integrated state."""
    narrow: int = 16
    """Channels of the other streams."""
    classes: int = 4
    """Labels."""
    noise: float = 1.0
    """Standard deviation of the noise around a symbol's code, in units of the code's."""
    tested: int = 2000
    """Samples on which the measures are taken."""
    settings: tuple[str, ...] = ()
    """Names of the planted settings; empty takes those on which rules are compared."""
    train: VectorTrainConfig = field(default_factory=VectorTrainConfig)
    """Optimisation."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.settings if name not in PLANTED]
        if unknown:
            raise ValueError(f"unknown settings {unknown}; known: {'; '.join(PLANTED)}")
        if len(set(self.settings)) < len(self.settings):
            raise ValueError(f"a planted setting stands twice in {', '.join(self.settings)}")
        if not 0.0 <= self.noise < math.inf:
            raise ValueError(f"noise is a standard deviation, 0 or more, got {self.noise}")
        if min(self.sites, self.width, self.narrow, self.tested) < 1 or self.classes < 2:
            raise ValueError("sites, width, narrow and tested must be at least 1, classes at least 2")
        refuse_wrong_name(self.name, self.integration, _parted(self.name)[0])

    def named(self) -> ValidityRunConfig:
        """This config, called after its rule if it has no name yet."""
        return self if self.name else replace(self, name=self.integration.rule)


def quick() -> ValidityRunConfig:
    """Four settings: seconds."""
    chosen = ("unique 25-75", "unique 60-30-10", "redundant ab 60, c 40", "synergistic ab 60, c 40")
    return ValidityRunConfig(settings=chosen)


def small() -> ValidityRunConfig:
    """The settings on which rules are compared."""
    return ValidityRunConfig()


def tenths() -> ValidityRunConfig:
    """One share from 0 to 100 % in steps of 10, for calibration curves; else as ``small``."""
    return ValidityRunConfig(settings=tuple(TENTHS))


def paper() -> ValidityRunConfig:
    """As ``small``, wider and longer."""
    return ValidityRunConfig(width=128, narrow=64, sites=6, train=VectorTrainConfig(samples=10_000, steps=3000))


PRESETS: dict[str, Callable[[], ValidityRunConfig]] = {
    "quick": quick, "small": small, "tenths": tenths, "paper": paper,
}  # fmt: skip

CHANGES: dict[str, dict[str, object]] = {
    "scale_none": {"scale": "none"}, "scale_rms": {"scale": "rms"},
    "softmax": {"constraint": "softmax"}, "sigmoid": {"constraint": "sigmoid"},
    "shared": {"scope": "shared"}, "token": {"granularity": "token"}, "equal": {"init": "equal"},
    "frozen": {"train_alpha": False, "init": "equal"}, "output": {"recurrent": False},
    "dropout": {"stream_dropout": STREAM_DROPOUT},
}  # fmt: skip
"""Ending of a variant -> fields of its rule's config; endings add up (``dm_equal_softmax``)."""
RATES = {"lr1": 1.0, "lr20": 20.0}
"""Ending of a variant -> learning rate of α as a multiple of that of the other weights."""
FREE = "free"
"""Ending of the variants without a reference: every stream is projected."""
ENDINGS = (*CHANGES, *RATES, FREE)

VARIANTS = (
    "dm", "dm_equal", "dm_free_equal", "dm_scale_none", "dm_scale_rms", "dm_softmax", "dm_sigmoid", "dm_lr1", "dm_lr20",
    "dm_shared", "dm_token", "dm_output", "dm_frozen", "dm_dropout", "dm_free_equal_dropout", "dm_linear", "gated",
    "attention", "multiplicative", "hierarchical", "scalar_mix", "li", "li_soma",
)  # fmt: skip
"""Names of rows, for the help."""


def variant(base: ValidityRunConfig, name: str) -> ValidityRunConfig:
    """The config of one row: a rule, and endings of :data:`CHANGES`, :data:`RATES` and :data:`FREE`.

    Raises:
        ValueError: an unknown name.
    """
    from common.integration import rules

    rule, endings = _parted(name)
    if not rule or rule == "reference":
        raise ValueError(
            f"unknown variant {name!r}; take a rule ({', '.join(sorted({*rules()} - {'reference'}))}), with endings of "
            f"{', '.join(ENDINGS)}, such as dm_equal_softmax"
        )
    options = {key: value for ending in endings for key, value in CHANGES.get(ending, {}).items()}
    train = base.train
    for ending in endings:
        train = replace(train, alpha_lr_multiplier=RATES.get(ending, train.alpha_lr_multiplier))
    integration = replace(IntegrationConfig(rule=rule), **options)  # pyright: ignore[reportArgumentType]
    return replace(
        base, name=name, integration=integration, reference=base.reference and FREE not in endings, train=train
    )


def _parted(name: str) -> tuple[str, list[str]]:
    """Rule and endings of a row; no rule where the name is not made of these."""
    from common.integration import rules

    rule = max((known for known in rules() if name == known or name.startswith(f"{known}_")), key=len, default="")
    endings: list[str] = []
    rest = name.removeprefix(rule).removeprefix("_")
    while rest:
        ending = next((one for one in ENDINGS if rest == one or rest.startswith(f"{one}_")), None)
        if ending is None:
            return "", []
        endings.append(ending)
        rest = rest.removeprefix(ending).removeprefix("_")
    return rule, endings
