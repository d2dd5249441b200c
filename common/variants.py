"""The rows of every step's tables: rules, controls, stream dropout, subsets of streams."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from common.integration import IntegrationConfig, rules
from common.streams.config import StreamConfig

RULES = (
    "dm", "dm_linear", "li", "li_soma", "attention", "gated", "multiplicative", "hierarchical",
    "mean", "concat", "scalar_mix", "cross_attention", "gmu", "mag", "film", "flamingo", "hyper_connections",
)  # fmt: skip
"""Rules that join several streams; each is a variant under its own name."""

STUDIED = ("dm", "dm_linear", "li", "li_soma")
"""The rules the study is about."""

CONTROLS = ("meaning", "duplicate", "shuffled", "noise")
"""Variants that carry no information beyond the subwords: DM on streams that tell nothing new, and no streams."""

DROPOUT = "_dropout"
"""Ending of the variants that are trained with stream dropout."""

EQUAL = "_equal"
"""Ending of the variants that start with equal weights of all streams, and not as the plain backbone."""

NUDGED = "_nudged"
"""Ending of the variants that start near the plain backbone: its α, and noise on all of them."""

UNTOLD = {f"_{control}": control for control in CONTROLS[1:]}
"""Ending of the variants of any rule on streams that tell nothing new -> the control that stands for DM on them."""

FROZEN = {"_transfer": "transfer", "_frozen_random": "random", "_frozen_equal": "equal"}
"""Ending of the variants whose mixing weights are taken from a run in another domain -> arm of ``TransferConfig``."""

STREAM_DROPOUT = 0.2
"""Probability of the variants with stream dropout that a sample loses a stream."""

NUDGE = 0.1
"""Standard deviation of the noise on the initial α of the nudged variants."""

MORE_ROWS = (
    "a rule trained with stream dropout (dm_dropout), from equal weights (li_equal) or from near the plain backbone "
    "(dm_nudged), or on streams that tell nothing new (dm_linear_shuffled, li_duplicate); and a rule on a subset of "
    "streams"
)
"""What :func:`row` knows beside :data:`CONTROLS` and :data:`RULES`, for the help of the steps."""

Config = TypeVar("Config")


def plain_rule(name: str) -> str:
    """What is left of a row's name without its streams and the endings of how it is trained."""
    rule = name.partition("[")[0]
    ending = next((ending for ending in (DROPOUT, EQUAL, NUDGED, *UNTOLD) if rule.endswith(ending)), "")
    return plain_rule(rule.removesuffix(ending)) if ending else rule


def refuse_wrong_name(name: str, integration: IntegrationConfig, bare: str = "", ending: str = "") -> None:
    """Raise ValueError for a row that is called after another rule than its own.

    Args:
        bare: `name` without the endings that a step alone knows; empty where it knows none.
        ending: what variants of that step have behind their rule.
    """
    claimed = plain_rule(bare or name)
    if claimed in rules() and claimed != integration.rule:
        raise ValueError(
            f"the row is called {name!r}, but its rule is {integration.rule!r}; choose the rule by "
            f"--variant {integration.rule}{ending}, or give the row another --name"
        )


def refuse_equal_names(streams: tuple[StreamConfig, ...]) -> None:
    """Raise ValueError where two streams have one name."""
    labels = [stream.label for stream in streams]
    if len(set(labels)) != len(labels):
        raise ValueError(f"streams need different names, got {labels}; set `name` on one of them")


