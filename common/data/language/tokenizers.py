"""The tokenizer of a corpus: the backbone's own, or one trained on the corpus' training split."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from common.data.language.config import CorpusConfig
from common.data.language.sources import Unit, pieces, source_named
from common.data.text import DataError
from common.streams.analyser import digest

TRAINED = ("bpe", "wordpiece")
CHARACTERS = 30_000_000
"""Characters of the training split that a tokenizer is trained on, the same number from each unit."""
END = "<|endoftext|>"
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_REVISION = 1  # raise when training changes, so that cached tokenizers are made anew


def tokenizer_of(config: CorpusConfig, units: Sequence[Unit], cache: Path) -> PreTrainedTokenizerFast:
    """The tokenizer that `config` names; one trained here is kept in the folder `cache`.

    Raises:
        DataError: a tokenizer is to be trained, but there is no training split.
        FileNotFoundError: a name that is neither a folder nor to be had from the hub.
    """
    if config.tokenizer not in TRAINED:
        folder = Path(config.tokenizer).expanduser()
        if (folder / "tokenizer.json").is_file():  # of a trained model, or a tokenizer alone
            return PreTrainedTokenizerFast.from_pretrained(str(folder))
        from common.models.backbones import load_tokenizer

        return load_tokenizer(config.tokenizer)
    train = [unit for unit in units if unit.split == "train"]
    if not train:
        raise DataError(
            f"{config.name} has no training split here to train the tokenizer {config.tokenizer!r} on; name one with "
            "--data.tokenizer: a hub name, or the folder of a trained model"
        )
    import tokenizers

    name = digest(
        _REVISION, tokenizers.__version__, config.tokenizer, config.vocab_size, [unit.fingerprint for unit in train]
    )
    folder = cache / f"tokenizer-{config.tokenizer}-{name}"
    if not (folder / "tokenizer.json").is_file():
        save_tokenizer(train_tokenizer(config, train), folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Save into `folder`, which is there whole or not at all, whatever is killed and whoever else saves the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
    tokenizer.save_pretrained(temporary)
    try:
        os.replace(temporary, folder)
    except OSError:  # another process was faster, with the same result
        shutil.rmtree(temporary)
        if not (folder / "tokenizer.json").is_file():
            raise


def train_tokenizer(config: CorpusConfig, train: Sequence[Unit]) -> PreTrainedTokenizerFast:
    """Byte-level BPE as GPT-2's (Radford et al. 2019), or WordPiece as uncased BERT's (Devlin et al. 2019)."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    texts = _texts(train)
    if config.tokenizer == "bpe":
        return train_bpe(texts, config.vocab_size)
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # pyright: ignore[reportCallIssue]
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.WordPiece()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.train_from_iterator(
        texts,
        trainers.WordPieceTrainer(vocab_size=config.vocab_size, special_tokens=list(SPECIALS), show_progress=False),  # pyright: ignore[reportCallIssue]
    )
    ids = {name: tokenizer.token_to_id(name) for name in SPECIALS}
    tokenizer.post_processor = processors.TemplateProcessing(  # pyright: ignore[reportAttributeAccessIssue]
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]",
    )  # fmt: skip


def train_bpe(texts: Iterable[str], vocab_size: int, specials: Sequence[str] = ()) -> PreTrainedTokenizerFast:
    """A byte-level BPE of at most `vocab_size` entries: it can hold no more than the texts have.

    Args:
        specials: further tokens that are never cut.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[END, *specials], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # pyright: ignore[reportCallIssue]  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, bos_token=END, pad_token=END,
        additional_special_tokens=list(specials),
    )  # fmt: skip


def _texts(train: Sequence[Unit]) -> Iterator[str]:
    for unit in train:
        left = CHARACTERS // len(train)
        for text, _, _ in pieces(source_named(unit.source).lines(unit)):
            yield text[:left]
            left -= len(text)
            if left <= 0:
                break


def tokenizer_hash(tokenizer: Any) -> str:
    """24 hex digits that change when a text would be cut otherwise."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    for setting in ("truncation", "padding"):  # what callers ask for at the time, not how text is cut
        state.pop(setting, None)
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:24]


def separator(tokenizer: Any) -> int:
    """The token that stands before every document: end of text, or where there is none the separator.

    Raises:
        ValueError: the tokenizer has neither.
    """
    for token in (tokenizer.eos_token_id, tokenizer.sep_token_id):
        if token is not None:
            return token
    raise ValueError("the tokenizer has no end-of-text and no separator token; set tokenizer.eos_token")
