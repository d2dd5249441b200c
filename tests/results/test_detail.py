"""Two folders of records over seeds and by answers: known differences are found, and what cannot be told is said."""

import math
from functools import partial

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from common.evaluation.power import power_with_seeds
from results import shown
from results.__main__ import main
from results.diff.changes import FALSE_DISCOVERY, HOLM, group_frame
from results.diff.compared import compared
from results.diff.detail import SEED_TESTS, answer_frame, overall_frame, seed_frame
from results.diff.pairing import pairs
from results.reader import load_runs
from tests.results.test_language import TOKENS
from tests.results.test_language import record as language_record

PAIRED, WELCH = SEED_TESTS["paired-t"], SEED_TESTS["welch"]
FIRST, SECOND = (0.40, 0.45, 0.38, 0.47), (0.55, 0.53, 0.50, 0.57)


@pytest.fixture
def sides(tmp_path, record):
    """Four seeds: dm is better in the second folder, li about the same, and a language model better."""
    losses = np.random.default_rng(0).gamma(2.0, 1.5, TOKENS)
    for seed, (first, second) in enumerate(zip(FIRST, SECOND, strict=True)):
        record(tmp_path / "a", "dm", seed, first, examples=400)
        record(tmp_path / "b", "dm", seed, second, examples=400, lr=1.0)
        record(tmp_path / "a", "li", seed, first, examples=400)
        record(tmp_path / "b", "li", seed, first, examples=400, lr=1.0)
        noise = np.random.default_rng(seed).normal(0, 0.02, TOKENS)
        language_record(tmp_path / "a", "dm", seed, losses + noise)
        language_record(tmp_path / "b", "dm", seed, losses + noise - 0.3 - 0.01 * seed)
    return tmp_path


def scored(root):
    return [compared(pair) for pair in pairs(load_runs(root / "a"), load_runs(root / "b"))[0]]


def accuracies(root, side, variant):
    runs = [run for run in load_runs(root / side) if run.name == variant and run.config["step"] == "step1_sentiment"]
    return 100 * np.array([run.final["test_accuracy"] for run in sorted(runs, key=lambda run: run.seed)])


def row_of(frame, step, variant="dm"):
    (row,) = [one for one in frame.to_dict("records") if one["setting"].startswith(step) and one["variant"] == variant]
    return row


def test_the_seeds_tell_the_planted_difference(sides):
    frame = seed_frame(scored(sides), PAIRED)
    row, first, second = row_of(frame, "step1"), accuracies(sides, "a", "dm"), accuracies(sides, "b", "dm")
    expected = stats.ttest_rel(second, first)
    assert row["difference"] == pytest.approx((second - first).mean()) and row["seeds"] == "4"
    assert row["p"] == pytest.approx(expected.pvalue)  # pyright: ignore[reportAttributeAccessIssue]
    pooled = math.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
    assert row["g"] == pytest.approx((second - first).mean() / pooled * (1 - 3 / 23), rel=0.01)
    assert row["superior"] == 1.0 and row["g_low"] < row["g"] < row["g_high"]
    assert (frame["p_corrected"] >= frame["p"]).all()
    # Lower losses are better: g keeps the sign of the difference, and the second side still wins.
    language = row_of(frame, "step2")
    assert language["difference"] < 0 and language["g"] < 0 and language["superior"] == 1.0


def test_the_seeds_needed_have_the_power(sides):
    frame = seed_frame(scored(sides), PAIRED)
    row = row_of(frame, "step1", "li")
    gap, tested = accuracies(sides, "b", "li") - accuracies(sides, "a", "li"), len(frame)
    power = partial(power_with_seeds, effect=gap.mean(), std_of_difference=gap.std(ddof=1), comparisons=tested)
    assert power(int(row["needed"])) >= 0.8 > power(int(row["needed"]) - 1)
    assert power(4, effect=row["detectable"]) == pytest.approx(0.8, abs=1e-6)
    assert (frame["needed_elsewhere"] >= frame["needed"]).all()


def test_few_examples_can_keep_any_number_of_seeds_from_being_enough(tmp_path, record):
    for seed in range(3):
        record(tmp_path / "a", "dm", seed, 0.5, examples=60)
        record(tmp_path / "b", "dm", seed, 0.5 + 0.01 * seed, examples=60, lr=1.0)
    (row,) = seed_frame(scored(tmp_path), PAIRED).to_dict("records")
    assert math.isfinite(row["needed"]) and math.isinf(row["needed_elsewhere"])


def test_unpaired_tests_take_seeds_that_one_folder_lacks(sides, record, capsys):
    before = row_of(seed_frame(scored(sides), WELCH), "step1")
    for seed in (7, 8):
        record(sides / "b", "dm", seed, 0.5, examples=400, lr=1.0)
    every = scored(sides)
    row, first, second = row_of(seed_frame(every, WELCH), "step1"), *(accuracies(sides, s, "dm") for s in "ab")
    assert before["seeds"] == "4" and row["seeds"] == "4 and 6"
    assert row["difference"] == pytest.approx(second.mean() - first.mean())
    assert row_of(seed_frame(every, PAIRED), "step1")["seeds"] == "4"
    assert main(["diff", str(sides / "a"), str(sides / "b"), "--detail", "--seed-test", "welch"]) == 0
    assert "p welch" in capsys.readouterr().out


