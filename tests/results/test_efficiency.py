"""Sample and parameter efficiency: what is drawn is what the records hold, and no other table shows a share."""

import shlex
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from results.__main__ import main
from results.catalogue import catalogue
from results.divided import undivided
from results.figure_efficiency.by_parameters import parameter_frame
from results.figure_efficiency.by_share import precision_notes, share_frame
from results.figure_efficiency.configs import FRACTIONS, SEEDS, VARIANTS
from results.figure_efficiency.figure import FAMILIES, drawn_points, efficiency_figure, family, short
from results.figure_efficiency.make import make
from results.grouping import setting_key
from results.make import make as make_all
from results.reader import load_runs, where
from results.states import state_of
from results.table1_sentiment.make import make as make_table1
from results.table6_universality.configs import RULES
from results.table6_universality.domains import domains
from results.table6_universality.rows import judge

NAME = "figure_efficiency"
GAINS = {"meaning": 0.5, "concat": 0.5, "dm": 0.6, "li": 0.55}
SHARES = {0.01: 0.5, 0.1: 0.8, 1.0: 1.0}


@pytest.fixture(scope="module")
def root(tmp_path_factory, record):
    folder = tmp_path_factory.mktemp("efficiency")
    for fraction, reached in SHARES.items():
        for name, accuracy in GAINS.items():
            for seed in range(3):
                record(folder, name, seed, accuracy * reached, fraction=fraction)
    for seed in range(2):
        record(folder, "duplicate", seed, 0.5)
        record(folder, "duplicate", seed, 0.2, fraction=0.1)  # no row of the half with shares
    record(folder, "gmu", 0, 0.5)
    return folder


@pytest.fixture(scope="module")
def runs(root):
    return load_runs(root)


@pytest.fixture(scope="module")
def whole(runs):
    return [run for run in runs if run.train_fraction == 1]


def test_a_share_of_the_data_is_a_setting_of_its_own_and_belongs_to_the_whole(runs):
    assert {run.train_fraction for run in runs} == set(SHARES)
    assert len({setting_key(run) for run in runs}) == 3 and len({setting_key(undivided(run)) for run in runs}) == 1


def test_rows_are_means_over_the_runs_of_a_share(runs):
    frame = share_frame(runs)
    assert set(frame["section"]) == {"sst5, minilm"} and len(frame) == len(GAINS) * len(SHARES)
    assert list(dict.fromkeys(frame["variant"])) == list(VARIANTS)
    (row,) = where(frame, variant="dm", fraction=0.1).to_dict("records")
    own = [run.final["test_accuracy"] for run in runs if (run.name, run.train_fraction) == ("dm", 0.1)]
    assert row["accuracy_mean"] == pytest.approx(np.mean(own)) and row["seeds"] == 3
    half = 4.302653 * np.std(own, ddof=1) / np.sqrt(3)  # Student's t, two degrees of freedom
    assert row["accuracy_high"] - row["accuracy_mean"] == pytest.approx(half)
    (alone,) = where(frame, variant="meaning", fraction=0.1).to_dict("records")
    assert row["difference"] == pytest.approx(row["accuracy_mean"] - alone["accuracy_mean"])
    assert (
        np.isnan(alone["difference"])
        and (frame["difference_p_holm"] >= frame["difference_p"]).where(frame["difference_p"].notna(), True).all()
    )
    assert frame.groupby("fraction")["examples"].max().to_dict() == {0.01: 80, 0.1: 800, 1.0: 8000}


def test_different_number_formats_are_said(record, tmp_path):
    for fraction in (0.1, 1.0):
        record(tmp_path, "dm", 0, 0.5, fraction=fraction)
    assert precision_notes(load_runs(tmp_path)) == {}
    runs = load_runs(tmp_path)
    for run in runs:
        run.settings["train"]["precision"] = "bf16" if run.train_fraction == 1 else "fp32"
    assert list(precision_notes(runs).values()) == [" Number formats of training: bf16 on 100 %; fp32 on 10 %."]


