"""One run of step 4, start to finish: data → model → training → what it writes → record and model folder."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import seed_everything
from safetensors.torch import save_file

from common.data import DataError
from common.data.vision import VisionCorpus, VisionDataConfig, load_vision
from common.data.vision.vqa import TYPES
from common.models.backbones import resolve_backbone
from common.models.gpt2_size import SCRATCH
from common.training.config import RuntimeConfig
from common.training.evaluate import resolve_device
from common.training.flops import loader_flops
from common.training.precision import autocast
from common.training.record import RunRecord, refuse_other_fingerprint
from common.training.runner import Runner
from common.training.trainer import fit
from step4_vision_language.build import build_model
from step4_vision_language.config import VisionLanguageRunConfig
from step4_vision_language.contrast import DualEncoder
from step4_vision_language.data import VisionLanguageData, build_data, load_texts
from step4_vision_language.decode import official_types, score_texts, write_ids
from step4_vision_language.evidence import changed_pictures, word_evidence
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.task import GenerateTask, RetrieveTask

STEP = "step4_vision_language"
TYPED = tuple(f"accuracy_{name}_" for name in TYPES)
"""How the names of accuracies by VQA's official types begin."""


def train(config: VisionLanguageRunConfig, runtime: RuntimeConfig, folder: Path) -> RunRecord:
    """Data, model, training, written texts, record and model folder of one config."""
    corpus, tokenizer = load_texts(config)
    refuse_other_fingerprint(folder, corpus.fingerprint)
    seed_everything(config.train.seed, verbose=False)
    model = build_model(config, tokenizer)
    data = build_data(config, runtime, corpus, tokenizer, model)
    dual = None
    if config.objective == "retrieve" or config.contrastive > 0:
        width = model.config.get_text_config().hidden_size
        dual = DualEncoder(width, config.embedding, config.siglip, data.processor.end_id)
    if config.objective == "retrieve":
        assert dual is not None
        task: GenerateTask | RetrieveTask = RetrieveTask(model, dual)
    else:
        task = GenerateTask(model, dual, config.contrastive)
    record = RunRecord.open(runtime.runs_dir, STEP, config.name, config)
    with record.running(**sources(config, corpus, tokenizer), data_fingerprint=corpus.fingerprint):
        precision = fit(task, data.loaders, config.train, runtime, folder, record)
        device = resolve_device(runtime.device)
        task.to(device)
        record.final |= loader_flops(task, data.loaders["validation"], precision)
        if config.objective == "generate":
            with torch.no_grad(), autocast(precision, device):
                write_and_score(model, data, config, record)
        record.final["parameters_fusion"] = sum(p.numel() for p in model.fusion.parameters())
        model.save_pretrained(folder / "model")
        tokenizer.save_pretrained(folder / "model")
        if dual is not None:
            save_file(dual.state_dict(), folder / "model" / "dual.safetensors")
    return record


def write_and_score(
    model: VisionLanguageModel, data: VisionLanguageData, config: VisionLanguageRunConfig, record: RunRecord
) -> None:
    """What the model writes of the test split: texts.parquet, its scores among the final metrics, and evidence.parquet
    with the part of the picture in every word. Answers are also given with changed pictures, and scored, as a whole and
    by VQA's official types.
    """
    samples, see = data.corpus.splits["test"], data.pictures["test"]
    written = write_ids(model, data.processor, samples, see, config.decode)
    texts = [data.processor.decode(ids) for ids in written]
    scores, each = score_texts(samples, texts)
    record.final |= {f"test_{name}": value for name, value in scores.items()}
    ways = changed_pictures(model, samples, see, config.swapped)
    for change, way in ways.items() if "accuracy" in each else ():
        answers = write_ids(model, data.processor, samples, way, config.decode)
        changed, each_changed = score_texts(samples, [data.processor.decode(ids) for ids in answers])
        shown = [name for name in changed if name == "accuracy" or name.startswith(TYPED)]
        record.final |= {name.replace("accuracy", f"test_accuracy_{change}", 1): changed[name] for name in shown}
        each[f"accuracy_{change}"] = each_changed["accuracy"]
    evidence = word_evidence(model, data.processor, samples, written, see, ways, config.decode.batch_size)
    record.table("evidence.parquet", evidence)
    columns: dict[str, Any] = {
        "id": [sample.id for sample in samples], "kind": [sample.kind for sample in samples],
        "needs": [sample.needs for sample in samples], **official_types(samples), "text": texts,
    }  # fmt: skip
    record.table("texts.parquet", columns | {name: value.astype(np.float32) for name, value in each.items()})


def fingerprint_of(data: VisionDataConfig) -> str:
    """Changes with any picture or text."""
    return load_vision(data).fingerprint


def sources(config: VisionLanguageRunConfig, corpus: VisionCorpus, tokenizer: Any) -> dict[str, Any]:
    """What the environment file says of pictures, texts and weights."""
    description = "random weights" if config.backbone == SCRATCH else resolve_backbone(config.backbone).description
    return {
        "data_name": corpus.name,
        "data_source": corpus.source,
        "data_task": corpus.task,
        "data_counts": {
            name: {
                "samples": len(samples),
                "pictures": len({image.key for sample in samples for image in sample.images}),
                "texts": sum(len(sample.captions) or 1 for sample in samples),
            }
            for name, samples in corpus.splits.items()
        },
        "data_warnings": list(corpus.warnings),
        "tokenizer_entries": len(tokenizer),
        "backbone_source": f"taken over from {Path(config.init_from).name}" if config.init_from else description,
        "vision_source": f"{config.vision.name}, {Path(config.vision.weights).name}",
    }


RUNNER = Runner(STEP, train, data=attrgetter("data"), fingerprint=fingerprint_of, lost=DataError)
run, folder_of, refuse_changed_data = RUNNER.run, RUNNER.folder_of, RUNNER.refuse_changed_data