def test_folders_without_a_common_seed_are_compared_by_unpaired_tests_alone(tmp_path, record, capsys):
    for seed in range(4):
        record(tmp_path / "a", "dm", seed, 0.3 + 0.01 * seed, examples=400)
        record(tmp_path / "b", "dm", seed + 4, 0.6 + 0.01 * seed, examples=400)
    every = scored(tmp_path)
    (row,) = seed_frame(every, WELCH).to_dict("records")
    assert row["p"] < 1e-3 and row["difference"] > 20 and math.isnan(row["needed_elsewhere"])
    (row,) = seed_frame(every, PAIRED).to_dict("records")
    assert math.isnan(row["p"]) and "too few seeds" in row["why"]
    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "b"), "--detail"]) == 0
    said = capsys.readouterr().out
    assert "no seed in common" in said and "no test over seeds of dm: too few seeds" in said


def test_other_test_examples_are_not_compared_over_seeds_either(tmp_path, record):
    for seed in range(3):
        record(tmp_path / "a", "dm", seed, 0.3, examples=100)
        record(tmp_path / "b", "dm", seed, 0.6, examples=120)
    (row,) = seed_frame(scored(tmp_path), PAIRED).to_dict("records")
    assert math.isnan(row["difference"]) and row["why"] == "they were not tested alike"
    for seed in range(4):
        record(tmp_path / "b", "li", seed, 0.6, fingerprint="other")
        record(tmp_path / "a", "li", seed + 4, 0.3)
    row = row_of(seed_frame(scored(tmp_path), WELCH), "step1", "li")
    assert math.isnan(row["difference"]) and row["why"] == "they were not tested alike"


def test_mcnemar_stands_for_each_run_with_right_and_wrong_answers(sides):
    frame = answer_frame(scored(sides))
    assert len(frame) == 8 and set(frame["setting"]) == {"step1_sentiment, sst5, minilm"}  # no language model
    part = frame.loc[frame["variant"] == "dm"]
    gained = 100 * (part["only_second"] - part["only_first"]) / part["examples"]
    np.testing.assert_allclose(gained, accuracies(sides, "b", "dm") - accuracies(sides, "a", "dm"))
    first = part.iloc[0]
    assert first["odds"] == first["only_second"] / first["only_first"] > 1
    differing = int(first["only_first"] + first["only_second"])
    assert first["p"] == stats.binomtest(int(first["only_second"]), differing).pvalue
    assert first["p_corrected"] >= first["p"] and first["low"] <= first["odds"] <= first["high"]


def test_over_all_variants_the_middle_runs_count(sides):
    (row,) = overall_frame(scored(sides)).to_dict("records")
    gaps = [accuracies(sides, "b", name) - accuracies(sides, "a", name) for name in ("dm", "li")]
    assert (row["metric"], row["pairs"], row["seeds"]) == ("accuracy", 2, 4)
    assert row["difference"] == pytest.approx(np.sort(np.concatenate(gaps))[2:-2].mean())
    assert row["low"] <= row["difference"] <= row["high"]


def test_a_folder_beside_itself_has_no_detail(sides, capsys):
    every = [compared(pair) for pair in pairs(load_runs(sides / "a"), load_runs(sides / "a"))[0]]
    assert seed_frame(every, PAIRED).empty and answer_frame(every).empty and overall_frame(every).empty
    assert main(["diff", str(sides / "a"), str(sides / "a"), "--detail"]) == 0
    assert "over seeds" not in capsys.readouterr().out


def test_the_false_discovery_rate_is_less_strict(tmp_path, capsys):
    losses = np.random.default_rng(0).gamma(2.0, 1.5, TOKENS)
    for k, gain in enumerate((0.05, 0.06, 0.07, 0.08, 0.0)):
        noise = np.random.default_rng(k).normal(0, 0.9, TOKENS)
        language_record(tmp_path / "a", f"rule{k}", 0, losses)
        language_record(tmp_path / "b", f"rule{k}", 0, np.maximum(losses + noise - gain, 0))
    every = scored(tmp_path)
    strict, lenient = (group_frame(every, way) for way in (HOLM, FALSE_DISCOVERY))
    assert (lenient["p_corrected"] <= strict["p_corrected"]).all()
    assert lenient["significant"].sum() > strict["significant"].sum() > 0
    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "b"), "--fdr", "--detail"]) == 0
    said = capsys.readouterr().out
    assert "p BH" in said and "Holm" not in said and said.count("significant: ") == lenient["significant"].sum()


def test_a_terminal_of_80_columns_breaks_no_number(sides, monkeypatch, capsys):
    monkeypatch.setattr(shown, "Console", lambda: Console(force_terminal=True, width=80, color_system=None))
    assert main(["diff", str(sides / "a"), str(sides / "b"), "--detail"]) == 0
    said = capsys.readouterr().out
    tables = said[said.index("over seeds:") :].splitlines()
    (row,) = [one for one in seed_frame(scored(sides), PAIRED).to_dict("records") if one["variant"] == "li"]
    assert any(f"[{shown.interval(row['g'], row['g_low'], row['g_high']).split('[')[1]}" in line for line in tables)
    assert max(len(line) for line in tables if "─" in line or "dm  " in line) <= 80
