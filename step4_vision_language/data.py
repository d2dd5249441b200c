"""Pictures and texts to batches."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from common.data.language.masking import NOTHING
from common.data.language.tokenizers import train_bpe
from common.data.vision import Sample, VisionCorpus, load_vision
from common.data.vision.opening import MAX_PIXELS, open_image
from common.data.vision.source import ImageSource
from common.data.vision.transforms import Augment, text_of
from common.models.backbones import load_tokenizer
from common.models.gpt2_size import SCRATCH
from common.training.config import RuntimeConfig
from common.training.evaluate import resolve_device
from common.training.loader import BucketedLoader
from common.vision.encoder import VisionEncoder
from common.vision.features import FeatureStore, feature_store, preprocess_of
from step4_vision_language.config import VisionLanguageRunConfig
from step4_vision_language.texts import SPECIALS, Encoded, TextProcessor

INPUTS_ONLY = ("example",)
"""Fields of a batch that are for analyses and not for the model."""
See = Callable[..., dict[str, Tensor]]
"""Makes the pictures of some samples the model's inputs."""


@dataclass(frozen=True)
class Item:
    """One text of a sample."""

    sample: int
    text: Encoded


def load_texts(config: VisionLanguageRunConfig) -> tuple[VisionCorpus, Any]:
    """The corpus and its tokenizer, which knows the special tokens.

    Raises:
        DataError: the corpus cannot be had.
    """
    corpus = load_vision(config.data)
    if config.swapped:
        splits = {name: swapped(samples) for name, samples in corpus.splits.items()}
        corpus = replace(corpus, splits=splits)
    if config.init_from:
        folder = Path(config.init_from).expanduser() / "model"
        if not (folder / "tokenizer.json").is_file():
            raise FileNotFoundError(f"{config.init_from} holds no trained model; name the folder of a finished run")
        return corpus, PreTrainedTokenizerFast.from_pretrained(folder)
    if config.backbone == SCRATCH:
        texts = [text for sample in corpus.splits["train"] for text in _texts(sample)]
        return corpus, train_bpe(texts, config.vocab_size, SPECIALS)
    tokenizer = load_tokenizer(config.backbone)
    tokenizer.add_special_tokens({"additional_special_tokens": [s for s in SPECIALS if s not in tokenizer.get_vocab()]})
    return corpus, tokenizer


def _texts(sample: Sample) -> list[str]:
    asked = [f" question: {sample.question} answer:"] if sample.question else []
    return [*(f" {text}" for text in (*sample.captions, *sample.answers)), *asked, *(text for _, text in sample.turns)]


