"""What a text costs under every variant of step 4: FLOPs of a forward, and milliseconds of a training step, in turn.

    python -m benchmarks.vision_step_time --base.data.path FOLDER_OF_FLICKR8K --base.vision.weights FILE \\
        --out results/records/benchmarks/step_time-step4_vision_language-captions.json

``--base`` is any config of step 4. The tables take their costs from all records of that name, each for the runs on its
data, objective and models. With ``--rounds 0`` only FLOPs are counted, which no other job on the machine disturbs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import tyro

from benchmarks.report import machine, write_report
from benchmarks.timing import Arm, Timing, side_by_side
from common.training.config import RuntimeConfig
from common.training.evaluate import resolve_device
from common.training.flops import loader_flops
from common.training.precision import resolve_precision
from common.training.task import Task
from results.table4_vision_language.configs import VARIANTS
from step4_vision_language.build import build_model
from step4_vision_language.config import VisionLanguageRunConfig, small, variant
from step4_vision_language.contrast import DualEncoder
from step4_vision_language.data import build_data, load_texts
from step4_vision_language.task import GenerateTask, RetrieveTask


@dataclass(frozen=True, kw_only=True)
class Settings(Timing):
    """What is compared."""

    base: VisionLanguageRunConfig = field(default_factory=small)
    """Config whose variants are compared."""
    variants: tuple[str, ...] = VARIANTS


def arm(config: VisionLanguageRunConfig, runtime: RuntimeConfig) -> tuple[Arm, Any]:
    """A variant, and the loader of its validation split."""
    corpus, tokenizer = load_texts(config)
    data = build_data(config, runtime, corpus, tokenizer, build_model(config, tokenizer))

    def make() -> Task:
        model = build_model(config, tokenizer)
        if config.objective == "generate":
            return GenerateTask(model, None, 0.0)
        width = model.config.get_text_config().hidden_size
        return RetrieveTask(model, DualEncoder(width, config.embedding, config.siglip, data.processor.end_id))

    return Arm(config.train, make, data.loaders["train"]), data.loaders["validation"]


def run(settings: Settings) -> dict:
    """FLOPs by text, median milliseconds over rounds and batches, and their ratio to the first variant's."""
    device = resolve_device(settings.device)
    runtime = RuntimeConfig(cache_dir=settings.cache, progress=False)
    base = settings.base
    precision = resolve_precision(base.train.precision, device)
    base = replace(base, train=replace(base.train, precision=precision))
    arms: dict[str, Arm] = {}
    flops: dict[str, float] = {}
    for name in settings.variants:
        arms[name], validation = arm(variant(base, name), runtime)
        flops[name] = loader_flops(arms[name].make().to(device), validation, precision)["flops_per_text"]
    rows = [
        {"variant": row["variant"], "flops_per_text": flops[row["variant"]]} | row
        for row in side_by_side(arms, settings, device)
    ]
    shape = {
        "steps": settings.steps, "warm": settings.warm, "rounds": settings.rounds, "dataset": base.data.name,
        "objective": base.objective, "backbone": base.backbone, "vision": base.vision.name,
        "size": asdict(base.size), "task": base.data.scene_task, "image_size": base.vision.image_size,
        "max_length": base.train.max_length, "batch_size": base.train.batch_size, "precision": precision,
    }  # fmt: skip
    return {"benchmark": "vision_step_time", "settings": shape, "machine": machine(), "rows": rows}


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(run(chosen), chosen.out)
