"""IMDb film reviews (Maas et al. 2011): two labels, no official validation split."""

from __future__ import annotations

import re

from common.data.files import folder_of
from common.data.folder import label_splits, read_splits
from common.data.hub import load_hub
from common.data.text import Corpus, DataConfig, TextSplit, register_dataset

NAMES = ("negative", "positive")
# 24,996 a split: a copy in circulation without the eight texts that are no film reviews.
SIZES = {"train": (25000, 24996), "test": (25000, 24996)}


@register_dataset("imdb")
def load_imdb(config: DataConfig) -> Corpus:
    """From a folder with train and test tables (such as train.csv.xz), or from the hub. ``<br />`` becomes a space."""
    if config.path:
        folder = folder_of(config.path)
        rows = read_splits(folder)
        splits, _ = label_splits(rows, str(folder), NAMES)
        source = f"folder {folder}"
    else:
        splits, _, source = load_hub(
            "stanfordnlp/imdb",
            {"train": "train", "test": "test"},
            ("text", "label"),
            "give `path` a folder with train.csv and test.csv (columns text, label; 0 = negative)",
        )
    return Corpus(source, {name: _without_tags(split) for name, split in splits.items()}, NAMES, SIZES)


def _without_tags(split: TextSplit) -> TextSplit:
    return TextSplit(tuple(re.sub(r"(?:\s*<br\s*/?>\s*)+", " ", text) for text in split.texts), split.labels)
