"""One run of step 2, start to finish: data → model → training → record and model folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import seed_everything

from common.data import DataError
from common.data.language.sources import text_fingerprint
from common.evaluation.word_facts import word_facts
from common.models.backbones import resolve_backbone
from common.training.checkpoint import Checkpoints
from common.training.config import RuntimeConfig
from common.training.flops import flops_per_token
from common.training.precision import autocast
from common.training.record import RunRecord, is_finished, refuse_changed, refuse_other_fingerprint, run_folder
from common.training.task import to_device
from common.training.trainer import fit
from step2_mlm.config import SCRATCH, MaskedLMConfig
from step2_mlm.data import MaskedLMData, build_data
from step2_mlm.model import build_model
from step2_mlm.task import MaskedLMTask

STEP = "step2_mlm"


def folder_of(config: MaskedLMConfig, runtime: RuntimeConfig) -> Path:
    """Where the run of `config` lives: ``<runs_dir>/step2_mlm/<name>-<hash>``."""
    config = config.named()
    return run_folder(runtime.runs_dir, STEP, config.name, config)


def run(config: MaskedLMConfig, runtime: RuntimeConfig) -> Path:
    """Train and evaluate one config; returns its folder.

    A finished run is left as it is; an interrupted one resumes.

    Raises:
        ValueError: the text is not that with which the folder's run began.
    """
    config = config.named()
    folder = folder_of(config, runtime)
    if is_finished(folder):
        refuse_changed_data([config], runtime)
        return folder
    if runtime.threads:
        torch.set_num_threads(runtime.threads)
    fingerprint = text_fingerprint(config.corpus)
    refuse_other_fingerprint(folder, fingerprint)
    data = build_data(config, runtime)
    facts = word_facts(data.corpus, runtime.progress)
    seed_everything(config.train.seed, verbose=False)
    task = MaskedLMTask(build_model(config, data.corpus.tokenizer, data.vocabularies), facts)
    record = RunRecord.open(runtime.runs_dir, STEP, config.name, config)
    with record.running(**sources(config, data), data_fingerprint=fingerprint):
        fit(task, data.loaders, config.train, runtime, folder, record)
        with torch.no_grad(), autocast(config.train.precision, next(task.parameters()).device):
            validation = data.loaders["validation"]
            batch = validation.collate(list(validation.items[: validation.batch_size]))
            record.final["flops_per_token"] = flops_per_token(task, to_device(batch, next(task.parameters()).device))
        task.model.save_pretrained(folder / "model")
        data.corpus.tokenizer.save_pretrained(folder / "model")
    if record.active:
        Checkpoints(folder / "checkpoints").clear()  # the best weights are in model/, and a finished run never resumes
    return folder


def refuse_changed_data(configs: Sequence[MaskedLMConfig], runtime: RuntimeConfig) -> None:
    """Raise ValueError where the text of a finished run has changed since."""
    runs = ((folder_of(config, runtime), config.corpus) for config in configs)
    refuse_changed(runs, text_fingerprint, DataError)


def sources(config: MaskedLMConfig, data: MaskedLMData) -> dict[str, Any]:
    """What the environment file says of text and weights."""
    splits = data.corpus.splits.items()
    description = "random weights" if config.backbone == SCRATCH else resolve_backbone(config.backbone).description
    return {
        "data_name": data.corpus.name,
        "data_text_hashes": dict(data.corpus.hashes),
        "data_counts": {name: vars(split.counts) for name, split in splits},
        "data_used_tokens": {name: windows.tokens for name, windows in data.windows.items()},
        "data_warnings": list(data.corpus.warnings),
        "tokenizer_entries": len(data.corpus.tokenizer),
        "backbone_source": description,
    }
