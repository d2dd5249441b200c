"""Tables from synthetic records: right numbers, missing rows as missing, nothing invented."""

import math

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from common.evaluation.statistics import holm
from results.arms import late_ensemble
from results.costs import StepTimes, read_step_times
from results.reader import RecordError, load_runs, probabilities, where
from results.render import MISSING, escaped, latex, markdown, write_csv, write_table, written
from results.table1_ablation.make import by_streams
from results.table1_ablation.make import make as make_ablation
from results.table1_sentiment.configs import ALL_ROWS, LATE_ENSEMBLE, ROWS, VARIANTS
from results.table1_sentiment.make import build_table, make
from results.tables import COLUMNS, build_frame, captions
from results.terminal import print_table


@pytest.fixture(scope="module")
def runs(records):
    return load_runs(records)


@pytest.fixture(scope="module")
def frame(runs):
    return build_frame(runs, ROWS, LATE_ENSEMBLE)


def row(frame, variant, section="sst5, minilm"):
    return where(frame, section=section, variant=variant).iloc[0]


def test_rows_stand_in_order_and_missing_ones_are_empty(frame):
    sst5 = where(frame, section="sst5, minilm")
    assert tuple(sst5["variant"]) == ALL_ROWS and tuple(frame.columns) == COLUMNS
    absent = written(where(sst5, variant="gmu")).iloc[0]
    assert set(absent.drop("variant")) == {MISSING}


def test_means_differences_and_ratios(runs, frame):
    mine = [run.final["test_accuracy"] for run in runs if run.name == "dm" and run.dataset == "sst5"]
    base = [run.final["test_accuracy"] for run in runs if run.name == "meaning" and run.dataset == "sst5"]
    dm = row(frame, "dm")
    assert dm["accuracy_mean"] == pytest.approx(np.mean(mine)) and dm["accuracy_std"] == pytest.approx(
        np.std(mine, ddof=1)
    )
    assert dm["difference"] == pytest.approx(np.mean(mine) - np.mean(base))
    assert dm["difference_low"] < dm["difference"] < dm["difference_high"]
    assert dm["parameters_ratio"] == pytest.approx(24.7 / 22.9)
    assert dm["parameters_added"] == dm["parameters"] - row(frame, "meaning")["parameters"] > 0
    labels = next(run for run in runs if run.name == "dm" and run.dataset == "sst5").predictions("test")["label"]
    assert dm["majority"] == pytest.approx(labels.value_counts(normalize=True).max())
    assert math.isnan(row(frame, "meaning")["difference"])


def test_holm_runs_over_the_section(frame):
    sst5 = where(frame, section="sst5, minilm")
    assert sst5["difference_p_holm"].to_numpy() == pytest.approx(holm(sst5["difference_p"].to_numpy()), nan_ok=True)
    assert (
        sst5["difference_p"].dropna() == sst5[["p_bootstrap", "p_randomisation", "p_seeds"]].max(axis=1).dropna()
    ).all()


def test_late_ensemble_averages_log_probabilities(runs, frame):
    members = [[run for run in runs if run.name == name and run.dataset == "sst5"] for name in LATE_ENSEMBLE]
    shares = [probabilities(group[0].predictions("test")) for group in members]
    by_hand = np.prod(np.stack(shares), axis=0).argmax(1)
    arm = late_ensemble("late_ensemble", members)
    assert arm is not None and np.array_equal(arm.predicted[0], by_hand)
    assert row(frame, "late_ensemble")["seeds"] == 2  # the seeds that all members have
    assert arm.parameters == 3 * 22_900_000
    assert late_ensemble("late_ensemble", [members[0], []]) is None


def test_one_seed_has_no_spread(frame):
    dm = row(frame, "dm", "trec, minilm")
    assert dm["seeds"] == 1 and math.isnan(dm["accuracy_std"]) and not math.isnan(dm["difference_low"])


