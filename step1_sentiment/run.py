"""One run of step 1, start to finish: data → model → training → record, model folder and analysis."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytorch_lightning as pl
import torch

from common.models.backbones import resolve_backbone
from common.training.config import RuntimeConfig, config_hash
from common.training.record import RunRecord, is_finished
from common.training.trainer import fit
from step1_sentiment.analysis import contributions_by_word, importance
from step1_sentiment.config import SentimentConfig
from step1_sentiment.data import SentimentData, build_data
from step1_sentiment.model import build_model
from step1_sentiment.task import SentimentTask

STEP = "step1_sentiment"


def run_folder(config: SentimentConfig, runtime: RuntimeConfig) -> Path:
    """Where the run of `config` lives: ``<runs_dir>/step1_sentiment/<name>-<hash>``."""
    return Path(runtime.runs_dir) / STEP / f"{config.name}-{config_hash(STEP, config)}"


def run(config: SentimentConfig, runtime: RuntimeConfig) -> Path:
    """Train, evaluate and analyse one config; returns its folder. A finished run is left as it is, an interrupted
    one resumes."""
    folder = run_folder(config, runtime)
    if is_finished(folder):
        return folder
    if runtime.threads:
        torch.set_num_threads(runtime.threads)
    pl.seed_everything(config.train.seed, verbose=False)
    data = build_data(config, runtime)
    pl.seed_everything(config.train.seed, verbose=False)  # the model's start does not depend on what loading drew
    model = build_model(config, data.processor, len(data.text.label_names))
    task = SentimentTask(model)
    record = RunRecord(folder, STEP, config.name, asdict(config))
    record.environment |= {
        "data_name": data.text.name,
        "data_source": data.text.source,
        "data_fingerprint": data.text.fingerprint,
        "data_warnings": list(data.text.warnings),
        "label_names": list(data.text.label_names),
        "backbone_source": resolve_backbone(config.backbone).description,
    }
    fit(task, data.loaders, config.train, runtime, folder, record, finish=lambda: _finish(config, task, data, record))
    return folder


def _finish(config: SentimentConfig, task: SentimentTask, data: SentimentData, record: RunRecord) -> None:
    """With the best weights loaded, before the run counts as finished: analysis, model folder, parameter counts."""
    model, device = task.model, next(task.parameters()).device
    model.eval()
    record.final |= parameter_counts(task)
    test_items = [encoded for encoded, _ in data.loaders["test"].items]
    if len(model.integration.names) > 1:
        record.write_table("words.parquet", contributions_by_word(model, data.processor, test_items, device))
        if config.importance:
            record.write_json("importance.json", importance(model, data.loaders["validation"], device))
    model.save_pretrained(record.folder / "model")
    data.processor.save_pretrained(record.folder / "model")


def parameter_counts(task: SentimentTask) -> dict[str, int]:
    """Total parameters, those that train, and those of the integration and of the secondary streams."""
    def count(modules) -> int:
        return sum(p.numel() for module in modules for p in module.parameters())

    parts = task.model.parts()
    return {
        "parameters": sum(p.numel() for p in task.parameters()),
        "parameters_trained": sum(p.numel() for p in task.parameters() if p.requires_grad),
        "parameters_integration": count(parts["integration"]),
        "parameters_streams": count(parts["streams"]),
    }