def row(base: Config, name: str, instead: tuple[str, ...] = ()) -> Config:
    """The config of one row: a rule, a control, a rule with stream dropout (``dm_dropout``), with an equal start
    (``dm_equal``) or one near the plain backbone (``dm_nudged``), on the streams of a control (``li_shuffled``), with
    frozen mixing weights (``dm_transfer``), or on a subset of streams (``dm[meaning+phonetic]``).

    Args:
        base: a step's config, with the fields ``name``, ``streams``, ``integration``, and ``use_meaning`` where the
            meaning stream can be left out.
        instead: the controls of a step whose streams have none of :data:`CONTROLS`, which are refused then.

    Raises:
        ValueError: an unknown name (the message lists the known ones), or two controls in one.
    """
    config: Any = replace(base, name="")  # pyright: ignore[reportArgumentType, reportCallIssue]
    rule, _, subset = name.partition("[")
    endings = rule.removeprefix(plain_rule(rule))
    controls = [control for ending, control in UNTOLD.items() if ending in endings]
    if instead and (name in CONTROLS or controls):
        raise ValueError(f"{name!r} is no row of this step, whose controls are {', '.join(instead)}")
    if name == "meaning":
        return replace(config, name=name, streams=(), integration=IntegrationConfig(rule="reference"))
    if name in CONTROLS:
        return replace(config, name=name, streams=_untold(config.streams, name))
    frozen = next((ending for ending in FROZEN if rule.endswith(ending)), "")
    if frozen:
        inner = row(config, rule.removesuffix(frozen) + name.removeprefix(rule), instead)
        return _with_frozen_weights(replace(inner, name=name), FROZEN[frozen])
    if plain_rule(rule) not in {*rules()} - {"reference"}:
        known = ", ".join((*(instead or CONTROLS), *RULES))
        untold = "" if instead else f"on streams that tell nothing new such as {', '.join(f'li{e}' for e in UNTOLD)}, "
        example = "+".join(("meaning", *(stream.label for stream in config.streams[:1])))
        raise ValueError(
            f"unknown variant {name!r}; known: {known}, a rule with stream dropout such as dm{DROPOUT}, with an equal "
            f"start such as dm{EQUAL} or one near the plain backbone such as dm{NUDGED}, {untold}or on a subset of "
            f"streams such as dm[{example}]"
        )
    integration = replace(config.integration, rule=plain_rule(rule))
    if DROPOUT in endings:
        integration = replace(integration, stream_dropout=STREAM_DROPOUT)
    if EQUAL in endings:
        integration = replace(integration, init="equal")
    if NUDGED in endings:
        integration = replace(integration, alpha_noise=NUDGE)
    if len(controls) > 1:
        raise ValueError(f"{name!r}: the streams of one control at a time, not of {' and '.join(controls)}")
    config = replace(config, integration=integration)
    if subset:
        config = _on_subset(config, subset.removesuffix("]"))
    if controls:
        config = replace(config, streams=_untold(config.streams, controls[0]))
    return replace(config, name=name)


def _untold(streams: tuple[StreamConfig, ...], control: str) -> tuple[StreamConfig, ...]:
    if control != "duplicate":
        return tuple(replace(stream, control=control) for stream in streams)
    return tuple(replace(s, kind="duplicate", of=s.kind, name=f"duplicate_of_{s.label}") for s in streams)


def _with_frozen_weights(config: Any, arm: str) -> Any:
    if not hasattr(config, "transfer"):
        raise ValueError(f"{config.name!r}: this step takes no mixing weights from another; steps 3 and 4 do")
    integration = replace(config.integration, train_alpha=False)
    return replace(config, integration=integration, transfer=replace(config.transfer, arm=arm))


def _on_subset(config: Any, subset: str) -> Any:
    wanted = subset.split("+")
    by_label = {stream.label: stream for stream in config.streams}
    unknown = [label for label in wanted if label != "meaning" and label not in by_label]
    if unknown:
        raise ValueError(f"unknown streams {unknown}; streams are meaning, {', '.join(by_label)}")
    streams = tuple(by_label[label] for label in wanted if label != "meaning")
    if "meaning" in wanted:
        return replace(config, streams=streams)
    if not hasattr(config, "use_meaning"):
        raise ValueError(f"a language model predicts the meaning stream's tokens and needs it: [meaning+{subset}]")
    return replace(config, use_meaning=False, streams=streams)
