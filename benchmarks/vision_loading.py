"""Whether reading pictures keeps up with training: JPEG files beside what consumes them, in one run.

    python -m benchmarks.vision_loading [--folder DIR] [--out results/records/benchmarks/vision_loading.json]

The files are read, decoded and prepared as runs of step 4 do: ``in turn`` where the encoder learns along, every picture
anew in each step, before the step; ``in threads``, one per core, where what a frozen encoder makes of them is kept.
Without `folder` they are drawn scenes of the size and, by their noise, about the bytes of photographs on the web.

The rows that consume pictures, at the size of ViT-B/32 and GPT-2 small, are the projector's training step with that
encoder learning along, its training step with kept features, and the encoder's forward pass, with which features are
made. Their ratios are pictures read per second over pictures consumed per second: above 1 reading keeps up; where it is
done in turn, it adds 1 / ratio to a step.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from PIL import Image
from torch import nn

from benchmarks import vision
from benchmarks.alternate import alternate, serve
from benchmarks.report import machine, write_report
from common.data.vision import VisionDataConfig, load_vision
from common.data.vision.opening import open_image
from common.data.vision.source import ImageSource
from common.data.vision.transforms import Preprocess
from common.models.gpt2_size import SizeConfig
from common.training.precision import resolve_precision
from common.vision.config import VisionConfig
from common.vision.encoder import build_encoder
from step4_vision_language.config import paper

CONSUMERS = ("training with encoder", "training, kept features", "encoder alone")
READERS = ("JPEGs in turn", "JPEGs in threads")
ENDINGS = (".jpg", ".jpeg")


@dataclass(frozen=True)
class Settings:
    """Shape of the benchmark."""

    folder: Path | None = None
    """Folder with JPEG files to read, in place of drawn ones."""
    pictures: int = 256
    """Files that are drawn."""
    width: int = 500
    """Of a drawn picture, in pixels."""
    height: int = 375
    """Of a drawn picture, in pixels; not above the width."""
    noise: float = 8.0
    """Standard deviation of the noise on a drawn picture, of 255 levels: a smooth one is decoded faster."""
    quality: int = 90
    """Of drawn JPEGs."""
    batch: int = 16
    """Pictures of a step."""
    size: SizeConfig = paper().size
    """Size of the language model."""
    steps: int = 2
    """Timed steps of a turn."""
    rounds: int = 5
    """Turns of each arm."""
    precision: str = "auto"
    device: str = "cuda" if torch.cuda.is_available() else "cpu"
    keep_freed: bool = True
    """Let glibc keep memory that was freed, as a GPU's allocator does."""
    out: Path | None = None
    """Where the record goes."""

    def __post_init__(self) -> None:
        if not 0 < self.height <= self.width <= 1024:
            raise ValueError(
                f"drawn pictures have a height up to their width up to 1024, got {self.width}x{self.height}"
            )
        if min(self.pictures, self.batch, self.steps, self.rounds) < 1:
            raise ValueError("pictures, batch, steps and rounds must be at least 1")


def write_jpegs(folder: Path, settings: Settings) -> list[str]:
    """Drawn scenes with noise as JPEG files; their paths."""
    data = VisionDataConfig(scene_sizes=(settings.pictures, 1, 1), scene_pixels=settings.width)
    random = np.random.default_rng(0)
    paths = []
    for number, sample in enumerate(load_vision(data).splits["train"]):
        drawn = np.asarray(open_image(sample.images[0]), dtype=np.float64)[: settings.height]
        noisy = drawn + random.normal(0.0, settings.noise, drawn.shape)
        paths.append(str(folder / f"{number}.jpg"))
        Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8)).save(paths[-1], quality=settings.quality)
    return paths


def jpegs_in(folder: Path) -> list[str]:
    """The JPEG files of a folder, in the order of their names.

    Raises:
        FileNotFoundError: there are none.
    """
    found = sorted(str(path) for path in folder.glob("*") if path.suffix.lower() in ENDINGS)
    if not found:
        raise FileNotFoundError(f"{folder} is no folder with JPEG files; name one, or leave --folder out")
    return found


def measure(arm: str, settings: Settings, paths: Sequence[str], pipe: Connection) -> None:
    """One arm's steps."""
    if arm in READERS:
        return _read(arm, settings, paths, pipe)
    if arm == CONSUMERS[2]:
        return _encode(settings, pipe)
    like = vision.Settings(
        batch=settings.batch, size=settings.size, precision=settings.precision, device=settings.device
    )
    return vision.train(vision.REFERENCE, like, pipe, encoder=arm == CONSUMERS[0])


def _read(arm: str, settings: Settings, paths: Sequence[str], pipe: Connection) -> None:
    random, prepare = np.random.default_rng(0), Preprocess(vision.PIXELS)

    def pixels(number: int) -> torch.Tensor:
        return prepare(open_image(ImageSource(paths[number])))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        go = map if arm == READERS[0] else pool.map

        def step() -> None:
            torch.stack(list(go(pixels, random.integers(0, len(paths), settings.batch).tolist())))

        pipe.send({"peak": serve(pipe, step, torch.device("cpu"))})


@torch.no_grad()
def _encode(settings: Settings, pipe: Connection) -> None:
    device = torch.device(settings.device)
    encoder = build_encoder(VisionConfig(name="open_clip/ViT-B-32", image_size=vision.PIXELS)).eval()
    nn.Module.to(encoder, device)
    pixels = torch.randn(settings.batch, 3, vision.PIXELS, vision.PIXELS, device=device)

    def step() -> None:
        encoder(pixels).pooled.cpu()

    pipe.send({"peak": serve(pipe, step, device)})


def rows_of(found: Mapping[str, Mapping[str, Any]], batch: int) -> list[dict[str, Any]]:
    """A row per arm: consumers with the ratio of each way of reading to them, then the ways of reading."""
    milliseconds = {arm: 1000 * statistics.median(found[arm]["seconds"]) for arm in (*CONSUMERS, *READERS)}
    return [
        {
            "arm": arm, "step_ms": own, "pictures_per_second": 1000 * batch / own,
            "peak_mib": found[arm]["peak"] / 2**20,
            **{f"{way} ratio": own / milliseconds[way] if arm in CONSUMERS else None for way in READERS},
        }
        for arm, own in milliseconds.items()
    ]  # fmt: skip


def run(settings: Settings) -> dict[str, Any]:
    """All arms in turn; medians, and the ratios of reading to consuming."""
    settings = replace(settings, precision=resolve_precision(settings.precision, torch.device(settings.device)))
    with tempfile.TemporaryDirectory() as place:
        paths = write_jpegs(Path(place), settings) if settings.folder is None else jpegs_in(settings.folder)
        kib = statistics.mean(Path(path).stat().st_size for path in paths) / 1024
        arms = (*CONSUMERS, *READERS)
        found = alternate(arms, measure, (settings, paths), settings.rounds, settings.steps, settings.keep_freed)
    shape = {key: value for key, value in asdict(settings).items() if key not in ("out", "folder")}
    files = {"files": len(paths), "kib_per_file": round(kib, 1), "drawn": settings.folder is None}
    return {
        "benchmark": "vision_loading", "settings": json.loads(json.dumps(shape)) | files, "machine": machine(),
        "rows": rows_of(found, settings.batch),
    }  # fmt: skip


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    report = run(chosen)
    print("{files} JPEG files of {kib_per_file} KiB in the mean".format(**report["settings"]))
    write_report(report, chosen.out)
