"""Missing runs are started by the step's own command, which passes over what the records hold."""

import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from common.command import StepCommand
from results.__main__ import main
from results.catalogue import catalogue
from results.integrity import is_sealed
from results.start import collect_new, finished, follow_up, start

TABLES = ("table1_sentiment", "table1_ablation", "table2_mlm", "table3_gpt", "table4_vision_language")


@pytest.mark.parametrize("name", (*TABLES, "table5_alpha_validity"))
def test_the_step_accepts_the_printed_command(name, capsys, monkeypatch):
    options = ["--preset", "quick", "--seeds", "1", "2", "--engine", "ray", "--workers", "3", "--runtime.device", "cpu"]
    rows = catalogue()[name].variants
    chosen = ["--variants", *rows] if len(catalogue()[name].rows) > 1 else []  # other rows on each of its data
    assert main(["run", name, *options, *chosen, "--dry-run"]) == 0
    python, flag, step, command, *arguments = shlex.split(capsys.readouterr().out)
    assert (python, flag, step, command) == (sys.executable, "-m", catalogue()[name].step, "table")
    seen = []

    def make_table(self, known, rest):
        seen.append((known, self.parse(known.preset, known.variants[-1], rest)[1]))
        assert all(self.variant(self.presets[known.preset](), variant) for variant in known.variants)
        return 0

    monkeypatch.setattr(StepCommand, "_make_table", make_table)
    assert import_module(f"{step}.__main__").COMMAND.main([command, *arguments]) == 0
    ((known, runtime),) = seen
    assert tuple(known.variants) == rows and known.seeds == [1, 2]
    assert (known.engine, known.workers, runtime.device, runtime.runs_dir) == ("ray", 3, "cpu", "runs")


def test_the_command_line_loads_no_model_code_and_no_step():
    code = (
        "import sys, results.__main__; "
        "print([m for m in sys.modules if m.split('_')[0].startswith('step') or m in ('torch', 'alpha_validity')])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_data_choose_the_rows(capsys):
    assert main(["run", "table1_sentiment", "--preset", "small", "--data.name", "trec", "--dry-run"]) == 0
    arguments = shlex.split(capsys.readouterr().out)
    rows = arguments[arguments.index("--variants") + 1 : arguments.index("--seeds")]
    assert tuple(rows) == catalogue()["table1_sentiment"].rows["trec"]
    assert arguments[arguments.index("--data.name") + 1] == "trec"


def test_every_task_on_the_data_has_its_rows(capsys):
    assert main(["run", "table4_vision_language", "--preset", "small", "--data.name", "scenes", "--dry-run"]) == 0
    arguments = shlex.split(capsys.readouterr().out)
    rows = arguments[arguments.index("--variants") + 1 : arguments.index("--seeds")]
    assert rows == list(catalogue()["table4_vision_language"].rows["scenes, questions"])


@pytest.mark.parametrize("name", ["table1_sentiment", "figure_efficiency", "table4_vision_language"])
def test_where_each_of_the_data_has_other_rows_one_must_be_named(name, capsys):
    assert main(["run", name, "--preset", "small", "--dry-run"]) == 2
    assert "choose by --data.name, or by --" in " ".join(capsys.readouterr().err.split())


def test_runs_that_lack_the_file_of_a_table_are_evaluated_further(tmp_path, record):
    entry, runs = catalogue()["table8_robustness"], tmp_path / "runs" / "step1_sentiment"
    done, lacking, other = (record(tmp_path / "runs", name, 0) for name in ("dm", "li", "gmu"))
    (done / entry.file).write_text("{}")
    command = follow_up(entry, runs, entry.variants, "sst5")
    assert command == [sys.executable, "-m", "step1_sentiment", "robustness", "--run", str(lacking)]
    assert follow_up(entry, runs, entry.variants, "trec") == []
    assert follow_up(catalogue()["table2_mlm"], runs, ("li",), None) == []
    assert [run.folder for run in finished(runs, entry.file)] == [done] and other.exists()
    assert collect_new([], runs, tmp_path / "records", entry.file)[0].name == done.name
    script = f"from pathlib import Path; raise SystemExit(len(list(Path({str(tmp_path / 'new')!r}).iterdir())))"
    (tmp_path / "new").mkdir()  # where only the record with the file is lent
    assert start([sys.executable, "-c", script], tmp_path / "new", runs, entry.file) == 1


def test_records_stand_among_the_runs_while_the_command_runs(tmp_path, record):
    kept = record(tmp_path / "records", "dm", 0)
    begun = record(tmp_path / "records", "li", 0)
    runs = tmp_path / "runs" / "step1_sentiment"
    (runs / begun.name).mkdir(parents=True)
    script = (
        f"from pathlib import Path; runs = Path({str(runs)!r});"
        f"assert (runs / {kept.name!r} / 'final.json').exists();"
        f"assert not any((runs / {begun.name!r}).iterdir()); raise SystemExit(7)"
    )
    assert start([sys.executable, "-c", script], runs, kept.parent) == 7
    assert [path.name for path in runs.iterdir()] == [begun.name] and (kept / "final.json").exists()


def test_only_settings_that_got_a_run_are_collected(tmp_path, record):
    runs, records = tmp_path / "runs", tmp_path / "records"
    older = record(runs, "dm", 0, dataset="sst5")
    record(runs, "dm", 0, dataset="planted")  # a try on other data
    before = finished(runs / "step1_sentiment")
    assert collect_new(before, runs / "step1_sentiment", records) == []
    new = record(runs, "dm", 1, dataset="sst5")
    record(runs, "dm", 2, dataset="sst5", status="failed")
    collected = collect_new(before, runs / "step1_sentiment", records)
    assert {folder.name for folder in collected} == {older.name, new.name}
    assert all(map(is_sealed, collected))
