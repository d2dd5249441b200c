"""One run of step 1, start to finish: data → model → training → record, model folder and analysis."""

from __future__ import annotations

import warnings
from operator import attrgetter
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import seed_everything

from common.data import load_text
from common.data.text import DataConfig, DataError
from common.models.backbones import resolve_backbone
from common.training.config import RuntimeConfig
from common.training.flops import loader_flops_per_token
from common.training.precision import autocast
from common.training.record import RunRecord, refuse_other_fingerprint
from common.training.runner import Runner
from common.training.trainer import fit
from step1_sentiment.analysis import contributions_by_word, importance
from step1_sentiment.config import SentimentConfig
from step1_sentiment.data import SentimentData, build_data
from step1_sentiment.model import build_model
from step1_sentiment.task import SentimentTask

STEP = "step1_sentiment"


def train(config: SentimentConfig, runtime: RuntimeConfig, folder: Path) -> RunRecord:
    """Data, model, training, analysis, record and model folder of one config."""
    data = build_data(config, runtime)
    refuse_other_fingerprint(folder, data.text.fingerprint)
    seed_everything(config.train.seed, verbose=False)
    task = SentimentTask(build_model(config, data.processor, len(data.text.label_names)), data.text.ordinal)
    record = RunRecord.open(runtime.runs_dir, STEP, config.name, config)
    with record.running(**sources(config, data)):
        precision = fit(task, data.loaders, config.train, runtime, folder, record)
        with torch.no_grad(), autocast(precision, next(task.parameters()).device):
            analyse(config, task, data, record, precision)
        task.model.save_pretrained(folder / "model")
        data.processor.save_pretrained(folder / "model")
    return record


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


def analyse(
    config: SentimentConfig, task: SentimentTask, data: SentimentData, record: RunRecord, precision: str
) -> None:
    """With the best weights loaded: FLOPs in the `precision` of training, contributions by word (test), importance of
    the streams (validation).
    """
    model, device = task.model, next(task.parameters()).device
    model.eval()
    validation = data.loaders["validation"]
    record.final["flops_per_token"] = loader_flops_per_token(task, validation, precision)
    if len(model.integration.names) > 1:
        items = [encoded for encoded, _ in data.loaders["test"].items]
        train_items = [encoded for encoded, _ in data.loaders["train"].items]
        record.words(contributions_by_word(model, data.processor, items, device, train_items))
        if config.importance:
            record.importance(importance(model, validation, device))


RUNNER = Runner(STEP, train, data=attrgetter("data"), fingerprint=_fingerprint, lost=DataError)
run, folder_of, refuse_changed_data = RUNNER.run, RUNNER.folder_of, RUNNER.refuse_changed_data
