"""What the fusions of step 4 cost: training, captioning, batches, and reading pictures.

    python -m benchmarks.vision [--out results/records/benchmarks/vision.json]

Everything at the size of ViT-B/32 (49 patches of 768 channels, 512 pooled) and GPT-2 small, on random numbers in place
of features, as a frozen encoder whose features are kept leaves it; in the mode ``training with encoder`` a ViT-B/32 of
open_clip reads random pictures and learns along. Ratios are made from the medians of one run, in which the arms take
turns (``benchmarks.alternate``). Rows of training compare with the projector, also in the FLOPs of a step, below which
no kernel can bring its time where matrix products are what takes it; rows of ``captioning`` with `transformers`' own
GPT-2 that writes as many tokens with as many beams, of ``batches`` with one picture at a time, of ``loading`` (reading
kept features of a batch from disk, decoding and preparing as many pictures) with a training step of the projector.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from torch import Tensor, nn

from benchmarks.alternate import alternate, serve
from benchmarks.report import machine, write_report
from common.data.vision import VisionDataConfig, load_vision
from common.data.vision.opening import open_image
from common.data.vision.transforms import Preprocess
from common.models.gpt2_size import SizeConfig
from common.training.flops import BACKWARD_FACTOR, counted
from common.training.precision import autocast, resolve_precision
from common.vision.config import VisionConfig
from common.vision.encoder import VisionEncoder, Visual, build_encoder
from step4_vision_language.build import assemble
from step4_vision_language.config import VisionLanguageRunConfig, paper, variant
from step4_vision_language.model import VisionLanguageModel

REFERENCE, PLAIN, SINGLE = "projector", "gpt2", "dm, 1"
ENCODER = "training with encoder"
MODES = ("training", ENCODER, "captioning", "batches", "loading")
PATCHES, WIDTH, POOLED, PIXELS = 49, 768, 512, 224
"""Of ViT-B/32."""


@dataclass(frozen=True)
class Settings:
    """Shape of the benchmark."""

    batch: int = 16
    """Captions of a training step; pictures that are read for it."""
    at_once: int = 8
    """Pictures that are captioned at once, beside one."""
    tokens: int = 24
    """Tokens of a caption, in training and in writing."""
    beams: int = 3
    """Beams of captioning."""
    size: SizeConfig = paper().size
    """Size of the language model."""
    vocabulary: int = 50_260
    """Entries of its embeddings."""
    steps: int = 2
    """Timed steps of a turn."""
    rounds: int = 5
    """Turns of each arm."""
    modes: tuple[str, ...] = MODES
    """What to measure; ``loading`` compares with ``training`` and needs it."""
    precision: str = "auto"
    device: str = "cuda" if torch.cuda.is_available() else "cpu"
    arms: tuple[tuple[str, ...], ...] = (
        ("dm", "li", "dm_output", "li_output"),
        ("projector_patches", "cross_attention"),
    )
    """Arms in training; those of a group are in memory together, beside a reference of their own."""
    keep_freed: bool = True
    """Let glibc keep memory that was freed, as a GPU's allocator does."""
    out: Path | None = None
    """Where the record goes."""

    def __post_init__(self) -> None:
        if not self.modes or not set(self.modes) <= set(MODES):
            raise ValueError(f"modes are {', '.join(MODES)}; got {', '.join(self.modes) or 'none'}")
        if "loading" in self.modes and "training" not in self.modes:
            raise ValueError("the mode loading compares with training; measure both")


class Features(VisionEncoder):
    """Stands for an encoder whose features are kept: it is never run."""

    patch_width, pooled_width = WIDTH, POOLED

    def __init__(self) -> None:
        super().__init__(VisionConfig(image_size=224), (0.5,) * 3, (0.5,) * 3)

    def layers(self, pixels: Tensor) -> tuple[list[Tensor], Tensor]:
        raise NotImplementedError("the benchmark hands in features")

    def forward(self, pixels: Tensor) -> Visual:
        return Visual(pixels.new_zeros(len(pixels), PATCHES, WIDTH), pixels.new_zeros(len(pixels), POOLED))

    def patches_of(self, size: int) -> int:
        return PATCHES


class Vocabulary:
    """Stands for a tokenizer."""

    eos_token_id = 50_256

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def convert_tokens_to_ids(self, token: str) -> int:
        return self.size - 1


def config_of(arm: str, settings: Settings) -> VisionLanguageRunConfig:
    """The run whose model an arm is."""
    return variant(replace(paper(), backbone="scratch", size=settings.size, dropout=0.0), arm)


def model_of(arm: str, settings: Settings, encoder: VisionEncoder | None = None) -> VisionLanguageModel:
    torch.manual_seed(0)
    return assemble(config_of(arm, settings), Vocabulary(settings.vocabulary), encoder or Features())


def inputs_of(model: VisionLanguageModel, count: int, written: int, pixels: bool = False) -> dict[str, Tensor]:
    """`count` texts: the picture's tokens, then `written` others; with `pixels` pictures in place of features."""
    marks = torch.full((count, model.fusion.tokens), model.config.image_token_id)
    words = torch.randint(0, 50_000, (count, written))
    begin = torch.full((count, 1), Vocabulary.eos_token_id)
    texts = torch.cat([begin, marks, words], dim=1)
    if pixels:
        return {"input_ids": texts, "pixel_values": torch.randn(count, 1, 3, PIXELS, PIXELS)}
    return {
        "input_ids": texts,
        "seen_patches": torch.randn(count, 1, PATCHES, WIDTH), "seen_pooled": torch.randn(count, 1, POOLED),
    }  # fmt: skip


