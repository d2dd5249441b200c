"""One run of step 2, start to finish: data → model → training → record and model folder."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Any

from pytorch_lightning import seed_everything

from common.data import DataError
from common.data.language.sources import text_fingerprint
from common.evaluation.word_facts import word_facts
from common.models.backbones import resolve_backbone
from common.models.gpt2_size import SCRATCH
from common.training.config import RuntimeConfig
from common.training.flops import loader_flops_per_token
from common.training.record import RunRecord, refuse_other_fingerprint
from common.training.runner import Runner
from common.training.trainer import fit
from step2_mlm.config import MaskedLMConfig
from step2_mlm.data import MaskedLMData, build_data
from step2_mlm.model import build_model
from step2_mlm.task import MaskedLMTask

STEP = "step2_mlm"


def train(config: MaskedLMConfig, runtime: RuntimeConfig, folder: Path) -> RunRecord:
    """Data, model, training, record and model folder of one config."""
    fingerprint = text_fingerprint(config.corpus)
    refuse_other_fingerprint(folder, fingerprint)
    data = build_data(config, runtime)
    facts = word_facts(data.corpus, runtime.progress)
    seed_everything(config.train.seed, verbose=False)
    task = MaskedLMTask(build_model(config, data.corpus.tokenizer, data.vocabularies), facts)
    record = RunRecord.open(runtime.runs_dir, STEP, config.name, config)
    with record.running(**sources(config, data), data_fingerprint=fingerprint):
        precision = fit(task, data.loaders, config.train, runtime, folder, record)
        record.final["flops_per_token"] = loader_flops_per_token(task, data.loaders["validation"], precision)
        task.model.save_pretrained(folder / "model")
        data.corpus.tokenizer.save_pretrained(folder / "model")
    return record


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


RUNNER = Runner(STEP, train, data=attrgetter("corpus"), fingerprint=text_fingerprint, lost=DataError)
run, folder_of, refuse_changed_data = RUNNER.run, RUNNER.folder_of, RUNNER.refuse_changed_data
