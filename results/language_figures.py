"""The figures that both language-model steps have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from results.figure_alpha_sentiment.sites import alpha_by_site
from results.grouping import by_variant, grouped, setting_key
from results.loss_curves import loss_figure, loss_values
from results.reader import Run
from results.render import file_stem, write_csv
from results.slices import contribution_by_slice, contribution_figure, gain_by_slice, gain_figure
from results.style import paper_style, save
from results.tables import BASELINE, section_titles


def language_figures(
    runs: Sequence[Run], folder: Path, variants: Sequence[str], shown: Sequence[str], explained: Sequence[str]
) -> list[Path]:
    """Write figures (PDF and PNG) and their numbers (CSV) of every setting into `folder`.

    Args:
        runs: of one step.
        variants: of the table, in order.
        shown: whose loss, gain and α are drawn.
        explained: whose contribution is drawn by slice.
    """
    titles, paths = section_titles(runs), []
    for key, group in grouped(runs, setting_key).items():
        by_name = by_variant(group)
        present = {name: by_name[name] for name in variants if name in by_name}
        if BASELINE not in present:
            continue
        stem = file_stem(titles[key])
        drawn = {name: present[name] for name in (BASELINE, *shown) if name in present}
        gains, shares = gain_by_slice(drawn), contribution_by_slice(drawn)
        losses = loss_values(drawn)
        with paper_style():
            figures: dict[str, Figure | None] = {
                "alpha_by_site": alpha_by_site([run for name in shown for run in present.get(name, [])]),
                "gain_by_slice": gain_figure(gains, shown),
                "contribution_by_slice": contribution_figure(shares, explained),
                "loss": loss_figure(losses, list(drawn)),
            }
            for name, figure in figures.items():
                paths += save(figure, folder / f"{stem}-{name}") if figure is not None else []
        frames: dict[str, pd.DataFrame] = {"gain_by_slice": gains, "contribution_by_slice": shares}
        paths += [write_csv(folder / f"{stem}-{name}.csv", frame) for name, frame in frames.items() if not frame.empty]
    return paths
