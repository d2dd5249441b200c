"""Collecting records from run folders."""

import json

from results.collect import collect, main


def run_folder(root, name, status):
    folder = root / "step1_sentiment" / name
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "model.safetensors").write_bytes(b"weights")
    for file in ("config.json", "final.json", "environment.json"):
        (folder / file).write_text("{}")
    (folder / "status.json").write_text(json.dumps({"status": status}))
    return folder


def test_only_finished_runs_and_no_weights(tmp_path):
    run_folder(tmp_path / "runs", "dm-1", "finished")
    run_folder(tmp_path / "runs", "dm-2", "running")
    records = tmp_path / "records"
    assert collect(tmp_path / "runs", records) == [records / "step1_sentiment" / "dm-1"]
    names = {path.name for path in (records / "step1_sentiment").rglob("*")}
    assert names == {"dm-1", "config.json", "final.json", "environment.json", "status.json", "digests.json"}


def test_a_record_is_replaced_whole(tmp_path):
    folder = run_folder(tmp_path / "runs", "dm-1", "finished")
    (record,) = collect(tmp_path / "runs", tmp_path / "records")
    (record / "stale.json").write_text("{}")
    (folder / "final.json").write_text('{"test_accuracy": 1}')
    collect(tmp_path / "runs", tmp_path / "records")
    assert not (record / "stale.json").exists()
    assert (record / "final.json").read_text() == '{"test_accuracy": 1}'


def test_a_damaged_status_is_named(tmp_path, capsys):
    folder = run_folder(tmp_path / "runs", "dm-1", "finished")
    (folder / "status.json").write_text("{")
    assert main([str(tmp_path / "runs"), "--records", str(tmp_path / "records")]) == 2
    assert f"error: {folder / 'status.json'}: no valid JSON" in capsys.readouterr().err


def test_nothing_to_collect_is_said(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "no finished run" in capsys.readouterr().err
