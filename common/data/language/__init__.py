"""Running text for language models: sources, tokens, words and prefixes in memory-mapped shards."""

from common.data.language import folder, openwebtext, stdlib_docs, wikitext
from common.data.language.config import SPLITS, CorpusConfig
from common.data.language.sources import Source, register_source, source_named

__all__ = [
    "SPLITS",
    "CorpusConfig",
    "Source",
    "folder",
    "openwebtext",
    "register_source",
    "source_named",
    "stdlib_docs",
    "wikitext",
]
