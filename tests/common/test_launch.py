"""Many runs: finished ones are skipped, a failed one is reported, a killed one resumes, none is lost."""

import json
from pathlib import Path

import pytest
import ray

from common.launch import _attempt_in, launch
from common.training import is_finished, run_folder
from tests.common.training.toy import ToyConfig, run, toy_config


def folder(config: ToyConfig) -> Path:
    return run_folder(config.runtime.runs_dir, "toy", "mlp", config)


def loss(path: Path) -> float:
    return json.loads((path / "final.json").read_text())["test_loss"]


def test_serial(tmp_path, capsys):
    configs = [toy_config(tmp_path, epochs=1, seed=seed, poison=3 if seed == 1 else -1) for seed in range(3)]
    run(configs[0])
    outcomes = launch(configs, run, folder)
    assert [outcome.status for outcome in outcomes] == ["skipped", "failed", "finished"]
    assert [outcome.config for outcome in outcomes] == configs
    assert "TrainingFailed: the loss is nan at step 3" in outcomes[1].message
    assert is_finished(outcomes[2].folder) and not is_finished(outcomes[1].folder)
    printed = capsys.readouterr().out
    assert "[3/3]" in printed and "3 runs" in printed and "failed" in printed
    assert [outcome.status for outcome in launch(configs[::2], run, folder, show=False)] == ["skipped", "skipped"]
    assert not capsys.readouterr().out
    nameless = launch(configs[:2], run)
    assert [outcome.ok for outcome in nameless] == [True, False]
    assert nameless[0].folder == outcomes[0].folder and nameless[1].folder is None
    assert "run 2: failed" in capsys.readouterr().out


def test_interrupt_stops_everything(tmp_path):
    def stop(config):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        launch([toy_config(tmp_path)], stop, folder)


def test_unknown_engine():
    with pytest.raises(ValueError, match="serial or ray"):
        launch([], run, folder, engine="slurm")


@pytest.mark.parametrize(("cpus", "gpus"), [(0, 0.0), (1, -1.0)])
def test_senseless_resources(cpus, gpus):
    with pytest.raises(ValueError, match="at least one core"):
        launch([], run, folder, engine="ray", cpus=cpus, gpus=gpus)


@pytest.mark.xdist_group("ray")
def test_resources_that_the_cluster_lacks_are_an_error_and_no_endless_wait(tmp_path):
    with pytest.raises(ValueError, match="wants 1000 GPU, but the Ray cluster has"):
        launch([toy_config(tmp_path)], run, folder, engine="ray", workers=1, gpus=1000, show=False)
    assert not ray.is_initialized()


def test_a_worker_goes_to_the_folder_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # and back at the end
    (tmp_path / "here").mkdir()
    outcome = _attempt_in(str(tmp_path / "here"), 0, None, lambda _: Path("run").resolve())
    assert outcome.folder == tmp_path / "here" / "run"
    assert "has no folder" in _attempt_in(str(tmp_path / "away"), 0, None, lambda _: Path("run")).message


@pytest.mark.xdist_group("ray")
def test_ray_with_two_workers_one_killed(tmp_path):
    configs = [
        toy_config(tmp_path / "ray", seed=0, kill=9),
        toy_config(tmp_path / "ray", seed=1),
        toy_config(tmp_path / "ray", seed=2, poison=3),
    ]
    outcomes = launch(configs, run, folder, engine="ray", workers=2, show=False)
    assert not ray.is_initialized()
    assert [outcome.status for outcome in outcomes] == ["finished", "finished", "failed"], outcomes
    assert "loss is nan at step 3" in outcomes[2].message
    assert (outcomes[0].folder / "killed").exists()
    for seed in (0, 1):
        plain = run(toy_config(tmp_path / "plain", seed=seed))
        assert loss(plain) == loss(outcomes[seed].folder)
