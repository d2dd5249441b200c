"""Which running text a language model reads, and how it is cut into tokens."""

from __future__ import annotations

from dataclasses import dataclass

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class CorpusConfig:
    """A corpus of running text. Resolved as: `path`, else the hub or its cache, else (stdlib-docs) this Python."""

    name: str = "stdlib-docs"
    """Registered source: wikitext-2, wikitext-103 (both also with -raw), openwebtext, folder, stdlib-docs."""
    path: str = ""
    """Local folder of the corpus; empty takes the Hugging Face hub (or its cache)."""
    tokenizer: str = "bpe"
    """``bpe`` (byte-level) or ``wordpiece``, trained on the training split; else a hub name, a local folder, or a
    packaged backbone, whose own tokenizer is taken."""
    vocab_size: int = 8192
    """Vocabulary of a tokenizer that is trained here."""
    document_start: str = r"^ ?= [^=].* = ?$"
    """folder: regular expression of the lines that begin a document, beside the beginning of a file (the default is a
    heading of Wikipedia dumps); empty: every file is one document."""
    detokenise: bool = False
    """Undo the tokenisation of WikiText's text (`` @-@ ``, spaces before punctuation) before it is read. Words are
    counted before."""
    allow_overlap: bool = False
    """Accept more than 0.5 % of the documents of a split in the training split; a warning remains."""
    allow_size_mismatch: bool = False
    """Accept a WikiText of other than the official number of words; a warning remains."""

    def __post_init__(self) -> None:
        if self.vocab_size < 300:
            raise ValueError(f"a trained tokenizer needs at least 300 entries (256 are bytes), got {self.vocab_size}")
