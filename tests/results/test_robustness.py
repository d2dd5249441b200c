"""Table 8 from synthetic records: losses and gains by hand, missing rows as missing, other texts refused."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from results.integrity import sha256
from results.reader import RecordError, load_run, load_runs, where
from results.table8_robustness.configs import CLEAN, VARIANTS
from results.table8_robustness.make import make
from results.table8_robustness.rows import robustness_frame
from results.tables import compared

PLACES = [(CLEAN, 0.0, 1), ("typo", 0.1, 2), ("typo", 0.3, 2), ("homophone", 0.3, 1)]
"""Kind, rate, draws."""


def evaluate(folder, flipped=0.2, without=("phonetic",), texts="a", skip=()):
    """Writes what the command would: of every draw a share of the examples that were right goes wrong."""
    run = load_run(folder)
    clean = run.predictions("test")
    labels = clean["label"].to_numpy()
    right = run.correct("test")
    random = np.random.default_rng(run.seed)
    rows, conditions = [], []
    for kind, rate, draws in PLACES:
        for draw in range(draws if kind not in skip else 0):
            lost = random.random(len(labels)) < (flipped if kind != CLEAN else 0)
            found = {"": right & ~lost} | {gone: right & ~lost & (labels != 0) for gone in without}
            for gone, correct in found.items():
                predicted = np.where(correct, labels, (labels + 1) % 5)
                rows.append(pd.DataFrame({
                    "example": clean.index, "kind": kind, "rate": rate, "draw": draw, "without": gone,
                    "label": labels, "predicted": predicted, "changed": int(rate * 10),
                }))  # fmt: skip
            conditions.append({
                "kind": kind, "rate": rate, "draw": draw, "words": 1000, "eligible": 500,
                "changed": int(rate * 500) + draw,
                "texts_sha256": f"{texts}{kind}{rate}{draw}", "accuracy": float(found[""].mean()), "without": {},
            })  # fmt: skip
    pd.concat(rows).to_parquet(folder / "robustness.parquet", index=False)
    content = {"conditions": conditions, "stream_dropout": 0.2 * run.name.endswith("dropout")}
    content["predictions_sha256"] = sha256(folder / "robustness.parquet")
    (folder / "robustness.json").write_text(json.dumps(content))


@pytest.fixture
def root(tmp_path, record):
    for seed in range(2):
        evaluate(record(tmp_path, "meaning", seed, 0.6), 0.3, without=())
        evaluate(record(tmp_path, "dm", seed, 0.6), 0.1)
        evaluate(record(tmp_path, "duplicate", seed, 0.6), 0.3, without=("duplicate_of_phonetic",))
    evaluate(record(tmp_path, "dm_dropout", 0, 0.6))
    record(tmp_path, "li", 0, 0.6)  # not evaluated
    evaluate(record(tmp_path, "concat", 0, 0.6))  # no row of this table
    return tmp_path


def scores(root, name, kind, rate, without=""):
    found = []
    for run in load_runs(root):
        if run.name == name:
            _, frame = run.robustness
            part = where(frame, kind=kind, rate=rate, without=without)
            found.append((part["label"] == part["predicted"]).groupby(part["example"]).mean().to_numpy())
    return np.stack(found)


def test_numbers_are_those_by_hand(root):
    frame = robustness_frame(load_runs(root))
    row = where(frame, kind="typo", rate=0.3, variant="dm").iloc[0]
    here, clean = scores(root, "dm", "typo", 0.3), scores(root, "dm", CLEAN, 0.0)
    base, base_clean = scores(root, "meaning", "typo", 0.3), scores(root, "meaning", CLEAN, 0.0)
    assert here.shape == (2, 120) and set(np.unique(here)) == {0, 0.5, 1}  # two draws are one example
    assert row["accuracy_mean"] == pytest.approx(here.mean()) and row["clean_mean"] == pytest.approx(clean.mean())
    assert row["loss_mean"] == pytest.approx((clean - here).mean())
    assert row["loss_std"] == pytest.approx((clean - here).mean(1).std(ddof=1))
    assert row["difference"] == pytest.approx((here - base).mean())
    assert row["spared"] == pytest.approx((here - clean - base + base_clean).mean())
    assert row["spared_low"] < row["spared"] < row["spared_high"]
    assert row["difference_p"] == compared(here, base, 2000)["difference_p"]
    assert row["words"] == 1000 and row["changed"] == 150.5 and row["draws"] == 2
    gone = scores(root, "dm", "typo", 0.3, "phonetic") - here
    assert row["without_phonetic_mean"] == pytest.approx(gone.mean())


def test_rows_stand_in_order_and_what_is_missing_is_missing(root):
    frame = robustness_frame(load_runs(root))
    for _, part in frame.groupby("section"):
        assert tuple(part["variant"]) == VARIANTS
        seeds = part.set_index("variant")["seeds"]
        assert seeds["li"] == seeds["shuffled"] == 0 and seeds["dm"] == 2
    assert list(dict.fromkeys(zip(frame["kind"], frame["rate"], strict=True))) == [
        ("typo", 0.1), ("typo", 0.3), ("homophone", 0.3),
    ]  # fmt: skip
    meaning = where(frame, variant="meaning").iloc[0]
    assert math.isnan(meaning["difference"]) and math.isnan(meaning["without_phonetic_mean"])
    assert not math.isnan(where(frame, variant="duplicate").iloc[0]["without_phonetic_mean"])
    single = where(frame, variant="dm_dropout").iloc[0]
    assert math.isnan(single["accuracy_std"]) and single["difference_seeds"] == 1


def test_holm_is_over_all_rates_of_a_kind(root):
    frame = robustness_frame(load_runs(root))
    typos = where(frame, kind="typo").dropna(subset=["difference_p"]).sort_values("difference_p")
    assert len(typos) == 6
    assert typos["difference_p_holm"].iloc[0] == pytest.approx(min(1.0, 6 * typos["difference_p"].iloc[0]))
    assert (typos["difference_p_holm"] >= typos["difference_p"]).all()


def test_files_are_the_same_each_time_and_name_what_is_absent(root, tmp_path):
    first, second = (make(load_runs(root), tmp_path / name) for name in "ab")
    names = [path.name for path in first]
    assert names == ["table.csv", "table.md", "table.tex", "sst5_minilm-rates.pdf", "sst5_minilm-rates.png"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    text = first[1].read_text()
    assert "No run was evaluated on perturbed texts yet of: shuffled, dm_equal, li." in text
    assert "| li |" not in text and "trained to miss streams: dm_dropout" in text
    assert "## sst5, minilm: homophones, 30 % of the eligible words" in text and "concat" not in text


def test_with_no_evaluated_run_it_says_so(records, tmp_path):
    paths = make(load_runs(records), tmp_path)
    assert [path.name for path in paths] == ["table.csv", "table.md", "table.tex"]
    assert paths[1].read_text() == f"No run was evaluated on perturbed texts yet of: {', '.join(VARIANTS)}.\n"
    assert pd.read_csv(paths[0]).empty


def test_without_the_baseline_nothing_is_compared(tmp_path, record):
    evaluate(record(tmp_path, "dm", 0, 0.6), skip=("homophone",))
    frame = robustness_frame(load_runs(tmp_path))
    assert frame["difference"].isna().all() and set(frame["kind"]) == {"typo"}
    assert len(make(load_runs(tmp_path), tmp_path / "out")) == 5


def test_other_texts_under_one_name_are_refused(tmp_path, record):
    evaluate(record(tmp_path, "meaning", 0, 0.6), texts="a")
    evaluate(record(tmp_path, "dm", 0, 0.6), texts="b")
    with pytest.raises(RecordError, match="different texts as clean 0"):
        robustness_frame(load_runs(tmp_path))


def test_predictions_of_another_evaluation_are_refused(tmp_path, record):
    folder = record(tmp_path, "dm", 0, 0.6)
    evaluate(folder)
    pd.read_parquet(folder / "robustness.parquet").iloc[:-1].to_parquet(folder / "robustness.parquet")
    with pytest.raises(RecordError, match="not of the predictions beside it"):
        robustness_frame(load_runs(tmp_path))


def test_a_clean_accuracy_that_contradicts_the_record_is_refused(tmp_path, record):
    folder = record(tmp_path, "dm", 0, 0.6)
    evaluate(folder)
    final = json.loads((folder / "final.json").read_text())
    (folder / "final.json").write_text(json.dumps(final | {"test_accuracy": final["test_accuracy"] + 0.02}))
    with pytest.raises(RecordError, match="clean accuracy differs"):
        robustness_frame(load_runs(tmp_path))
