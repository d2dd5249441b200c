"""One run of step 3, start to finish: data → model → training → record and model folder."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from pytorch_lightning import seed_everything

from common.data import DataError
from common.data.language import CorpusConfig
from common.data.language.prefixes import PrefixStreams
from common.data.language.sources import text_fingerprint
from common.evaluation.word_facts import word_facts
from common.models.backbones import resolve_backbone
from common.models.gpt2_size import SCRATCH
from common.training.config import RuntimeConfig
from common.training.flops import loader_flops_per_token
from common.training.record import RunRecord, refuse_other_fingerprint
from common.training.runner import Runner
from common.training.trainer import fit
from step3_gpt.config import GPTConfig
from step3_gpt.data import GPTData, build_data, counts_of
from step3_gpt.model import build_model
from step3_gpt.task import GPTTask, split_numbers

STEP = "step3_gpt"


def train(config: GPTConfig, runtime: RuntimeConfig, folder: Path) -> RunRecord:
    """Data, model, training, record and model folder of one config."""
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
        precision = fit(task, data.loaders, config.train, runtime, folder, record)
        record.final["flops_per_token"] = loader_flops_per_token(task, data.loaders["validation"], precision)
        model.save_pretrained(folder / "model")
        data.corpus.tokenizer.save_pretrained(folder / "model")
        if all(stream.control == "none" for stream in config.used):
            PrefixStreams(data.corpus.tokenizer, config.used, data.analysers).save_pretrained(folder / "model")
    return record


def fingerprint_of(texts: Sequence[CorpusConfig]) -> str:
    """Changes with any of the texts."""
    return "-".join(map(text_fingerprint, texts))


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


RUNNER = Runner(STEP, train, data=attrgetter("texts"), fingerprint=fingerprint_of, lost=DataError)
run, folder_of, refuse_changed_data = RUNNER.run, RUNNER.folder_of, RUNNER.refuse_changed_data
