"""Curves of a share in steps of 10 %: a perfect measure has slope 1, a blind one 0, and table 6 does not count them."""

import math

import pandas as pd
import pytest

from alpha_validity.settings import SETTINGS, TENTHS
from common.evaluation.planted_parts import shapley_shares
from results.reader import Run
from results.table5_alpha_validity.configs import EQUAL, MEASURES
from results.table5_alpha_validity.reading import tenths_said
from results.table5_alpha_validity.tenths import LEAST, curves_figure, followed, in_tenths, slope_frame
from results.table6_universality.domains import domains


def record(folder, seed=0, blind=0.0, settings=TENTHS, name="dm"):
    """A run of which Shapley values are the truth, |α| is equal, leave-one-out is `blind` everywhere, and there is no
    other measure.
    """
    rows = []
    for setting, parts in settings.items():
        for stream, truth in shapley_shares(parts).items():
            found = dict.fromkeys(MEASURES, math.nan) | {"shapley": truth, "alpha": 1.0, "leave_one_out": blind}
            rows.append({"setting": setting, "stream": stream, "truth": truth, **found})
    folder = folder / f"{name}-{seed}"
    folder.mkdir(parents=True)
    pd.DataFrame(rows).to_parquet(folder / "measures.parquet")
    settings_named = list(settings) if settings is TENTHS else []
    config = {"name": name, "settings": settings_named, "train": {"seed": seed}}
    return Run(folder, {"step": "alpha_validity", "name": name, "config": config}, {}, {"test_accuracy": 0.9})


def test_a_perfect_measure_has_slope_one_and_a_blind_one_zero(tmp_path):
    frame = slope_frame(followed([record(tmp_path, seed) for seed in range(3)]))
    assert list(frame["section"].unique()) == [
        f"{statistic}, {kind}"
        for statistic in ("slope", "calibration error")
        for kind in ("unique information", "redundant", "synergistic")
    ]
    for section, part in frame.groupby("section"):
        rows = part.set_index("variant")
        assert rows.loc["dm", "shapley_mean"] == pytest.approx(1.0 if "slope" in section else 0.0, abs=1e-9)
        assert rows.loc["dm", "alpha_mean"] == pytest.approx(rows.loc[EQUAL, "alpha_mean"])
        assert rows.loc["dm", "seeds"] == rows.loc["dm", "shapley_seeds"] == 3
        assert rows.loc["dm", ["contribution_seeds", "leave_one_out_seeds"]].eq(0).all()  # not defined; nothing left
    slopes = frame.loc[frame["section"] == "slope, unique information"].set_index("variant")
    assert slopes.loc[EQUAL, "alpha_mean"] == pytest.approx(0.0, abs=1e-9)


def test_points_are_the_mean_of_the_streams_that_have_the_share(tmp_path):
    values = followed([record(tmp_path)])
    own = values.loc[(values["measure"] == "shapley") & (values["kind"] == "redundant")]
    assert sorted(own["truth"]) == pytest.approx([k / 20 for k in range(11)]) and set(own["count"]) == {3}
    assert set(values.loc[values["kind"] == "unique", "count"]) == {2, 3, 4, 5}


def test_a_curve_of_few_points_has_no_slope(tmp_path):
    values = followed([record(tmp_path)])
    kept = values["truth"] < LEAST / 10 - 0.05
    assert (
        slope_frame(values.loc[kept])
        .set_index("section")
        .loc["slope, unique information", "shapley_mean"]
        .notna()
        .any()
    )
    fewer = values.loc[values["truth"] < LEAST / 10 - 0.15]
    left = slope_frame(fewer).set_index("section").loc["slope, unique information"]
    assert left["shapley_mean"].isna().all()


def test_the_figure_has_a_line_per_curve(tmp_path):
    figure = curves_figure(followed([record(tmp_path)]), ("dm", "li"))
    assert len(figure.axes) == len(MEASURES) and len(figure.axes[0].lines) == 1 + 6
    assert curves_figure(followed([]), ("dm",)) is None


def test_the_readme_says_how_far_a_measure_rises(tmp_path):
    slope_frame(followed([record(tmp_path / "runs")])).to_csv(tmp_path / "table.csv", index=False)
    (said,) = tenths_said(tmp_path / "table.csv")
    assert "by 0.00 (|α|) and 1.00 (Shapley)" in said
    assert tenths_said(tmp_path / "missing.csv") == []


def test_only_these_runs_are_told_apart_by_their_settings(tmp_path):
    steps, table = record(tmp_path / "a"), record(tmp_path / "b", settings=SETTINGS)
    assert in_tenths(steps) and not in_tenths(table)
    assert list(domains([steps])) == []
