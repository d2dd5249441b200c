"""With a trained run find pictures and texts that belong together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import tyro
from rich.console import Console
from rich.text import Text
from torch import Tensor

from common.data.language.masking import NOTHING
from common.data.vision import Sample
from common.data.vision.opening import MAX_PIXELS
from common.files import write_text
from common.training.evaluate import resolve_device
from common.training.task import to_device
from step4_vision_language.contrast import DualEncoder
from step4_vision_language.data import Collate, Item, Pictures
from step4_vision_language.inputs import RunOptions, lines_of, samples_of, texts_of
from step4_vision_language.loading import STEP, load_dual, load_run, settings_of
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.page import PAGES
from step4_vision_language.texts import Encoded, TextProcessor

WAYS = ({"folder", "text"}, {"folder", "batch"}, {"batch", "text"}, {"image", "texts"}, {"batch", "texts"})
"""Options that go together: what is looked for, and where."""


@dataclass(frozen=True)
class RetrieveOptions(RunOptions):
    """What is looked for, and where."""

    folder: Path | None = None
    """Pictures among which that of --text, or those of the texts of --batch, are looked for."""
    text: str = ""
    """What the picture shows."""
    image: Path | None = None
    """The picture whose text is looked for among --texts."""
    texts: Path | None = None
    """A file with a text on every line."""
    batch: Path | None = None
    """Lines of JSON. With --folder each is a search, {"text": "what is shown"}; with --texts too, {"image": path or
    list of paths}. With --text they are the pictures to look among. Paths begin at the file's folder."""
    out: Path | None = None
    """File for what was found: a line of JSON for each search."""
    top: int = 5
    """How many are printed for each search."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.top < 1:
            raise ValueError("top must be at least 1")
        named = {"folder": self.folder, "text": self.text.strip(), "image": self.image, "texts": self.texts}
        given = {name for name, value in {**named, "batch": self.batch}.items() if value}
        if given not in WAYS:
            raise ValueError(
                "give --folder and --text to find pictures, or --image and --texts to find texts; --batch FILE.jsonl "
                "may stand in the place of one of --folder, --text and --image"
            )
        if self.out is not None and (self.out.is_dir() or self.out.suffix.lower() in PAGES):
            raise ValueError(f"--out {self.out} is a folder or a page; name a file for lines of JSON")

    @property
    def by_text(self) -> bool:
        """Whether pictures are looked for by texts, rather than texts by pictures."""
        return self.texts is None


@torch.no_grad()
def embed(
    model: VisionLanguageModel,
    dual: DualEncoder,
    processor: TextProcessor,
    what: Sequence[Sample] | Sequence[str],
    batch_size: int,
    max_pixels: int = MAX_PIXELS,
) -> Tensor:
    """Embeddings ``[N, E]`` of length 1 of the pictures of samples, of at most `max_pixels` each, or of texts."""
    samples, items = [], []
    for place, one in enumerate(what):
        # The encoder reads a picture and a text together; to a picture goes an empty text, to a text no picture.
        samples.append(Sample(str(place), () if isinstance(one, str) else one.images))
        given = processor.prompt(samples[-1])
        new = processor.text(one)[1:] if isinstance(one, str) else [processor.end_id]
        items.append(Item(place, Encoded(given + new, [NOTHING] * len(given) + new)))
    collate = Collate(samples, Pictures(model.vision, store=None, max_pixels=max_pixels), processor.end_id)
    found = []
    for first in range(0, len(items), batch_size):
        picture, text = dual(model, to_device(collate(items[first : first + batch_size]), model.device))
        found.append(text if isinstance(what[0], str) else picture)
    return torch.cat(found)


def retrieve(arguments: list[str]) -> int:
    """``python -m step4_vision_language retrieve --run PATH --folder DIR --text "text"``"""
    options = tyro.cli(RetrieveOptions, args=arguments, prog=f"python -m {STEP} retrieve", description=__doc__)
    max_pixels = settings_of(options.run)["data"]["max_pixels"]
    pictures = options.batch if options.folder is None else None
    samples = samples_of(options.image, options.folder, pictures, None, options.skip_bad, max_pixels)
    texts = _texts(options)
    device = resolve_device(options.device)
    model, processor = load_run(options.run)
    dual = load_dual(options.run, model, processor).to(device)
    model.to(device)  # pyright: ignore[reportArgumentType]
    seen, told = (embed(model, dual, processor, what, options.batch_size, max_pixels) for what in (samples, texts))
    similarity = told @ seen.T if options.by_text else seen @ told.T  # [searches, places]
    shown = [", ".join(image.name for image in sample.images) for sample in samples]
    searches, places = (texts, shown) if options.by_text else (shown, texts)
    best, order = similarity.cpu().sort(dim=1, descending=True, stable=True)
    found = [
        [(places[k], value) for k, value in zip(row[: options.top], values[: options.top], strict=True)]
        for row, values in zip(order.tolist(), best.tolist(), strict=True)
    ]
    console = Console()
    for search, rows in zip(searches, found, strict=True):
        if len(searches) > 1:
            console.print(Text(search, style="bold"), soft_wrap=True)
        for place, value in rows:
            console.print(Text(f"{value:7.4f}  {place}"), soft_wrap=True)
    if options.out is not None:
        kinds = ("text", "image") if options.by_text else ("image", "text")
        write_text(options.out, "".join(map(partial(_line, kinds), searches, found)))
        console.print(Text(f"written to {options.out}"), soft_wrap=True)
    return 0


def _texts(options: RetrieveOptions) -> list[str]:
    """The texts that are looked for, or among which is looked."""
    if options.text.strip():
        return [options.text]
    if options.texts is not None:
        return [line for _, line in lines_of(options.texts)]
    assert options.batch is not None
    return texts_of(options.batch)


def _line(kinds: tuple[str, str], search: str, found: Sequence[tuple[str, float]]) -> str:
    """``{"text": "…", "found": [{"image": "…", "similarity": 0.1}]}``, the most similar first."""
    rows = [{kinds[1]: place, "similarity": round(value, 5)} for place, value in found]
    return json.dumps({kinds[0]: search, "found": rows}, ensure_ascii=False) + "\n"
