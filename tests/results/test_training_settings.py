"""The table of training settings says what the configs of the records say, all of it where they differ."""

import pandas as pd

from results.reader import load_runs
from results.table_training.make import make, training_frame


def test_a_row_per_setting_with_all_values(tmp_path, record):
    for seed in range(2):
        record(tmp_path, "meaning", seed, lr=1e-4)
    record(tmp_path, "dm", 0, lr=3e-4)
    record(tmp_path, "dm", 0, dataset="trec", classes=6, precision="bf16")
    frame = training_frame(load_runs(tmp_path)).set_index("variant")
    row = frame.loc["step1_sentiment: sst5, minilm"]
    assert row["lr backbone"] == "0.0001, 0.0003" and row["seeds"] == 3 and row["updates"] == "640"
    assert len(row["records"].split()) == 3
    assert row["processor, torch"] == "Test 2.15" and row["edited"] == 1
    assert frame.loc["step1_sentiment: trec, minilm", "number format"] == "bf16"
    assert row["batch"] == "—"  # these records do not say


def test_its_files_are_written(tmp_path, record, capsys):
    record(tmp_path / "records", "dm", 0)
    paths = make(load_runs(tmp_path / "records"), tmp_path / "out")
    assert {path.name for path in paths} == {"table.csv", "table.md", "table.tex"}
    assert len(pd.read_csv(tmp_path / "out" / "table.csv")) == 1 and "training" in capsys.readouterr().out
    assert make([], tmp_path / "none") == []