def test_one_seed_has_no_interval_and_all_data_alone_have_no_count(record, tmp_path):
    record(tmp_path, "dm", 0, 0.5)
    (row,) = share_frame(load_runs(tmp_path)).to_dict("records")
    assert np.isnan(row["accuracy_low"]) and np.isnan(row["examples"]) and row["fraction"] == 1


def test_gains_over_parameters_are_those_of_table_6(whole):
    frame = parameter_frame(whole).set_index("variant")
    table = judge(domains(whole)[0]).frame.set_index("variant")
    assert set(frame.index) == {"duplicate", "concat", "gmu", "dm", "li"} == set(table.index) - {"reference"}
    for column in ("difference", "standard_error", "in_errors", "paired_seeds"):
        pd.testing.assert_series_equal(frame[column], table.loc[frame.index, column])
    sizes = {run.name: run.final["parameters"] for run in whole}
    for rule in frame.index:
        assert frame.loc[rule, "parameters_added"] == sizes[rule] - sizes["meaning"]
    assert set(drawn_points(frame.reset_index())["variant"]) == {"duplicate", "concat", "dm", "li"}  # gmu has one seed


def test_an_ensemble_has_the_parameters_of_its_members(records):
    runs = [run for run in load_runs(records) if run.dataset == "sst5"]
    frame = parameter_frame(runs).set_index("variant")
    members = {run.name: run.final["parameters"] for run in runs if run.name in ("dm[phonetic]", "dm[morphological]")}
    assert frame.loc["late_ensemble", "parameters_added"] == sum(members.values())


def test_every_rule_has_a_look():
    assert len({one.label for one in FAMILIES}) == len(FAMILIES)
    assert [family(rule).label for rule in ("dm", "li_soma", "shuffled", "gmu", "reference_flops")] == [
        "dm", "variants of dm, li", "controls", "other fusions", "larger reference"
    ]  # fmt: skip
    assert all(family(rule) in FAMILIES for rule in RULES)


def test_titles_keep_what_tells_domains_apart():
    assert short(["sentiment: sst5, minilm", "sentiment: trec, minilm"], "sentiment") == ["sst5", "trec"]
    assert short(["masked LM: wikipedia_en, minilm"], "masked LM") == ["wikipedia_en minilm"]
    vision = [f"{data}, timm/mobilenetv2_100, scratch" for data in ("daquar, questions", "flickr8k, captions")]
    assert short(vision, "vision and language") == ["daquar questions", "flickr8k captions"]
    encoders = [f"scenes, questions, {encoder}, scratch" for encoder in ("tiny", "timm/mobilenetv2_100")]
    assert short([*vision, *encoders], "vision and language")[2:] == [
        "scenes questions tiny", "scenes questions mobilenetv2_100"
    ]  # fmt: skip


def test_lines_are_the_numbers_and_legends_follow_the_points(runs, whole):
    shares, parameters = share_frame(runs), parameter_frame(whole)
    figure = efficiency_figure(shares, parameters)
    assert figure is not None and len(figure.axes) == 2
    left, right = figure.axes
    curves = [line for line in left.lines if len(line.get_xdata()) == len(SHARES)]
    drawn = {name: line.get_ydata() for name, line in zip(VARIANTS, curves, strict=True)}
    for name, values in drawn.items():
        assert values == pytest.approx(100 * where(shares, variant=name)["accuracy_mean"].to_numpy())
    legend = left.get_legend()
    assert legend is not None
    order = sorted(drawn, key=lambda name: -drawn[name][-1])
    assert [text.get_text() for text in legend.get_texts()] == [
        *order,
        f"largest class: {100 * shares['largest_class'].iloc[0]:.1f}",
    ]
    assert left.get_xscale() == right.get_xscale() == "log"
    points = {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in right.lines if len(line.get_xdata()) == 1
    }
    rows = drawn_points(parameters)
    assert points == set(zip(rows["parameters_added"] / 1e6, rows["in_errors"], strict=True))