def train(arm: str, settings: Settings, pipe: Connection, encoder: bool = False) -> None:
    """One arm's training steps, with an `encoder` that learns along or with kept features; sends peak bytes, added
    parameters and FLOPs of a step at its end.
    """
    device = torch.device(settings.device)
    seen = build_encoder(VisionConfig(name="open_clip/ViT-B-32", image_size=PIXELS)) if encoder else None
    model = model_of(arm, settings, seen)
    nn.Module.to(model, device).train()
    given = inputs_of(model, settings.batch, settings.tokens, pixels=encoder)
    inputs = {name: value.to(device) for name, value in given.items()}
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    flops = BACKWARD_FACTOR * counted(lambda: model(**inputs, labels=inputs["input_ids"]))

    def step() -> None:
        with autocast(settings.precision, device):
            loss = model(**inputs, labels=inputs["input_ids"]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        _wait(device)

    peak = serve(pipe, step, device)
    known = [model.backbone, *([seen] if seen is not None else [])]
    fused = sum(p.numel() for p in model.parameters()) - sum(p.numel() for part in known for p in part.parameters())
    pipe.send({"peak": peak, "added": fused, "flops": flops})


def write(arm: str, settings: Settings, pipe: Connection) -> None:
    """Captions: ``name`` or ``name, pictures at once``."""
    device = torch.device(settings.device)
    name, _, count = arm.partition(", ")
    model = model_of("no_image" if name == PLAIN else name, settings).eval()
    nn.Module.to(model, device)
    inputs = {k: value.to(device) for k, value in inputs_of(model, int(count or 1), 0).items()}
    writer: Any = model
    if name == PLAIN:
        writer, inputs = model.backbone, {"input_ids": inputs["input_ids"]}

    def step() -> None:
        with autocast(settings.precision, device):
            writer.generate(
                **inputs, attention_mask=torch.ones_like(inputs["input_ids"]), max_new_tokens=settings.tokens,
                min_new_tokens=settings.tokens, num_beams=settings.beams, do_sample=False,
                pad_token_id=Vocabulary.eos_token_id,
            )  # fmt: skip
        _wait(device)

    pipe.send({"peak": serve(pipe, step, device), "added": 0})


def load(arm: str, settings: Settings, pipe: Connection) -> None:
    """What stands before a training step: ``features`` from disk, or ``pictures`` decoded and prepared."""
    samples = load_vision(VisionDataConfig(scene_sizes=(256, 8, 8), scene_pixels=224)).splits["train"]
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        array = np.lib.format.open_memmap(Path(folder) / "a.npy", "w+", np.float16, (2048, PATCHES, WIDTH))
        array[:] = 0
        prepare = Preprocess(224)

        def step() -> None:
            if arm == "features":
                torch.from_numpy(array[random.integers(0, len(array), settings.batch)]).float()
            else:
                for k in random.integers(0, len(samples), settings.batch):
                    prepare(open_image(samples[k].images[0]))

        pipe.send({"peak": serve(pipe, step, torch.device("cpu")), "added": 0})


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def run(settings: Settings) -> dict:
    """All arms; medians, and ratios to the reference of each mode."""
    settings = replace(settings, precision=resolve_precision(settings.precision, torch.device(settings.device)))
    many = f"dm, {settings.at_once}"
    modes = (
        *(("training", train, (REFERENCE, *group), settings.batch) for group in settings.arms),
        (ENCODER, partial(train, encoder=True), (REFERENCE, "dm", "li"), settings.batch),
        ("captioning", write, (PLAIN, "projector", "dm", "li"), 1),
        ("batches", write, (SINGLE, many), 1),
        ("loading", load, ("features", "pictures"), settings.batch),
    )
    rows: list[dict] = []
    for mode, measure, arms, count in modes:
        if mode not in settings.modes:
            continue
        found = alternate(arms, measure, (settings,), settings.rounds, settings.steps, settings.keep_freed)
        measured = [_row(mode, arm, found[arm], settings.at_once if arm == many else count) for arm in arms]
        like = measured[0] if mode != "loading" else rows[0]
        for row in measured:
            row["time_ratio"] = row["step_ms"] / like["step_ms"]
            row["throughput_ratio"] = row["pictures_per_second"] / like["pictures_per_second"]
            row["gflops_ratio"] = row["gflops"] / like["gflops"] if row["gflops"] else None
        rows += [row for row in measured if (mode, row["arm"]) not in {(other["mode"], other["arm"]) for other in rows}]
    shape = {key: value for key, value in asdict(settings).items() if key != "out"}
    return {"benchmark": "vision", "settings": json.loads(json.dumps(shape)), "machine": machine(), "rows": rows}


def _row(mode: str, arm: str, result: dict[str, Any], pictures: int) -> dict[str, Any]:
    seconds = statistics.median(result["seconds"])
    return {
        "mode": mode, "arm": arm, "step_ms": 1000 * seconds, "pictures_per_second": pictures / seconds,
        "peak_mib": result["peak"] / 2**20, "added_parameters": result["added"],
        "gflops": result["flops"] / 1e9 if "flops" in result else None,
    }  # fmt: skip


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(run(chosen), chosen.out)
