"""What integrating three streams costs beside the reference stream alone, at BERT-base size with random weights.

    python -m benchmarks.integration [--out results/records/benchmarks/integration.json]

Ratios are made from the medians of one run, in which the arms take turns (``benchmarks.alternate``).
"""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch
import tyro
from transformers import AutoConfig, AutoModelForSequenceClassification

from benchmarks.alternate import alternate, serve
from benchmarks.report import machine, write_report
from common.integration import IntegrationConfig
from common.models.multi_stream import MultiStreamForSequenceClassification
from common.models.multi_stream_config import MultiStreamConfig
from common.streams.config import StreamConfig
from common.training.flops import BACKWARD_FACTOR, counted

VOCABULARY = 80
PIECES = 8


@dataclass(frozen=True)
class Settings:
    """Shape of the benchmark."""

    batch: int = 32
    """Texts per batch, as in step 1's presets."""
    time: int = 32
    """Tokens per text, about those of a batch of SST."""
    layers: int = 12
    width: int = 768
    steps: int = 3
    """Timed steps per round; one more before them is not counted."""
    rounds: int = 6
    """How often each arm has its turn."""
    precision: str = "bf16"
    device: str = "cuda" if torch.cuda.is_available() else "cpu"
    compile: bool = False
    """Run every arm through torch.compile."""
    keep_freed: bool = True
    """Let glibc keep memory that was freed, as a GPU's allocator does."""
    arms: tuple[str, ...] = ("reference", "dm", "li")
    out: Path | None = None
    """Where the record goes."""


def build(arm: str, settings: Settings) -> torch.nn.Module:
    """The plain backbone, or the backbone with two secondary streams under one rule."""
    torch.manual_seed(0)
    backbone = AutoConfig.for_model(
        "bert", hidden_size=settings.width, num_hidden_layers=settings.layers,
        num_attention_heads=settings.width // 64, intermediate_size=4 * settings.width, num_labels=5,
    )  # fmt: skip
    if arm == "reference":
        return AutoModelForSequenceClassification.from_config(backbone)
    streams = [asdict(StreamConfig(kind=kind)) for kind in ("phonetic", "morphological")]
    config = MultiStreamConfig(
        backbone=backbone.to_dict(), integration=asdict(IntegrationConfig(rule=arm)), streams=streams,
        vocabularies={"phonetic": VOCABULARY, "morphological": VOCABULARY}, num_labels=5,
    )  # fmt: skip
    return MultiStreamForSequenceClassification(config)


def make_batch(arm: str, settings: Settings) -> dict[str, torch.Tensor]:
    """Random tokens; three quarters of the words of the batch are distinct."""
    generator = torch.Generator().manual_seed(0)
    shape = (settings.batch, settings.time)

    def draw(low: int, high: int, size: tuple[int, ...]) -> torch.Tensor:
        return torch.randint(low, high, size, generator=generator)

    batch = {"input_ids": draw(0, 30_000, shape), "attention_mask": torch.ones(shape, dtype=torch.long)}
    batch["labels"] = draw(0, 5, shape[:1])
    if arm != "reference":
        words = 1 + 3 * settings.batch * settings.time // 4
        for stream in ("phonetic", "morphological"):
            batch[f"{stream}_pieces"] = draw(3, VOCABULARY, (words, PIECES))
            batch[f"{stream}_index"] = draw(1, words, shape)
    return {name: value.to(settings.device) for name, value in batch.items()}


def forward_flops(arm: str, settings: Settings) -> int:
    """Of one batch, whether the arm is trained or not, and whatever it is compiled to."""
    model, batch = build(arm, settings).to(settings.device).eval(), make_batch(arm, settings)
    return counted(lambda: model(**batch))


def measure(arm: str, settings: Settings, training: bool, pipe: Connection) -> None:
    """One arm in a process of its own; sends peak bytes, FLOPs and parameters at its end."""
    device = torch.device(settings.device)
    model = build(arm, settings).to(device).train(training)
    batch = make_batch(arm, settings)
    parameters = sum(p.numel() for p in model.parameters())
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True) if training else None
    if settings.compile:
        model.compile()

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bf16"):
            loss = model(**batch).loss
        if optimiser is not None:
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize()

    with torch.set_grad_enabled(training):
        peak = serve(pipe, step, device)
    # Counted when the peak is taken, since counting needs memory too.
    pipe.send({"peak": peak, "flops": forward_flops(arm, settings), "parameters": parameters})


def run(settings: Settings) -> dict:
    """All arms, training and inference; medians and ratios to the reference."""
    rows: list[dict] = []
    for mode in ("training", "inference"):
        arguments = settings, mode == "training"
        results = alternate(settings.arms, measure, arguments, settings.rounds, settings.steps, settings.keep_freed)
        for arm, result in results.items():
            factor = BACKWARD_FACTOR if mode == "training" else 1
            rows.append({
                "mode": mode, "arm": arm, "step_ms": 1000 * statistics.median(result["seconds"]),
                "peak_mib": result["peak"] / 2**20, "gflops": factor * result["flops"] / 1e9,
                "parameters": result["parameters"],
            })  # fmt: skip
        reference = next(row for row in rows if row["mode"] == mode and row["arm"] == "reference")
        for row in rows:
            if row["mode"] == mode:
                for field in ("step_ms", "peak_mib", "gflops", "parameters"):
                    row[f"{field}_ratio"] = row[field] / reference[field]
    shape = {key: value for key, value in asdict(settings).items() if key != "out"}
    return {"benchmark": "integration", "settings": json.loads(json.dumps(shape)), "machine": machine(), "rows": rows}


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(run(chosen), chosen.out)