def test_it_is_made_of_whatever_there_is(runs, whole, tmp_path):
    tables = {f"{half}/table.{kind}" for half in ("shares", "parameters") for kind in ("csv", "md", "tex")}
    figures = {"efficiency.pdf", "efficiency.png"}
    for given in (runs, whole):
        paths = make(given, tmp_path / str(len(given)))
        assert {path.relative_to(tmp_path / str(len(given))).as_posix() for path in paths} == tables | figures
    alone = [run for run in runs if run.name == "dm"]
    assert {path.name for path in make(alone, tmp_path / "dm")} == {"table.csv", "table.md", "table.tex", *figures}
    assert make([], tmp_path / "none") == []
    again = make(runs[::-1], tmp_path / "again")
    assert all(
        path.read_bytes() == (tmp_path / str(len(runs)) / path.relative_to(tmp_path / "again")).read_bytes()
        for path in again
    )


def test_no_other_table_or_figure_shows_a_share(runs, whole, tmp_path, capsys):
    """Whatever a maker writes is the same with and without the runs on a share, and so is its state."""
    make_all(runs, tmp_path / "with")
    make_all(whole, tmp_path / "without")
    written = {path.relative_to(tmp_path / "without") for path in (tmp_path / "without").rglob("*") if path.is_file()}
    others = {path for path in written if path.parts[0] != NAME}
    assert {path.parts[0] for path in others} >= {"table1_sentiment", "table1_ablation", "table6_universality"}
    for path in others:
        assert (tmp_path / "with" / path).read_bytes() == (tmp_path / "without" / path).read_bytes(), path
    for name, entry in catalogue().items():
        if name != NAME:
            assert state_of(entry, runs, tmp_path / "with" / name) == state_of(entry, whole, tmp_path / "with" / name)


def test_a_maker_on_its_own_ignores_shares_too(root, whole, tmp_path):
    from results.command import run_maker
    from results.table1_sentiment.make import FOLDER

    make_table1(whole, tmp_path / "expected")
    assert run_maker(make_table1, FOLDER, None, ["--records", str(root), "--out", str(tmp_path / "made")]) == 0
    for name in ("table.csv", "table.md"):
        assert (tmp_path / "made" / name).read_bytes() == (tmp_path / "expected" / name).read_bytes()


def test_missing_shares_are_listed(runs, tmp_path):
    entry = replace(catalogue()[NAME], rows={"sst5": VARIANTS}, seeds=(0, 1, 2), shares={"sst5": (0.01, 0.03, 1.0)})
    state = state_of(entry, runs, tmp_path)
    assert (state.wanted, state.found) == (36, 24)
    assert [str(gap) for gap in state.gaps] == [
        "sst5, minilm, 3 % of the training data: seeds 0-2 of meaning, concat, dm, li (12)"
    ]
    nothing = state_of(entry, [], tmp_path)
    assert (nothing.wanted, nothing.found, nothing.words) == (36, 0, "no runs")


def test_the_missing_runs_are_started_share_by_share(capsys):
    from step1_sentiment.__main__ import COMMAND

    given = ["--preset", "small", "--dry-run", "--data.name", "trec", "--data.path", "data/trec"]
    assert main(["run", NAME, *given]) == 0
    commands = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert len(commands) == len(FRACTIONS["trec"])
    for fraction, command in zip(FRACTIONS["trec"], commands, strict=True):
        assert command[1:4] == ["-m", "step1_sentiment", "table"]
        first, last = command.index("--variants"), command.index("--seeds")
        assert tuple(command[first + 1 : last]) == VARIANTS
        options = command[command.index("--runtime.runs_dir") :]
        config, _ = COMMAND.parse("small", "dm", options)
        assert config.data.train_fraction == fraction and config.data.path == "data/trec"
    assert tuple(map(int, commands[0][last + 1 : last + 1 + len(SEEDS)])) == SEEDS
    main(["run", NAME, "--preset", "small", "--dry-run", "--data.train-fraction", "0.1"])
    (only,) = capsys.readouterr().out.splitlines()
    assert only.endswith("--data.train_fraction 0.1")
