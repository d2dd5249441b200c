"""One run of step 1, start to finish: data → model → training → record, model folder and analysis."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Sequence

import torch
from pytorch_lightning import seed_everything

from common.data import load_text
from common.data.text import DataConfig, DataError
from common.models.backbones import resolve_backbone
from common.training.checkpoint import Checkpoints
from common.training.config import RuntimeConfig
from common.training.flops import flops_per_token
from common.training.precision import autocast
from common.training.record import RunRecord, is_finished, refuse_changed, refuse_other_fingerprint, run_folder
from common.training.task import to_device
from common.training.trainer import fit
from step1_sentiment.analysis import contributions_by_word, importance
from step1_sentiment.config import SentimentConfig
from step1_sentiment.data import SentimentData, build_data
from step1_sentiment.model import build_model
from step1_sentiment.task import SentimentTask

STEP = "step1_sentiment"


def folder_of(config: SentimentConfig, runtime: RuntimeConfig) -> Path:
    """Where the run of `config` lives: ``<runs_dir>/step1_sentiment/<name>-<hash>``."""
    config = config.named()
    return run_folder(runtime.runs_dir, STEP, config.name, config)


def run(config: SentimentConfig, runtime: RuntimeConfig) -> Path:
    """Train, evaluate and analyse one config; returns its folder.

    A finished run is left as it is; an interrupted one resumes.

    Raises:
        ValueError: the data are not those that the folder's run began with.
    """
    config = config.named()
    folder = folder_of(config, runtime)
    if is_finished(folder):
        refuse_changed_data([config], runtime)
        return folder
    if runtime.threads:
        torch.set_num_threads(runtime.threads)
    data = build_data(config, runtime)
    refuse_other_fingerprint(folder, data.text.fingerprint)
    seed_everything(config.train.seed, verbose=False)
    task = SentimentTask(build_model(config, data.processor, len(data.text.label_names)), data.text.ordinal)
    record = RunRecord.open(runtime.runs_dir, STEP, config.name, config)
    with record.running(**sources(config, data)):
        fit(task, data.loaders, config.train, runtime, folder, record)
        with torch.no_grad(), autocast(config.train.precision, next(task.parameters()).device):
            analyse(config, task, data, record)
        task.model.save_pretrained(folder / "model")
        data.processor.save_pretrained(folder / "model")
    if record.active:
        Checkpoints(folder / "checkpoints").clear()  # the best weights are in model/, and a finished run never resumes
    return folder


def refuse_changed_data(configs: Sequence[SentimentConfig], runtime: RuntimeConfig) -> None:
    """Raise ValueError where the data of a finished run have changed since."""
    refuse_changed(((folder_of(config, runtime), config.data) for config in configs), _fingerprint, DataError)


def _fingerprint(data: DataConfig) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said when the run began
        return load_text(data).fingerprint


def sources(config: SentimentConfig, data: SentimentData) -> dict[str, Any]:
    """What the environment file says of data and weights."""
    return {
        "data_name": data.text.name,
        "data_source": data.text.source,
        "data_fingerprint": data.text.fingerprint,
        "data_train_examples": len(data.text.splits["train"]),
        "data_train_examples_whole": data.text.whole_train,
        "data_warnings": list(data.text.warnings),
        "label_names": list(data.text.label_names),
        "backbone_source": resolve_backbone(config.backbone).description,
    }


def analyse(config: SentimentConfig, task: SentimentTask, data: SentimentData, record: RunRecord) -> None:
    """With the best weights loaded: FLOPs, contributions by word (test), importance of the streams (validation)."""
    model, device = task.model, next(task.parameters()).device
    model.eval()
    validation = data.loaders["validation"]
    batch = to_device(validation.collate(list(validation.items[: validation.batch_size])), device)
    record.final["flops_per_token"] = flops_per_token(task, batch)
    if len(model.integration.names) > 1:
        items = [encoded for encoded, _ in data.loaders["test"].items]
        train_items = [encoded for encoded, _ in data.loaders["train"].items]
        record.words(contributions_by_word(model, data.processor, items, device, train_items))
        if config.importance:
            record.importance(importance(model, validation, device))