def test_all_files_are_written_and_equal_each_time(runs, tmp_path, capsys):
    first, second = make(runs, tmp_path / "a"), make(runs, tmp_path / "b")
    assert [path.name for path in first] == ["table.csv", "table.md", "table.tex"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert "No finished run yet on: imdb" in first[1].read_text()
    assert len(pd.read_csv(first[0])) == sum(len(ROWS[name]) for name in ("sst5", "trec", "planted"))
    tex = first[2].read_text()
    assert r"late\_ensemble" in tex and tex.count(r"\begin{tabular}") == 3 and MISSING not in tex
    dm = [run.folder.name for run in runs if run.name == "dm" and run.dataset == "sst5"]
    (line,) = [line for line in tex.splitlines() if line.startswith("dm &") and line.endswith(" ".join(dm))]
    assert "% records: " in line and len(dm) > 1  # every number leads back to its runs
    assert "late_ensemble" in capsys.readouterr().out  # in 80 columns no name is cut


def test_a_number_read_back_from_a_table_is_written_as_in_it(frame, tmp_path):
    """24,715,003 parameters are 24.72 M; cut to six digits first, they would be 24.71 M."""
    frame = frame.assign(parameters=24_715_003.0)
    assert pd.read_csv(write_csv(tmp_path / "table.csv", frame))["parameters"].eq(24_715_003).all()
    assert written(pd.read_csv(tmp_path / "table.csv")).equals(written(frame))


def test_a_number_on_the_edge_of_rounding_is_written_alike_in_all_files(tmp_path):
    """3.925000000000001 rounds up, and what the CSV keeps of it down."""
    frame = pd.DataFrame({"section": "one", "variant": "dm", "value": [3.925000000000001], "records": "dm-1"})
    columns = {"variant": lambda row: row["variant"], "value": lambda row: f"{row['value']:.2f}"}
    write_table(tmp_path, frame, {"one": ""}, "label", columns=columns)
    again = written(pd.read_csv(tmp_path / "table.csv"), columns)["value"].iloc[0]
    assert again == "3.92" and f"| {again} |" in (tmp_path / "table.md").read_text()


def test_captions_say_what_was_tried(runs, frame):
    caption = captions(runs, frame)["sst5, minilm"]
    for part in (
        "made-up sst5",
        "120 test examples, of which the most frequent class has",
        "Configurations trained on these data, seeds apart: 10",
        "Added M: million parameters more than meaning has;",
        "Detectable",
    ):
        assert part in caption


def test_a_part_of_the_rows_says_how_many_configs_its_data_saw(runs, tmp_path):
    chosen = by_streams(runs)
    told, alone = (captions(chosen, build_table(chosen), among=every)["sst5, minilm"] for every in (runs, None))
    assert "seeds apart: 10." in told and "seeds apart: 10." not in alone


def test_ablation_puts_the_full_rule_under_its_streams(runs, tmp_path):
    names = {run.name for run in by_streams(runs)}
    assert "dm[meaning+phonetic+morphological]" in names and not {"shuffled", "duplicate", "dm_linear"} & names
    table = pd.read_csv(make_ablation(runs, tmp_path)[0])
    seeds = table[table["section"] == "sst5, minilm"].set_index("variant")["seeds"]
    assert seeds["dm[meaning+phonetic+morphological]"] == 3 and seeds["li[phonetic]"] == 0 and len(seeds) == 17


def test_of_tuned_configs_the_best_on_validation_is_shown(tmp_path, record):
    for seed in range(2):
        record(tmp_path, "meaning", seed, 0.4, lr=1e-4)
        record(tmp_path, "meaning", seed, 0.6, lr=3e-4)
    table = build_table(load_runs(tmp_path))
    assert len(table) == 1 and table["accuracy_mean"].iloc[0] > 0.5


def test_captions_say_where_rows_differ_in_number_format(tmp_path, record):
    for name in ("meaning", "dm"):
        record(tmp_path, name, 0, precision="bf16")

    def caption() -> str:
        runs = load_runs(tmp_path)
        return captions(runs, build_table(runs))["sst5, minilm"]

    assert "Number formats" not in caption()
    record(tmp_path, "li", 0, precision="fp32")
    assert "Number formats of training: bf16 for dm, meaning; fp32 for li." in caption()


def test_without_a_baseline_nothing_is_compared(tmp_path, record):
    record(tmp_path, "dm", 0)
    table = build_table(load_runs(tmp_path))
    assert table["difference"].isna().all() and table["accuracy_mean"].notna().all()


def test_predictions_that_contradict_the_record_are_refused(tmp_path, record):
    record(tmp_path, "dm", 0, test_accuracy=0.99)
    with pytest.raises(RecordError, match="final.json differ"):
        build_table(load_runs(tmp_path))


def test_other_test_examples_are_refused(tmp_path, record):
    record(tmp_path, "meaning", 0, examples=100)
    record(tmp_path, "dm", 0, examples=101)
    with pytest.raises(RecordError, match="different examples"):
        build_table(load_runs(tmp_path))


def test_other_data_under_the_same_name_are_refused(tmp_path, record):
    record(tmp_path, "meaning", 0)
    record(tmp_path, "dm", 0, fingerprint="beef")
    with pytest.raises(RecordError, match="other data; keep one of them"):
        build_table(load_runs(tmp_path))


def test_several_records_of_step_times_are_no_silent_choice(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    for name in ("step_time-step3_gpt.json", "step_time-step3_gpt-books.json"):
        (tmp_path / "benchmarks" / name).write_text("{}")
    with pytest.raises(RecordError, match="several records of step times"):
        read_step_times("step3_gpt", tmp_path)


def test_step_times_come_from_the_side_by_side_record_or_are_missing(runs, frame):
    assert frame["step_time_ms"].isna().all()
    names = ("meaning", "dm", "dm[phonetic]", "dm[morphological]")
    times = StepTimes(
        {"dataset": "sst5", "backbone": "minilm"}, {name: 10.0 * (k + 1) for k, name in enumerate(names)}, "a machine"
    )
    timed = build_frame(runs, ROWS, LATE_ENSEMBLE, times)
    assert row(timed, "dm")["step_time_ms"] == 20 and row(timed, "late_ensemble")["step_time_ms"] == 10 + 30 + 40
    assert math.isnan(row(timed, "dm", "trec, minilm")["step_time_ms"]) and math.isnan(row(timed, "li")["step_time_ms"])
    assert "a machine" in captions(runs, timed, times)["sst5, minilm"]
    assert build_table(runs)["step_time_ms"].notna().any()  # runs of one table on one machine show their own


@pytest.mark.parametrize("content", ["", "[]", '{"settings": {}}'])
def test_a_damaged_record_of_step_times_is_named(tmp_path, content):
    assert read_step_times("step3_gpt", tmp_path) is None
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "step_time-step3_gpt.json").write_text(content)
    with pytest.raises(RecordError, match="no record of step times"):
        read_step_times("step3_gpt", tmp_path)


@pytest.mark.parametrize("width", [80, 200])
def test_the_terminal_shows_names_with_brackets(runs, width):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_table(build_table([run for run in runs if run.dataset == "sst5"]), console=console)
    text = console.export_text()
    assert "dm[phonetic]" in text and max(map(len, text.splitlines())) <= width


def test_latex_is_escaped():
    assert escaped("a_b 5 % ±") == r"a\_b 5 \% $\pm$"


def test_wide_headers_are_stacked_and_empty_columns_left_out_in_print():
    rows = pd.DataFrame({"section": ["s", "s"], "variant": ["dm", "li"], "p": [0.5, 0.25]})
    columns = {
        "variant": lambda row: row["variant"],
        "p to dm": lambda row: f"{row['p']:.2f}",
        "q": lambda row: MISSING,
    }
    text = latex(rows, {}, "toy", columns)
    assert r"\shortstack[r]{p to\\dm} \\" in text and "q" not in text.split(r"\toprule")[1].split(r"\midrule")[0]
    assert "| variant | p to dm |\n" in markdown(rows, {}, columns=columns)


def test_lists_of_variants_hold_no_computed_row():
    assert "late_ensemble" not in VARIANTS and set(LATE_ENSEMBLE) <= set(VARIANTS)


def test_answers_of_its_own_are_counted_right_or_wrong(tmp_path, record):
    for name in ("meaning", "shuffled", "dm"):
        for seed in range(2):
            record(tmp_path, name, seed)
    folders = {(run.name, run.seed): run.folder for run in load_runs(tmp_path)}
    for seed in range(2):  # DM that reads nothing of its streams: the answers of its control
        for file in ("predictions_test.parquet", "final.json"):
            (folders["dm", seed] / file).write_bytes((folders["shuffled", seed] / file).read_bytes())
    runs = load_runs(tmp_path)
    found = build_frame(runs)
    answers = {(run.name, run.seed): probabilities(run.predictions()).argmax(1) for run in runs}
    apart = np.mean([answers["dm", seed] != answers["meaning", seed] for seed in range(2)])
    assert row(found, "dm")["otherwise"] == pytest.approx(apart) and apart > 0
    assert row(found, "dm")["otherwise_shuffled"] == 0 and math.isnan(row(found, "meaning")["otherwise"])
    assert (
        f"dm answers 0.0 % of the examples otherwise than shuffled does, and {100 * apart:.1f} %"
        in (captions(runs, found)["sst5, minilm"])
    )
    least, most = row(found, "dm")["accuracy_least"], row(found, "dm")["accuracy_most"]
    assert least <= row(found, "dm")["accuracy_mean"] <= most


def test_planned_rows_without_a_run_are_named_and_not_printed(tmp_path, record):
    for name in ("meaning", "dm"):
        record(tmp_path, name, 0)
    runs = load_runs(tmp_path)
    found = build_frame(runs, {"sst5": ("meaning", "gmu", "dm", "li")})
    note = captions(runs, found)["sst5, minilm"]
    assert list(found["variant"]) == ["meaning", "gmu", "dm", "li"] and "Without a run here: gmu, li." in note
    for text in (markdown(found, {}), latex(found, {}, "toy")):
        assert "dm" in text and "gmu" not in text and "li " not in text
    lone = pd.DataFrame({"section": ["s"], "variant": ["chance"], "seeds": [0], "accuracy_mean": [0.2]})
    assert "chance" in markdown(lone, {}, columns={"variant": lambda row: row["variant"]})
