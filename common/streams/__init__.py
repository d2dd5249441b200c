"""Streams of a text beside the backbone's own: word analysers, the lexicon, and the processor that batches them."""

import importlib
import pkgutil

from common.streams.analyser import (
    FIRST_SYMBOL,
    MASK,
    PAD,
    UNKNOWN,
    UNKNOWN_SYMBOL,
    WordAnalyser,
    analyser_class,
    analysers,
    register_analyser,
)
from common.streams.config import StreamConfig

for _module in pkgutil.iter_modules(__path__):
    if _module.name not in ("__main__", "processor"):  # the processor needs torch; lexicon workers do not
        importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "FIRST_SYMBOL", "MASK", "PAD", "UNKNOWN", "UNKNOWN_SYMBOL", "StreamConfig", "WordAnalyser", "analyser_class",
    "analysers",
    "register_analyser",
]  # fmt: skip
