"""Do the domains order the rules alike? Kendall's W over the domains that share them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.table6_universality.configs import RULES
from results.table6_universality.resampling import ranks
from results.table6_universality.rows import Judged

PERMUTATIONS = 10_000


@dataclass(frozen=True)
class Concordance:
    """Agreement of domains on the order of the rules that all of them have."""

    domains: tuple[str, ...]
    rules: tuple[str, ...]
    w: float
    """Kendall's W: 1 where all orders are equal, 0 where the mean ranks are; NaN where every rule ties."""
    p: float
    """Of so high a W, or a higher one, if each domain had its ranks in random order."""


def concordance(judged: Sequence[Judged]) -> Concordance | None:
    """Kendall's W over the largest block (rules times domains) in which no rule is missing.

    The block is chosen by what has records, never by scores. None without three rules in two domains.
    """
    by_domain = {one.domain.title: frozenset(one.ranks) for one in judged}
    shared: set[frozenset[str]] = set()
    for rules in by_domain.values():
        shared |= {rules, *(rules & other for other in shared)}
    blocks = [(rules, [title for title, own in by_domain.items() if rules <= own]) for rules in shared]
    blocks = [(rules, titles) for rules, titles in blocks if len(rules) > 2 and len(titles) > 1]
    if not blocks:
        return None
    chosen, titles = max(blocks, key=lambda block: (len(block[0]) * len(block[1]), len(block[1]), sorted(block[0])))
    rules = [rule for rule in RULES if rule in chosen]
    gains = [
        [one.row(rule)["difference"] for rule in rules] for one in judged if one.domain.title in titles
    ]  # [domains, rules]
    w, p = kendall_w(ranks(np.array(gains)))
    return Concordance(tuple(titles), tuple(rules), w, p)


def kendall_w(ranked: np.ndarray, permutations: int = PERMUTATIONS, seed: int = 0) -> tuple[float, float]:
    """W of ranks ``[domains, rules]``, corrected for ties (Kendall 1948), and its p by permutation within domains."""
    domains, rules = ranked.shape
    ties = sum((counts**3 - counts).sum() for counts in (np.unique(row, return_counts=True)[1] for row in ranked))
    largest = (domains**2 * (rules**3 - rules) - domains * ties) / 12
    if largest <= 0:
        return math.nan, math.nan
    observed = _squares(ranked.sum(0))
    shuffled = np.broadcast_to(ranked, (permutations, domains, rules))
    drawn = _squares(np.random.default_rng(seed).permuted(shuffled, axis=2).sum(1))
    extreme = int((drawn >= observed - 1e-9).sum())
    return float(observed / largest), (extreme + 1) / (permutations + 1)


def _squares(sums: np.ndarray) -> np.ndarray:
    return ((sums - sums.mean(-1, keepdims=True)) ** 2).sum(-1)
