"""With a trained run caption pictures, answer questions about them, or find pictures and texts that belong together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
import tyro
from rich.console import Console
from rich.text import Text
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedTokenizerFast
from transformers.utils import logging

from common.data.vision import Sample
from common.data.vision.opening import check_images
from common.data.vision.source import ImageError, ImageSource
from common.models.vision_composer import VISION
from common.streams.config import StreamConfig
from common.training.evaluate import resolve_device
from common.training.record import read_json
from common.training.task import to_device
from step4_vision_language.contrast import DualEncoder
from step4_vision_language.contributions import write
from step4_vision_language.data import Collate, Item, Pictures
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.page import save, show
from step4_vision_language.texts import IGNORED, IMAGE, Encoded, TextProcessor

STEP = "step4_vision_language"
ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Files of a folder that are taken for pictures."""
TALKS = "instructions"
"""Dataset whose runs have learnt conversations."""


@dataclass(frozen=True)
class RunOptions:
    """A run, and how it is used."""

    run: Path
    """Folder of a finished run."""
    batch_size: int = 16
    """Pictures or texts that are worked on at once."""
    device: str = "auto"
    """cpu, cuda, mps or auto."""
    skip_bad: bool = False
    """Leave out what has a bad picture, and say so; otherwise it is an error."""

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError("batch_size must be at least 1")


