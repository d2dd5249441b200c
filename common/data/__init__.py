"""Labelled texts: one small loader per dataset, found by importing this package."""

import importlib
import pkgutil

from common.data.text import Corpus, DataConfig, DataError, TextData, TextSplit, datasets, load_text, register_dataset

for _module in pkgutil.iter_modules(__path__):
    if _module.name != "__main__":
        importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "Corpus", "DataConfig", "DataError", "TextData", "TextSplit", "datasets", "load_text", "register_dataset",
]  # fmt: skip
