"""All rules of a domain drawn together: a replicate has the same seeds and the same examples for each of them."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from common.evaluation.statistics import seed_expansion
from results.table6_universality.domains import Domain

REPLICATES = 2000
CONFIDENCE = 0.95
CELLS = 4_000_000
"""Most drawn examples in memory at once."""


@dataclass(frozen=True)
class Draws:
    """Gains of the rules of a domain over its anchor, in the unit of the scores."""

    rules: tuple[str, ...]
    seeds: tuple[int, ...]
    """How many seeds each rule shares with the anchor."""
    estimates: np.ndarray  # [K]
    replicates: np.ndarray  # [R, K]

    @property
    def standard_errors(self) -> np.ndarray:
        """Of the gains ``[K]``, over the replicates; NaN for a gain that never varies."""
        spread = self.replicates.std(0, ddof=1)
        return np.where(np.round(spread, 12) > 0, spread, math.nan)


def gains(domain: Domain, replicates: int = REPLICATES) -> Draws:
    """Mean score minus that of the anchor over the seeds that both have, as estimated and in every replicate.

    Seeds are drawn as in :func:`common.evaluation.statistics.multi_bootstrap`, widened for their small number. Neither
    the draws of the examples nor those of a seed depend on which other rules and seeds there are. A rule that shares no
    seed with the anchor is left out.
    """
    anchor = domain.scores[domain.anchor]
    paired = {rule: sorted(domain.scores[rule].keys() & anchor.keys()) for rule in domain.rules}
    rules = tuple(rule for rule, seeds in paired.items() if seeds)
    columns = [domain.scores[rule][seed] - anchor[seed] for rule in rules for seed in paired[rule]]
    key = zlib.crc32((domain.setting or domain.title).encode())
    means = _drawn_means(np.stack(columns, axis=1), replicates, key)  # [R, columns]
    estimates, drawn, start = [], [], 0
    for rule in rules:
        part = slice(start, start := start + len(paired[rule]))
        estimates.append(np.mean([column.mean() for column in columns[part]]))
        drawn.append((means[:, part] * _seed_weights(paired[rule], replicates, key)).sum(1))
    seeds = tuple(len(paired[rule]) for rule in rules)
    return Draws(rules, seeds, np.array(estimates), np.stack(drawn, axis=1))


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along the last axis, 1 for the highest value; tied values share the mean of theirs."""
    return rankdata(-np.round(values, 12), axis=-1)


def wins(ranked: np.ndarray) -> np.ndarray:
    """1 for the first along the last axis and 0 for the others; rules that tie share it."""
    first = ranked == ranked.min(-1, keepdims=True)
    return first / first.sum(-1, keepdims=True)


def bounds(drawn: np.ndarray) -> np.ndarray:
    """Lower and upper end of the percentile intervals of ``[R, ...]``."""
    return np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)


def _drawn_means(scores: np.ndarray, replicates: int, key: int) -> np.ndarray:
    """Means ``[R, C]`` of the columns of ``[E, C]`` over examples drawn with replacement."""
    generator, examples = np.random.default_rng([key, 0]), len(scores)
    parts, left = [], replicates
    while left:
        rows = min(left, max(1, CELLS // examples))
        places = generator.integers(examples, size=(rows, examples)) + examples * np.arange(rows)[:, None]
        counts = np.bincount(places.ravel(), minlength=rows * examples).reshape(rows, examples)
        parts.append(counts @ scores / examples)
        left -= rows
    return np.concatenate(parts)


def _seed_weights(seeds: list[int], replicates: int, key: int) -> np.ndarray:
    """Weights ``[R, S]`` that sum to 1: how often each seed is drawn, widened. Equal seeds have equal weights."""
    size = len(seeds)
    uniform = np.stack([np.random.default_rng([key, 1, seed]).random(replicates) for seed in seeds], axis=1)
    counts = (np.floor(uniform * size)[:, :, None] == np.arange(size)).sum(1)
    return 1 / size + seed_expansion(size, CONFIDENCE) * (counts - 1) / size
