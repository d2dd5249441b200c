"""One run of step 3, start to finish: data → model → training → record and model folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import seed_everything

from common.data import DataError
from common.data.language import CorpusConfig
from common.data.language.prefixes import PrefixStreams
from common.data.language.sources import text_fingerprint
from common.evaluation.word_facts import word_facts
from common.models.backbones import resolve_backbone
from common.models.gpt2_size import SCRATCH
from common.training.checkpoint import Checkpoints
from common.training.config import RuntimeConfig
from common.training.flops import flops_per_token
from common.training.precision import autocast
from common.training.record import RunRecord, is_finished, refuse_changed, refuse_other_fingerprint, run_folder
from common.training.task import to_device
from common.training.trainer import fit
from step3_gpt.config import GPTConfig
from step3_gpt.data import GPTData, build_data, counts_of
from step3_gpt.model import build_model
from step3_gpt.task import GPTTask, split_numbers

STEP = "step3_gpt"


def folder_of(config: GPTConfig, runtime: RuntimeConfig) -> Path:
    """Where the run of `config` lives: ``<runs_dir>/step3_gpt/<name>-<hash>``."""
    config = config.named()
    return run_folder(runtime.runs_dir, STEP, config.name, config)


def run(config: GPTConfig, runtime: RuntimeConfig) -> Path:
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
    fingerprint = fingerprint_of(config.texts)
    refuse_other_fingerprint(folder, fingerprint)
    data = build_data(config, runtime)
    facts = word_facts(data.corpus, runtime.progress)
    seed_everything(config.train.seed, verbose=False)
    numbers = split_numbers(list(data.corpora))
    counts = {numbers[name]: one for name, one in counts_of(data).items()}
    model = build_model(config, data.corpus.tokenizer, data.vocabularies)
    task = GPTTask(model, counts, facts, numbers["test"])
    record = RunRecord.open(runtime.runs_dir, STEP, config.name, config)
    with record.running(**sources(config, data), data_fingerprint=fingerprint):
        fit(task, data.loaders, config.train, runtime, folder, record)
        with torch.no_grad(), autocast(config.train.precision, next(task.parameters()).device):
            validation = data.loaders["validation"]
            batch = validation.collate(list(validation.items[: validation.batch_size]))
            record.final["flops_per_token"] = flops_per_token(task, to_device(batch, next(task.parameters()).device))
        model.save_pretrained(folder / "model")
        data.corpus.tokenizer.save_pretrained(folder / "model")
        if all(stream.control == "none" for stream in config.used):
            PrefixStreams(data.corpus.tokenizer, config.used, data.analysers).save_pretrained(folder / "model")
    if record.active:
        Checkpoints(folder / "checkpoints").clear()  # the best weights are in model/, and a finished run never resumes
    return folder


def fingerprint_of(texts: Sequence[CorpusConfig]) -> str:
    """Changes with any of the texts."""
    return "-".join(map(text_fingerprint, texts))


def refuse_changed_data(configs: Sequence[GPTConfig], runtime: RuntimeConfig) -> None:
    """Raise ValueError where the text of a finished run has changed since."""
    runs = ((folder_of(config, runtime), config.texts) for config in configs)
    refuse_changed(runs, fingerprint_of, DataError)


def sources(config: GPTConfig, data: GPTData) -> dict[str, Any]:
    """What the environment file says of text and weights."""
    description = "random weights" if config.backbone == SCRATCH else resolve_backbone(config.backbone).description
    splits = {name: data.windows[name].split for name in data.corpora}
    return {
        "data_name": data.corpus.name,
        "data_text_hashes": {
            name: one.hashes[name if one is data.corpus else "test"] for name, one in data.corpora.items()
        },
        "data_counts": {name: vars(split.counts) for name, split in splits.items()},
        "data_used_tokens": {name: windows.tokens for name, windows in data.windows.items()},
        "data_warnings": [warning for one in data.corpora.values() for warning in one.warnings],
        "context": config.train.max_length,
        "stride": config.advance,
        "tokenizer_entries": len(data.corpus.tokenizer),
        "backbone_source": description,
    }
