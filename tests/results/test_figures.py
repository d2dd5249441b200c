"""Figures and everything else from records alone: written, the same each time, without torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from results.command import run_maker
from results.figure_alpha_sentiment.make import make as make_alpha
from results.figure_alpha_sentiment.sites import alpha_by_site
from results.figure_alpha_sentiment.values import site_values, word_values
from results.make import make as make_all
from results.reader import load_runs
from results.style import looks, ordered
from results.terminal import quick_figure

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def planted(records):
    return [run for run in load_runs(records) if run.dataset == "planted"]


def test_all_figures_of_a_setting(planted, tmp_path, capsys):
    written = {path.name: path for path in make_alpha(planted, tmp_path)}
    for name in ("alpha_by_site", "word_classes", "left_out", "training_dm"):
        for kind, start in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
            assert written[f"planted_minilm-{name}.{kind}"].read_bytes().startswith(start)
    assert b"CreationDate" not in written["planted_minilm-left_out.pdf"].read_bytes()
    assert "no finished run of dm_equal, dm_linear" in capsys.readouterr().err
    assert len(pd.read_csv(written["table.csv"])) > 0
    validity = pd.read_csv(written["planted_minilm-validity.csv"])
    assert set(validity["measure"]) >= {"alpha", "contribution", "zero", "shapley"} and (validity["seeds"] == 2).all()


def test_the_quick_figure_is_the_same_each_time(planted, tmp_path):
    first, second = (quick_figure(planted, tmp_path / name / "alpha.png") for name in "ab")
    assert first is not None and second is not None
    for kind in (".png", ".pdf"):
        assert first.with_suffix(kind).read_bytes() == second.with_suffix(kind).read_bytes()


def test_what_joins_at_the_output_is_drawn_at_the_last_site(record, tmp_path):
    record(tmp_path, "dm", 0, 0.6, sites=1)
    record(tmp_path, "li", 0, 0.6, sites=3)
    figure = alpha_by_site(load_runs(tmp_path))
    assert figure is not None
    drawn = {axis.get_title().split()[0]: axis for axis in figure.axes if axis.get_title()}
    by_column = {
        title: {x for below in figure.axes if _column(below) == _column(axis) for line in below.lines
                for x in np.atleast_1d(line.get_xdata())}
        for title, axis in drawn.items()
    }  # fmt: skip
    assert list(by_column.values()) == [{3}, {1, 2, 3}]


def _column(axis):
    return axis.get_subplotspec().colspan.start


def test_no_quick_figure_of_single_streams(planted, tmp_path):
    assert quick_figure([run for run in planted if run.name == "meaning"], tmp_path / "alpha.png") is None


def test_site_values_are_those_of_the_best_step(planted):
    dm = [run for run in planted if run.name == "dm"]
    frame = site_values(dm)
    assert set(frame["quantity"]) == {"alpha", "effective", "contribution"} and set(frame["step"]) == {640}
    shares = frame[frame["quantity"] == "contribution"].groupby(["seed", "site"])["value"].sum()
    assert shares.to_numpy() == pytest.approx(1)


def test_a_matrix_between_the_sites_leaves_no_effective_weight(records):
    linear = [run for run in load_runs(records) if run.name == "dm_linear"]
    assert set(site_values(linear)["quantity"]) == {"alpha", "contribution"}


def test_word_values_weigh_by_occurrence(planted):
    run = next(run for run in planted if run.name == "dm")
    words = run.words[run.words["stream"] == "meaning"].set_index("word")
    frame = word_values([run], rare_at=1)
    negation = frame[(frame["stream"] == "meaning") & (frame["word_class"] == "negation")].iloc[0]
    by_hand = (30 * words.loc["not", "contribution"] + 12 * words.loc["n't", "contribution"]) / 42
    assert negation["contribution"] == pytest.approx(by_hand) and negation["words"] == 2


def test_streams_keep_their_look():
    assert ordered(["state", "phonetic", "extra", "meaning"]) == ["meaning", "phonetic", "extra", "state"]
    assert looks(["phonetic"])["phonetic"] == looks(["meaning", "phonetic"])["phonetic"]
    many = looks(["meaning", "phonetic", "morphological", "one", "two", "state"])
    assert len({look.marker for look in many.values()}) == len(many)


def test_everything_is_remade_in_its_folder(planted, tmp_path):
    folders = {path.parent.name for path in make_all([run for run in planted if run.name == "meaning"], tmp_path)}
    assert folders == {
        "table1_sentiment",
        "table1_ablation",
        "table8_robustness",
        "table_training",
    }  # the third says it has none


def test_no_records_is_one_clear_error(tmp_path, capsys):
    assert run_maker(make_all, tmp_path, "", ["--records", str(tmp_path)]) == 2
    assert "no finished run below" in capsys.readouterr().err


def test_results_load_no_model_code():
    code = (
        "import sys, results.make; print([m for m in ('torch', 'transformers', 'common.models') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
