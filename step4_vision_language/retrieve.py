"""With a trained run find pictures and texts that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from rich.console import Console
from rich.text import Text
from torch import Tensor

from common.data.vision import Sample
from common.data.vision.source import ImageSource
from common.training.evaluate import resolve_device
from common.training.task import to_device
from step4_vision_language.contrast import DualEncoder
from step4_vision_language.data import Collate, Item, Pictures
from step4_vision_language.inputs import RunOptions, good, lines_of, pictures_in
from step4_vision_language.loading import STEP, load_dual, load_run
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.texts import IGNORED, Encoded, TextProcessor


@dataclass(frozen=True)
class RetrieveOptions(RunOptions):
    """What is looked for, and where."""

    folder: Path | None = None
    """Pictures among which that of --text is looked for."""
    text: str = ""
    """What the picture shows."""
    image: Path | None = None
    """The picture whose text is looked for among --texts."""
    texts: Path | None = None
    """A file with a text on every line."""
    top: int = 5
    """How many are printed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.top < 1:
            raise ValueError("top must be at least 1")
        given = (self.folder is not None, bool(self.text.strip()), self.image is not None, self.texts is not None)
        if given not in ((True, True, False, False), (False, False, True, True)):
            raise ValueError("give --folder and --text to find pictures, or --image and --texts to find texts")


@torch.no_grad()
def embed(
    model: VisionLanguageModel,
    dual: DualEncoder,
    processor: TextProcessor,
    what: Sequence[ImageSource] | Sequence[str],
    batch_size: int,
) -> Tensor:
    """Embeddings ``[N, E]`` of length 1 of pictures, or of texts."""
    samples, items = [], []
    for place, one in enumerate(what):
        # The encoder reads a picture and a text together; to a picture goes an empty text, to a text no picture.
        samples.append(Sample(str(place), () if isinstance(one, str) else (one,)))
        given = processor.prompt(samples[-1])
        new = processor.text(one)[1:] if isinstance(one, str) else [processor.end_id]
        items.append(Item(place, Encoded(given + new, [IGNORED] * len(given) + new)))
    collate = Collate(samples, Pictures(model.vision, store=None), processor.end_id)
    found = []
    for first in range(0, len(items), batch_size):
        picture, text = dual(model, to_device(collate(items[first : first + batch_size]), model.device))
        found.append(text if isinstance(what[0], str) else picture)
    return torch.cat(found)


def retrieve(arguments: list[str]) -> int:
    """``python -m step4_vision_language retrieve --run PATH --folder DIR --text "text"``"""
    options = tyro.cli(RetrieveOptions, args=arguments, prog=f"python -m {STEP} retrieve", description=__doc__)
    paths = [options.image] if options.folder is None else pictures_in(options.folder)
    texts = [options.text] if options.texts is None else [line for _, line in lines_of(options.texts)]
    samples = good([Sample(str(path), (ImageSource(str(path)),)) for path in paths], options.skip_bad)
    device = resolve_device(options.device)
    model, processor = load_run(options.run)
    dual = load_dual(options.run, model, processor).to(device)
    model.to(device)  # pyright: ignore[reportArgumentType]
    pictures, told = (
        embed(model, dual, processor, what, options.batch_size)
        for what in ([sample.images[0] for sample in samples], texts)
    )
    similarity = (pictures @ told.T).flatten()  # one picture or one text
    names = texts if options.folder is None else [sample.id for sample in samples]
    console = Console()
    for place in similarity.argsort(descending=True, stable=True)[: options.top].tolist():
        console.print(Text(f"{similarity[place]:7.4f}  {names[place]}"), soft_wrap=True)
    return 0
