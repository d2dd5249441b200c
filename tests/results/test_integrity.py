"""A record that was changed after it was collected is refused; one that was not is read as before."""

import json

import pytest

from results.__main__ import main
from results.collect import collect
from results.integrity import DIGESTS, fingerprint, is_sealed, seal
from results.reader import RECORDS, RecordError, load_run, load_runs


@pytest.fixture
def sealed(tmp_path, record):
    folder = record(tmp_path / "records", "dm", 0)
    seal(folder)
    return folder


def test_collecting_notes_digests_and_the_record_is_read(tmp_path, record):
    source = record(tmp_path / "runs", "dm", 0)
    (collected,) = collect(tmp_path / "runs", tmp_path / "records")
    assert set(json.loads((collected / DIGESTS).read_text())) == {path.name for path in source.iterdir()}
    assert load_run(collected).final == load_run(source).final


@pytest.mark.parametrize("name", ["final.json", "config.json", "metrics.csv", "predictions_test.parquet"])
def test_a_hand_edited_file_is_named_with_what_to_do(sealed, name):
    path = sealed / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(RecordError, match=f"{name}.*changed after the run.*collect .* again.*run its config again"):
        load_runs(sealed.parent)


def test_files_added_or_taken_away_are_noticed(sealed):
    (sealed / "alphas.csv").rename(sealed / "kept")
    with pytest.raises(RecordError, match="alphas.csv.*missing"):
        load_run(sealed)
    (sealed / "kept").rename(sealed / "alphas.csv")
    load_run(sealed)
    (sealed / "evidence.parquet").write_bytes(b"")
    with pytest.raises(RecordError, match=r"evidence.parquet.*added"):
        load_run(sealed)


def test_every_record_of_the_study_is_sealed():
    open_records = [folder.parent.name for folder in RECORDS.glob("*/*/status.json") if not is_sealed(folder.parent)]
    assert not open_records and len(list(RECORDS.glob(f"*/*/{DIGESTS}"))) > 100


@pytest.mark.parametrize("content", ["{ half", "[1]", '"text"'])
def test_digests_that_are_none(sealed, content):
    (sealed / DIGESTS).write_text(content)
    with pytest.raises(RecordError, match=DIGESTS):
        load_run(sealed)


def test_sealing_takes_the_open_records_and_leaves_the_others(tmp_path, record, capsys):
    folders = [record(tmp_path, "dm", seed) for seed in range(2)]
    prints = [fingerprint(folder) for folder in folders]
    assert main(["seal", "--records", str(tmp_path)]) == 0
    assert "sealed 2 records" in capsys.readouterr().out
    assert [fingerprint(folder) for folder in folders] == prints
    (folders[0] / "final.json").write_text("{}")
    assert main(["seal", "--records", str(tmp_path)]) == 2
    assert "changed after the run" in capsys.readouterr().err
    with pytest.raises(RecordError):
        load_run(folders[0])
