"""What a run leaves behind, and that training means what its config says."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score

from common.training import RunRecord, evaluate, fit, is_finished
from common.training.flops import flops_per_token, forward_flops
from common.training.progress import Selection
from tests.common.training import toy

ROOT = Path(__file__).parents[3]


def read(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    runtime = {"logger": "tensorboard", "progress": True}
    config = toy.toy_config(tmp_path_factory.mktemp("runs"), epochs=6, lr_backbone=0.01, lr_head=0.01, runtime=runtime)
    return toy.run(config)


def test_files_of_a_finished_run(folder):
    assert is_finished(folder)
    assert read(folder, "status.json") == {
        "status": "finished", "step": 78, "message": "", "last_good_checkpoint": "",
    }  # fmt: skip
    config = read(folder, "config.json")
    assert (config["step"], config["name"]) == ("toy", "mlp") and folder.name == f"mlp-{config['hash']}"
    assert config["config"]["train"]["epochs"] == 6 and "runtime" not in config["config"]
    assert {"python", "torch", "lightning", "cpu", "git_commit", "started", "device"} <= set(
        read(folder, "environment.json")
    )
    metrics = pd.read_csv(folder / "metrics.csv")
    assert list(metrics.columns) == ["step", "epoch", "split", "metric", "value"]
    assert set(metrics.metric[metrics.split == "train"]) == {"loss", "grad_norm", "double"}
    scored = metrics[(metrics.split == "validation") & (metrics.metric == "accuracy")]
    assert list(scored.step) == [13, 26, 39, 52, 65, 78] and list(scored.epoch) == [1, 2, 3, 4, 5, 6]
    alphas = pd.read_csv(folder / "alphas.csv")
    assert list(alphas.columns) == ["step", "quantity", "stream", "site", "value"]
    assert sorted(set(alphas.step)) == [0, 1, 2, 4, 8, 13, 16, 26, 32, 39, 52, 64, 65, 78]
    assert set(alphas.quantity) == {"alpha", "gradient"}
    assert not alphas.duplicated(["step", "quantity", "stream", "site"]).any()
    assert not list(folder.rglob(".*"))
    assert list((folder / "tensorboard").iterdir())


def test_best_weights_are_scored(folder):
    final = read(folder, "final.json")
    metrics = pd.read_csv(folder / "metrics.csv")
    scored = metrics[(metrics.split == "validation") & (metrics.metric == "accuracy")]
    assert final["validation_accuracy"] == scored.value.max() > 0.6
    assert final["best_step"] == scored.step[scored.value.idxmax()]
    assert final["steps"] == 78 and final["step_time_ms"] > 0
    parts = sum(final[f"parameters_{part}"] for part in ("backbone", "streams", "integration", "head"))
    assert final["parameters"] == parts == final["parameters_trainable"]
    for split in ("validation", "test"):
        table = pd.read_parquet(folder / f"predictions_{split}.parquet")
        assert list(table.columns) == ["example", "label", "p_0", "p_1", "p_2"] and table.p_0.dtype == np.float32
        probabilities = table[["p_0", "p_1", "p_2"]].to_numpy()
        assert list(table.example) == list(range(30)) and np.allclose(probabilities.sum(1), 1)
        assert accuracy_score(table.label, probabilities.argmax(1)) == pytest.approx(final[f"{split}_accuracy"])


def test_predictions_keep_the_order_of_the_examples():
    config = toy.toy_config("unused")
    task, loader = toy.ToyTask(config, Path()), toy.toy_loaders(config)["test"]
    outputs, _ = evaluate(task, loader, torch.device("cpu"))
    assert outputs["labels"].tolist() == [label for _, label in loader.items]
    assert task.training


def trained(runs_dir, **options) -> dict[str, torch.Tensor]:
    folder = toy.run(toy.toy_config(runs_dir, **options))
    return torch.load(folder / "checkpoints" / "last.ckpt")["task"]


def test_accumulation_equals_a_big_batch(tmp_path, monkeypatch):
    """Also in the last, smaller step of an epoch."""

    def plain_loaders(config):
        loaders = toy.toy_loaders(config)
        for loader in loaders.values():
            loader.bucket = False
        return loaders

    def result(**options) -> dict[str, torch.Tensor]:
        config = toy.toy_config(tmp_path, examples=33, epochs=1, **options)
        record = RunRecord.open(tmp_path, "toy", "mlp", config)
        torch.manual_seed(0)
        task = toy.ToyTask(config, record.folder)
        task.model.backbone[3].p = 0.0
        monkeypatch.setattr(task, "training_forward", without_stream_dropout(task))
        fit(task, plain_loaders(config), config.train, config.runtime, record.folder, record)
        return task.state_dict()

    small, large = result(batch_size=5, accumulate=4), result(batch_size=20)
    assert all(torch.allclose(small[name], large[name], atol=1e-6) for name in small)


def without_stream_dropout(task):
    def forward(batch):
        return torch.nn.functional.cross_entropy(task.model(batch["x"], False), batch["labels"]), {}

    return forward


def test_same_seed_same_run_other_seed_other_run(tmp_path):
    first, again = trained(tmp_path / "a", epochs=1), trained(tmp_path / "b", epochs=1)
    other = trained(tmp_path / "c", epochs=1, seed=1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["model.head.weight"], other["model.head.weight"])


def test_tracing_does_not_touch_the_training(tmp_path, monkeypatch):
    traced = trained(tmp_path / "a", epochs=1)
    monkeypatch.setattr(toy.ToyTask, "wants_trace", lambda self, step: False)
    plain = trained(tmp_path / "b", epochs=1)
    assert all(torch.equal(traced[name], plain[name]) for name in traced)


def test_frozen_backbone_stays(tmp_path):
    config = toy.toy_config(tmp_path, lr_backbone=0.0)
    torch.manual_seed(0)
    before = toy.ToyModel().state_dict()
    after = torch.load(toy.run(config) / "checkpoints" / "best.ckpt")["task"]
    assert torch.equal(before["backbone.0.weight"], after["model.backbone.0.weight"])
    assert not torch.equal(before["head.weight"], after["model.head.weight"])


@pytest.mark.parametrize("mode", ["max", "min"])
def test_early_stopping(tmp_path, mode, monkeypatch):
    values = iter([0.5, 0.7, 0.6, 0.65, 0.6, 0.9, 0.9, 0.9])
    sign = 1 if mode == "max" else -1
    monkeypatch.setattr(toy.ToyTask, "metrics", lambda self, outputs: {"score": sign * next(values)})
    options = {"epochs": 9, "patience": 2, "select_metric": "score", "select_mode": mode}
    folder = toy.run(toy.toy_config(tmp_path, **options))
    final = read(folder, "final.json")
    assert final["best_step"] == 26 and final["steps"] == 52
    assert set(torch.load(folder / "checkpoints" / "best.ckpt")) == {"step", "task"}


def test_selection_counts_evaluations_without_gain():
    selection, config = Selection(), toy.toy_config("unused", patience=0).train
    assert [selection.update(value, step, config) for step, value in enumerate([1.0, 1.0, 2.0, 0.0])] == [
        True, False, True, False,
    ]  # fmt: skip
    assert not selection.stopped and selection.best_step == 2


def test_unknown_select_metric_names_the_known_ones(tmp_path):
    config = toy.toy_config(tmp_path, select_metric="f1")
    with pytest.raises(ValueError, match="no validation metric 'f1'; there are accuracy, loss"):
        toy.run(config)
    status = read(RunRecord.open(tmp_path, "toy", "mlp", config).folder, "status.json")
    assert status["status"] == "failed" and "f1" in status["message"]


def test_bf16_and_compile(tmp_path, monkeypatch):
    compiled = []
    monkeypatch.setattr(toy.ToyModel, "compile", lambda self: compiled.append(self))
    assert is_finished(toy.run(toy.toy_config(tmp_path, epochs=1, precision="bf16", compile=True)))
    assert compiled


def test_caller_adds_to_the_record(tmp_path):
    config = toy.toy_config(tmp_path, epochs=1)
    record = RunRecord.open(tmp_path, "toy", "mlp", config)
    with record.running(data_name="random"):
        task = toy.ToyTask(config, record.folder)
        fit(task, toy.toy_loaders(config), config.train, config.runtime, record.folder, record)
        assert not is_finished(record.folder)
        record.final["extra"] = 1
        record.words([("not", 3, "phonetic", 0.5, 7)])
        record.importance({"split": "validation"})
    assert is_finished(record.folder)
    assert read(record.folder, "final.json")["extra"] == 1
    environment = read(record.folder, "environment.json")
    assert environment["data_name"] == "random"
    assert environment["precision"] == "fp32" and environment["device"] == "cpu"  # what fit adds, the record being open
    assert pd.read_parquet(record.folder / "words.parquet").to_dict("list") == {
        "word": ["not"], "count": [3], "stream": ["phonetic"], "contribution": [0.5], "train_count": [7],
    }  # fmt: skip


def test_missing_parts_missing_splits_missing_wandb(tmp_path, monkeypatch):
    config = toy.toy_config(tmp_path)
    record = RunRecord.open(tmp_path, "toy", "mlp", config)
    loaders = toy.toy_loaders(config)
    task = toy.ToyTask(config, record.folder)
    with pytest.raises(ValueError, match="loaders lack .'validation'"):
        fit(task, {"train": loaders["train"]}, config.train, config.runtime, record.folder, record)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install wandb"):
        runtime = replace(config.runtime, logger="wandb")
        fit(task, loaders, config.train, runtime, record.folder, record)
    task.model = torch.nn.Linear(2, 2)
    with pytest.raises(TypeError, match="Linear needs a method parts"):
        task.parts()


def test_flops():
    task = toy.ToyTask(toy.toy_config("unused"), Path())
    batch = {"x": torch.randn(7, toy.WIDTH), "labels": torch.zeros(7, dtype=torch.long)}
    expected = 2 * 7 * (toy.WIDTH * 16 * 2 + 16 * 16 + 16 * toy.CLASSES)
    assert forward_flops(task, batch) == expected
    assert flops_per_token(task, batch | {"input_ids": torch.zeros(7, 10)}) == expected / 70
    assert task.training


def test_a_run_of_one_step(tmp_path):
    final = read(toy.run(toy.toy_config(tmp_path, epochs=1, examples=3)), "final.json")
    assert final["steps"] == 1 and final["step_time_ms"] > 0


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_gpu(tmp_path, precision):
    config = toy.toy_config(tmp_path, precision=precision, epochs=6, lr_head=0.01, runtime={"device": "cuda"})
    folder = toy.run(config)
    assert read(folder, "final.json")["validation_accuracy"] > 0.5
    assert read(folder, "environment.json")["device"] == "cuda"


def test_two_processes_train_together(tmp_path):
    options = {"epochs": 1, "runtime": {"devices": 2}}
    command = [sys.executable, "-m", "tests.common.training.toy", str(tmp_path), json.dumps(options)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    (folder,) = (tmp_path / "toy").iterdir()
    assert is_finished(folder)
    assert read(folder, "final.json")["steps"] == 7  # 13 batches over two processes
    assert read(folder, "environment.json")["devices"] == 2
