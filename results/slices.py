"""Where a stream pays: gain and contribution by what kind of word is predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from common.evaluation.statistics import multi_bootstrap
from results.reader import Run
from results.style import GREY, LINES, MARKERS, OKABE_ITO, dodged, legend, looks, ordered, panels, shown
from results.tables import BASELINE
from results.tokens import block_scores, paired, token_losses

FREQUENCY = {
    "unseen": (0, 0),
    "1 to 9": (1, 9),
    "10 to 99": (10, 99),
    "100 to 999": (100, 999),
    "1k to 9.9k": (1000, 9999),
}
"""Band of a word's count in the training text -> lowest and highest count; above them all is ``10k and more``."""
MOST = "10k and more"
FEWEST = 50
"""Slices with fewer predicted tokens are left out."""
FAMILIES = ("count in training", "morphemes", "homophones", "context")


def slices(frame: pd.DataFrame, entropy: pd.Series | None = None) -> dict[tuple[str, str], np.ndarray]:
    """(family, slice) -> which rows belong to it, boolean ``[N]``. Words have at least one morpheme; other tokens
    (punctuation) are in no slice of words.

    Args:
        frame: test predictions by place.
        entropy: nats of the baseline's prediction at each place; its quartiles are the slices of context.
    """
    count, morphemes = frame["train_count"].to_numpy(), frame["morphemes"].to_numpy()
    word = morphemes > 0
    found = {
        ("count in training", name): word & (count >= low) & (count <= high) for name, (low, high) in FREQUENCY.items()
    }
    found["count in training", MOST] = word & (count >= 10_000)
    for name, mask in (("1", morphemes == 1), ("2", morphemes == 2), ("3 and more", morphemes >= 3)):
        found["morphemes", name] = mask
    homophone = frame["homophone"].to_numpy()
    found |= {("homophones", "with one"): word & homophone, ("homophones", "without"): word & ~homophone}
    if entropy is not None:
        edges = np.quantile(entropy, [0.25, 0.5, 0.75])
        quarter = np.searchsorted(edges, entropy.to_numpy())
        names = ("clear", "rather clear", "rather open", "open")
        found |= {("context", name): quarter == k for k, name in enumerate(names)}
    return {key: mask for key, mask in found.items() if mask.sum() >= FEWEST}


def gain_by_slice(by_variant: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """Columns variant, family, slice, tokens, difference (nats per token, below zero is better), low, high.

    Args:
        by_variant: variant -> its runs, the baseline among them.
    """
    rows = []
    baseline = by_variant[BASELINE]
    for variant, runs in by_variant.items():
        ours, theirs = paired(runs, baseline)
        if variant == BASELINE or not ours:
            continue
        own, other = ([token_losses(run) for run in group] for group in (ours, theirs))
        entropy = None
        if "entropy" in other[0]:
            entropy = pd.concat([frame["entropy"] for frame in other], axis=1).mean(axis=1)
        for (family, name), mask in slices(other[0], entropy).items():
            scores = block_scores([frame.loc[mask] for frame in (*own, *other)])
            gap = multi_bootstrap(scores[: len(own)], scores[len(own) :], replicates=1000)
            rows.append((variant, family, name, int(mask.sum()), gap.estimate, gap.low, gap.high))
    columns = ["variant", "family", "slice", "tokens", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def contribution_by_slice(by_variant: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """Columns variant, seed, family, slice, stream, contribution (mean over tokens and sites)."""
    rows = []
    baseline = by_variant.get(BASELINE, [])
    entropies = [token_losses(run).get("entropy") for run in baseline]
    entropy = pd.concat(entropies, axis=1).mean(axis=1) if entropies and entropies[0] is not None else None  # pyright: ignore
    for variant, runs in by_variant.items():
        for run in runs:
            frame = token_losses(run)
            streams = [name for name in frame if str(name).startswith("contribution_")]
            for (family, name), mask in slices(frame, entropy).items() if streams else ():
                means = frame.loc[mask, streams].mean()
                rows += [
                    (variant, run.seed, family, name, str(stream).removeprefix("contribution_"), float(means[stream]))
                    for stream in streams
                ]
    columns = ["variant", "seed", "family", "slice", "stream", "contribution"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def gain_figure(gains: pd.DataFrame, variants: Sequence[str]) -> Figure | None:
    """A panel per family of slices, a marker with its 95 % interval per variant; None without gains."""
    variants = [name for name in variants if name in set(gains["variant"])]
    if not variants:
        return None
    families = [name for name in FAMILIES if name in set(gains["family"])]
    figure, axes = panels(1, len(families), 7.2, 2.9)
    for axis, family in zip(axes[0], families, strict=True):
        part = gains.loc[gains["family"] == family]
        names = list(dict.fromkeys(part["slice"]))
        for k, variant in enumerate(variants):
            rows = part.loc[part["variant"] == variant].set_index("slice").reindex(names)
            heights = np.arange(len(names)) + 0.7 * ((k + 0.5) / len(variants) - 0.5)
            color = OKABE_ITO[k % len(OKABE_ITO)]
            axis.hlines(heights, rows["low"], rows["high"], color=color, linewidth=1.0)
            axis.plot(rows["difference"], heights, color=color, linestyle="none", marker=MARKERS[k % len(MARKERS)])
        axis.axvline(0, color=GREY, linewidth=0.8, linestyle=LINES[1])
        axis.set_yticks(range(len(names)), names)
        axis.invert_yaxis()
        axis.set_title(family)
    figure.supxlabel("negative log-likelihood minus that of meaning alone (nats per token; left is better)", fontsize=8)
    handles = [axes[0][0].lines[k] for k in range(len(variants))]
    figure.legend(handles, [shown(name) for name in variants], loc="outside upper center", ncols=min(4, len(variants)))
    return figure


def contribution_figure(shares: pd.DataFrame, variants: Sequence[str]) -> Figure | None:
    """A row per variant, a panel per family, a series per secondary stream; points are means, bars reach over seeds."""
    variants = [name for name in variants if name in set(shares["variant"])]
    if not variants:
        return None
    shares = shares.loc[(shares["stream"] != "meaning") & shares["variant"].isin(variants)]
    families = [name for name in FAMILIES if name in set(shares["family"])]
    streams = ordered(list(shares["stream"]))
    look = looks(streams)
    figure, axes = panels(len(variants), len(families), 7.2, 2.0, sharex="row")
    for row, variant in zip(axes, variants, strict=True):
        for axis, family in zip(row, families, strict=True):
            part = shares.loc[(shares["variant"] == variant) & (shares["family"] == family)]
            names = list(dict.fromkeys(part["slice"]))
            for k, stream in enumerate(streams):
                one = part.loc[part["stream"] == stream]
                if not one.empty:
                    dodged(axis, one, ("slice", "contribution"), names, (k, len(streams)), look[stream])
            axis.set_yticks(range(len(names)), names)
            axis.invert_yaxis()
            axis.set_title(f"{shown(variant)}: {family}")
    figure.supxlabel("contribution (share of norms; the rest is meaning)", fontsize=8)
    legend(figure, streams, lines=False)
    return figure