@dataclass(frozen=True)
class CaptionOptions(RunOptions):
    """Which pictures are captioned, and how."""

    image: Path | None = None
    """A picture."""
    folder: Path | None = None
    """A folder of pictures, in the order of their names."""
    batch: Path | None = None
    """Lines of JSON: {"image": path or list of paths, "question": optional}; paths begin at the file's folder."""
    out: Path | None = None
    """File for texts and contributions: a page if its name ends in .html, otherwise JSON lines."""
    beams: int = 1
    """Beams of a beam search; 1 = none."""
    temperature: float = 0.0
    """Of sampling; 0 always takes the most likely token."""
    top_p: float = 0.95
    """Sampling draws from the most likely tokens that together have this probability."""
    seed: int = 0
    """Of sampling."""
    max_new_tokens: int = 24
    """Tokens to write at most."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_new_tokens < 1 or self.beams < 1:
            raise ValueError("max_new_tokens and beams must be at least 1")
        if self.temperature < 0 or not 0 < self.top_p <= 1:
            raise ValueError("temperature must not be negative, and top_p is a probability above 0")
        if sum(place is not None for place in (self.image, self.folder, self.batch)) != 1:
            raise ValueError("name the pictures by exactly one of --image, --folder and --batch")
        if self.out is not None and self.out.is_dir():
            raise ValueError(f"--out {self.out} is a folder; name a file")


@dataclass(frozen=True)
class AnswerOptions(CaptionOptions):
    """Which questions are answered, and how."""

    question: str = ""
    """Asked of every picture that brings no question of its own."""


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


Options = TypeVar("Options", bound=RunOptions)


def settings_of(folder: Path) -> dict[str, Any]:
    """The config with which the run in `folder` was trained.

    Raises:
        FileNotFoundError: it is no finished run of this step.
        ValueError: its record is damaged.
    """
    if not (folder / "model" / "config.json").is_file() or not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder} holds no trained model; name the folder of a finished run of step 4")
    try:
        record = read_json(folder / "config.json")
        step, settings = record["step"], record["config"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error
    if step != STEP:
        raise FileNotFoundError(f"{folder} holds a run of {step}; name the folder of a finished run of step 4")
    return settings


def load_run(folder: Path) -> tuple[VisionLanguageModel, TextProcessor]:
    """Model of a finished run, and what writes its texts.

    Raises:
        FileNotFoundError: the folder is no finished run of this step.
        ValueError: a file of it is damaged.
    """
    settings = settings_of(folder)
    logging.disable_progress_bar()
    try:
        model = VisionLanguageModel.from_pretrained(folder / "model").eval()
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "model")
        return model, TextProcessor(tokenizer, model.fusion.tokens, settings["train"]["max_length"])
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError) as error:
        raise _damaged(folder, error) from error


def load_dual(folder: Path, model: VisionLanguageModel, processor: TextProcessor) -> DualEncoder:
    """What compares pictures and texts of a finished run.

    Raises:
        FileNotFoundError: the run was not trained to compare them.
        ValueError: the file is damaged.
    """
    path, settings = folder / "model" / "dual.safetensors", settings_of(folder)
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} was not trained to compare pictures and texts; take a run with --objective retrieve"
        )
    try:
        width = model.config.get_text_config().hidden_size
        dual = DualEncoder(width, settings["embedding"], settings["siglip"], processor.end_id)
        dual.load_state_dict(load_file(path))
        return dual.eval()
    except (SafetensorError, OSError, RuntimeError, KeyError) as error:
        raise _damaged(folder, error) from error


def _damaged(folder: Path, error: Exception) -> ValueError:
    return ValueError(f"the run in {folder} is damaged ({error!r}); delete the folder and train it again")


def samples_of(options: CaptionOptions) -> list[Sample]:
    """The pictures, each with its question, in order.

    Raises:
        ImageError: bad pictures, where they are not to be left out; or no good one.
        ValueError: a line of the batch that says no picture, or an answer without a question.
    """
    asked = options.question.strip() if isinstance(options, AnswerOptions) else ""
    if options.batch is not None:
        samples = [_sample_of(options.batch, number, line, asked) for number, line in lines_of(options.batch)]
    else:
        paths = pictures_in(options.folder) if options.folder is not None else [options.image]
        samples = [Sample(str(path), (ImageSource(str(path)),), question=asked) for path in paths]
    for sample in samples:
        if isinstance(options, AnswerOptions) and not sample.question:
            raise ValueError(f"{sample.id}: no question; give --question, or one in its line of --batch")
    return good(samples, options.skip_bad)


def _sample_of(batch: Path, number: int, line: str, asked: str) -> Sample:
    place = f"{batch}, line {number}"
    try:
        row = json.loads(line)
        names, question = row["image"], row.get("question", "") or asked
        names = [names] if isinstance(names, str) else names
        if not names or not isinstance(question, str):
            raise ValueError("an empty list, or a question that is no text")
        images = tuple(ImageSource(str(batch.parent / name)) for name in names)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        wanted = 'write {"image": path or list of paths, "question": optional}'
        raise ValueError(f"{place}: says no pictures ({error!r}); {wanted}") from error
    return Sample(place, images, question=question.strip())


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, in the order of their names.

    Raises:
        FileNotFoundError: there is no such folder, or no picture in it.
    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [path for path in files if path.suffix.lower() in ENDINGS and not path.name.startswith(".")]
    if not found:
        raise FileNotFoundError(f"{folder} is no folder with pictures; known endings are {' '.join(ENDINGS)}")
    return found


def lines_of(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are not empty, each with its number.

    Raises:
        ValueError: it is not UTF-8, or empty.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error}); save it as UTF-8") from error
    found = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    if not found:
        raise ValueError(f"{path} is empty; write something on its lines")
    return found


def good(samples: Sequence[Sample], skip: bool) -> list[Sample]:
    """The samples whose pictures can all be read; where `skip`, the others are counted on the terminal.

    Raises:
        ImageError: bad pictures, unless `skip`; or nothing is left.
    """
    kept, bad = check_images(samples, skip=True, depth="pixels")
    listed = "\n  ".join(item.reason for item in bad[:5])
    if bad and not (skip and kept):
        todo = "leave them out with --skip-bad" if kept else "nothing would be left without them"
        raise ImageError(f"bad pictures: {len(bad)}\n  {listed}\nRepair or remove them; {todo}")
    if bad:
        told = f"{len(samples) - len(kept)} of {len(samples)} left out, bad pictures: {len(bad)}\n  {listed}"
        Console(stderr=True).print(Text(told), soft_wrap=True)
    return kept


def as_turn(sample: Sample) -> Sample:
    """A question as the first turn of a conversation."""
    told = IMAGE * len(sample.images) + f"\n{sample.question}"
    return replace(sample, question="", turns=(("human", told),)) if sample.question else sample


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
    options = _options(RetrieveOptions, arguments, "retrieve")
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
    samples = samples_of(options)
    device = resolve_device(options.device)
    model, processor = load_run(options.run)
    model.to(device)  # pyright: ignore[reportArgumentType]
    torch.manual_seed(options.seed)
    sampling = {"do_sample": True, "temperature": options.temperature, "top_p": options.top_p, "top_k": 0}
    written = write(
        model, processor, [as_turn(sample) for sample in samples] if settings["data"]["name"] == TALKS else samples,
        options.batch_size, options.max_new_tokens, num_beams=options.beams,
        **(sampling if options.temperature > 0 else {"do_sample": False}),
    )  # fmt: skip
    written = [replace(one, sample=sample) for one, sample in zip(written, samples, strict=True)]
    console = Console()
    if not model.secondary.configs:
        told = f"fusion {model.fusion.config.name} joins no streams, so that there are no contributions to show\n"
        console.print(Text(told, style="dim"))
    show(written, console)
    if options.out is not None:
        streams = [StreamConfig(**stream).label for stream in model.config.streams if stream["kind"] == VISION]
        save(written, options.out, streams)
        console.print(Text(f"written to {options.out}"), soft_wrap=True)
    return 0


def _options(kind: type[Options], arguments: list[str], name: str) -> Options:
    prog = f"python -m {STEP} {name}"
    return tyro.cli(kind, args=arguments, prog=prog, description=__doc__)
