"""How a number is written, by the name of its column."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from results.kinds import Kind
from results.render import MISSING, escaped, number, p_value, signed


def _million(digits: int) -> Callable[[Kind, float], str]:
    return lambda _kind, value: number(value / 1e6, digits)


def _fixed(digits: int, scale: float = 1.0) -> Callable[[Kind, float], str]:
    return lambda _kind, value: number(scale * value, digits)


def _gap(kind: Kind, value: float) -> str:
    return signed(kind.scale * value, kind.digits)


FORMATS: tuple[tuple[str, Callable[[Kind, float], str]], ...] = (
    (r"(.*_)?p(_holm|_bootstrap|_randomisation|_seeds)?", lambda _kind, value: p_value(value)),
    (r"(.*_)?seeds|test_examples|tokens", _fixed(0)),
    (r"(difference|today|told)(_low|_high)?", _gap),
    (r"otherwise(_shuffled)?", _fixed(1, 100.0)),
    (
        r"(accuracy|macro_f1|exact_match|bleu_4|rouge_l|cider_d|kind_.*|.*_recall_\d+)_(mean|std)|majority|"
        r"accuracy_(least|most)",
        _fixed(2, 100.0),
    ),
    (r"(other_)?word_perplexity_(mean|std)", _fixed(0)),
    (r"(other_)?bits_(mean|std)", _fixed(3)),
    (r"parameters_ratio", _fixed(3)),
    (r"parameters(_added)?", _million(2)),
    (r"flops_per_(token|text)", _million(1)),
    (r"step_time_ms|token_perplexity_(mean|std)", _fixed(1)),
    (r"domains|single|beats|tested|rules|iqm_domains|tasks", _fixed(0)),
    (r".*_(mean|std)|((task_)?rank|iqm|normalised)(_low|_high|_dm)?", _fixed(2)),
    (r"first", _fixed(1, 100.0)),
)
"""Pattern of a column -> how its numbers are written; the first that fits."""


def shown(kind: Kind, column: str, value: float) -> str:
    """A number as the text shows it; a dash where it is not known."""
    if math.isnan(value):
        return MISSING
    write = next((write for pattern, write in FORMATS if re.fullmatch(pattern, column)), None)
    return f"{value:.4g}" if write is None else write(kind, value)


def listed(names: Sequence[str]) -> str:
    """Names of rows, as words of a sentence."""
    return joined([rf"\texttt{{{escaped(name)}}}" for name in names])


def joined(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