def swapped(samples: Sequence[Sample], parts: int = 2) -> list[Sample]:
    """Every sample with the pictures of another one that has as many: the order of the pictures is turned by one of
    `parts` parts of their number. A sample without pictures, or the only one with so many, stays as it is.
    """
    pictures = {tuple(image.key for image in sample.images): sample.images for sample in samples}
    other = {}
    for count in {len(key) for key in pictures}:
        keys = [key for key in pictures if len(key) == count]
        turn = max(1, len(keys) // parts)
        other |= {key: pictures[keys[(k + turn) % len(keys)]] for k, key in enumerate(keys)}
    return [replace(sample, images=other[tuple(image.key for image in sample.images)]) for sample in samples]


class Pictures:
    """The pictures of samples as inputs of the model: kept features, or pixels.

    Args:
        encoder: says how it wants its pictures.
        store: features; None hands out pixels.
        augment: changes training pictures; None leaves them as they are.
        max_pixels: largest width x height of a picture.
    """

    def __init__(
        self,
        encoder: VisionEncoder,
        store: FeatureStore | None,
        augment: Augment | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.prepare, self.store, self.augment = preprocess_of(encoder), store, augment
        self.max_pixels = max_pixels

    def __call__(self, samples: Sequence[Sample], epoch: int = 0) -> dict[str, Tensor]:
        """``seen_patches [B, I, P, C]`` and ``seen_pooled [B, I, E]``, or ``pixel_values [B, I, 3, H, W]``; nothing
        where no sample has a picture. Places beyond a sample's pictures are zero. `epoch` seeds the changes.
        """
        most = max(len(sample.images) for sample in samples)
        if most == 0:
            return {}
        place = [(b, i) for b, sample in enumerate(samples) for i in range(len(sample.images))]
        sources = [samples[b].images[i] for b, i in place]
        if self.store is not None:
            found = dict(zip(("seen_patches", "seen_pooled"), self.store.read(sources), strict=True))
        else:
            pixels = [self._pixels(s, samples[b], epoch) for s, (b, _) in zip(sources, place, strict=True)]
            found = {"pixel_values": torch.stack(pixels)}
        rows, columns = (torch.tensor(axis) for axis in zip(*place, strict=True))
        whole = {}
        for name, value in found.items():
            whole[name] = value.new_zeros(len(samples), most, *value.shape[1:])
            whole[name][rows, columns] = value
        return whole

    def _pixels(self, source: ImageSource, sample: Sample, epoch: int) -> Tensor:
        image = open_image(source, self.max_pixels)
        if self.augment is not None:
            image = self.augment(image, text_of(sample), epoch, zlib.crc32(sample.id.encode()))
        return self.prepare(image)


@dataclass(frozen=True)
class VisionLanguageData:
    """What a run trains on."""

    corpus: VisionCorpus
    processor: TextProcessor
    pictures: dict[str, See]
    """Split -> pictures of its samples."""
    loaders: dict[str, BucketedLoader[Item]]


def build_data(
    config: VisionLanguageRunConfig, runtime: RuntimeConfig, corpus: VisionCorpus, tokenizer: Any, model: Any
) -> VisionLanguageData:
    """Loaders of all splits, for a model whose fusion says how many tokens a picture takes.

    Raises:
        ValueError: of no text of a split is anything to be written within the longest text; or a question of the test
            split leaves no room for its answer.
    """
    processor = TextProcessor(tokenizer, model.fusion.tokens, config.train.max_length)
    if config.objective == "generate":  # said now, and not when training is over and the test split is written
        longer = "raise --train.max-length" if config.backbone == SCRATCH else "take a --backbone that reads more"
        advice = f"shorten the question or leave it out, lower --decode.max-new-tokens, or {longer}"
        processor.prompts(corpus.splits["test"], model.context, config.decode.max_new_tokens, advice)
    store = None
    sources = [image for samples in corpus.splits.values() for sample in samples for image in sample.images]
    if config.cached and sources:
        cache = Path(runtime.cache_dir).expanduser() / "features"
        store = feature_store(
            model.vision, sources, cache, resolve_device(runtime.device), runtime.progress, config.data.max_pixels
        )
    augment = Augment(seed=config.train.seed) if config.augment else None
    pictures = {
        name: Pictures(model.vision, store, augment if name == "train" else None, config.data.max_pixels)
        for name in corpus.splits
    }
    loaders = {}
    for name, samples in corpus.splits.items():
        items = [Item(k, text) for k, sample in enumerate(samples) for text in processor.targets(sample)]
        _tell_cut(name, items)
        loaders[name] = BucketedLoader(
            items, Collate(samples, pictures[name], processor.end_id), config.train.batch_size,
            lengths=[len(item.text.ids) for item in items], shuffle=name == "train", bucket=config.train.bucket,
            seed=config.train.seed, repeats=corpus.repeats if name == "train" else 1.0,
        )  # fmt: skip
        loaders[name].collate.loader = loaders[name]  # pyright: ignore[reportFunctionMemberAccess]
    return VisionLanguageData(corpus, processor, dict(pictures), loaders)


def _tell_cut(split: str, items: Sequence[Item]) -> None:
    """Warn of texts that end before what is to be written; raise ValueError where all of a split do."""
    cut = sum(all(label == NOTHING for label in item.text.labels) for item in items)
    if cut:
        told = (
            f"{cut:,} of {len(items):,} texts of the split {split!r} are cut off before what is to be written; "
            "raise --train.max-length"
        )
        if cut == len(items):
            raise ValueError(told)
        warnings.warn(told, stacklevel=2)


class Collate:
    """Items to a batch. `loader`, where set, says which epoch it is.

    A batch has ``input_ids``, ``attention_mask``, ``labels`` ``[B, T]`` (padded on the right), the pictures,
    and ``example [B]``, the number of the sample.
    """

    def __init__(self, samples: Sequence[Sample], see: See, padding: int) -> None:
        self.samples, self.see, self.padding = samples, see, padding
        self.loader: BucketedLoader[Item] | None = None

    def __call__(self, items: list[Item]) -> dict[str, Tensor]:
        longest = max(len(item.text.ids) for item in items)
        ids = np.full((len(items), longest), self.padding)
        labels = np.full((len(items), longest), NOTHING)
        mask = np.zeros((len(items), longest), dtype=np.int64)
        for row, item in enumerate(items):
            count = len(item.text.ids)
            ids[row, :count], labels[row, :count], mask[row, :count] = item.text.ids, item.text.labels, 1
        arrays = {
            "input_ids": ids, "labels": labels, "attention_mask": mask,
            "example": np.array([item.sample for item in items]),
        }  # fmt: skip
        tensors = {name: torch.from_numpy(value) for name, value in arrays.items()}
        epoch = 0 if self.loader is None else self.loader.epoch
        return tensors | self.see([self.samples[item.sample] for item in items], epoch)
