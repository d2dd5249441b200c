"""With a trained run caption pictures, or answer questions about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch
import tyro
from rich.console import Console
from rich.text import Text

from common.models.sampling import SamplingOptions
from common.models.vision_composer import VISION
from common.streams.config import StreamConfig
from common.training.evaluate import resolve_device
from step4_vision_language.contributions import write
from step4_vision_language.inputs import RunOptions, as_turn, samples_of
from step4_vision_language.loading import STEP, load_run, settings_of
from step4_vision_language.page import save, show

TALKS = "instructions"
"""Dataset whose runs have learnt conversations."""


@dataclass(frozen=True)
class CaptionOptions(RunOptions, SamplingOptions):
    """Which pictures are captioned, and how."""

    image: Path | None = None
    """A picture."""
    folder: Path | None = None
    """A folder of pictures, in the order of their names."""
    batch: Path | None = None
    """Lines of JSON: {"image": path or list of paths, "question": optional}; paths begin at the file's folder."""
    out: Path | None = None
    """File for texts and contributions: a page if its name ends in .html, otherwise JSON lines."""

    def __post_init__(self) -> None:
        RunOptions.__post_init__(self)
        SamplingOptions.__post_init__(self)
        if sum(place is not None for place in (self.image, self.folder, self.batch)) != 1:
            raise ValueError("name the pictures by exactly one of --image, --folder and --batch")
        if self.out is not None and self.out.is_dir():
            raise ValueError(f"--out {self.out} is a folder; name a file")


@dataclass(frozen=True)
class AnswerOptions(CaptionOptions):
    """Which questions are answered, and how."""

    question: str = ""
    """Asked of every picture that brings no question of its own."""


Options = TypeVar("Options", bound=RunOptions)


def caption(arguments: list[str]) -> int:
    """``python -m step4_vision_language caption --run PATH --image FILE``"""
    return _write(_options(CaptionOptions, arguments, "caption"))


def answer(arguments: list[str]) -> int:
    """``python -m step4_vision_language answer --run PATH --image FILE --question "text"``"""
    return _write(_options(AnswerOptions, arguments, "answer"))


def _write(options: CaptionOptions) -> int:
    settings = settings_of(options.run)
    if settings["objective"] != "generate":
        raise ValueError(f"{options.run} has learnt to retrieve, not to write; take a run with --objective generate")
    max_pixels = settings["data"]["max_pixels"]
    asked = options.question if isinstance(options, AnswerOptions) else None
    samples = samples_of(options.image, options.folder, options.batch, asked, options.skip_bad, max_pixels)
    device = resolve_device(options.device)
    model, processor = load_run(options.run)
    model.to(device)  # pyright: ignore[reportArgumentType]
    torch.manual_seed(options.seed)
    written = write(
        model, processor, [as_turn(sample) for sample in samples] if settings["data"]["name"] == TALKS else samples,
        options.batch_size, options.max_new_tokens, max_pixels, **options.of_generate(),
    )  # fmt: skip
    written = [replace(one, sample=sample) for one, sample in zip(written, samples, strict=True)]
    console = Console()
    if not model.secondary.configs:
        told = f"fusion {model.fusion.config.name} joins no streams, so that there are no contributions to show\n"
        console.print(Text(told, style="dim"))
    show(written, console)
    if options.out is not None:
        streams = [StreamConfig(**stream).label for stream in model.config.streams if stream["kind"] == VISION]
        save(written, options.out, streams, max_pixels)
        console.print(Text(f"written to {options.out}"), soft_wrap=True)
    return 0


def _options(kind: type[Options], arguments: list[str], name: str) -> Options:
    prog = f"python -m {STEP} {name}"
    return tyro.cli(kind, args=arguments, prog=prog, description=__doc__)
