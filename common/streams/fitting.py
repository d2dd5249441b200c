"""From texts to what the streams know of their words: analysers fitted on the training split, and lexicons."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Mapping, Sequence

from tqdm import tqdm

from common.streams import store
from common.streams.analyser import FIRST_SYMBOL, WordAnalyser, analyser_class, digest
from common.streams.config import StreamConfig
from common.streams.lexicon import Lexicon
from common.streams.words import count_words


def build_lexicons(
    streams: Sequence[StreamConfig],
    train_texts: Sequence[str],
    other_texts: Sequence[str],
    cache: Path | None,
    workers: int | None,
    progress: bool,
) -> tuple[dict[str, Lexicon], dict[str, int]]:
    """Lexicon of each analyser stream by label, and for duplicates with `of` the symbol ids of what they stand in for.

    Streams of one kind share their analyser, which learns from `train_texts` alone, and their lexicon, which holds the
    words of all texts.
    """
    kinds = {stream.of or stream.kind for stream in streams} - {"duplicate"}
    classes = {kind: analyser_class(kind) for kind in sorted(kinds)}
    counts: Counter[str] = Counter()
    others: Counter[str] = Counter()
    if classes:
        counts = count_words(tqdm(train_texts, desc="train words", unit="text", disable=not progress))
        hidden = not progress or not other_texts
        others = count_words(tqdm(other_texts, desc="other words", unit="text", disable=hidden))
    fitted: dict[str, WordAnalyser] = {}
    shared: dict[tuple[str, int], Lexicon] = {}
    lexicons: dict[str, Lexicon] = {}
    stands_for: dict[str, int] = {}
    for stream in streams:
        kind = stream.of or stream.kind
        if kind == "duplicate":
            continue
        if kind not in fitted:
            fitted[kind] = fit_analyser(classes[kind], counts, cache, progress)
        analyser = fitted[kind]
        if stream.of:
            stands_for[stream.label] = len(analyser.symbols) + FIRST_SYMBOL
            continue
        if (kind, stream.max_pieces) not in shared:
            keys = {key for words in (counts, others) for word in words for key in analyser.candidates(word)}
            shared[kind, stream.max_pieces] = Lexicon.build(analyser, keys, stream.max_pieces, cache, workers, progress)
        lexicons[stream.label] = shared[kind, stream.max_pieces]
    return lexicons, stands_for


def fit_analyser(
    kind: type[WordAnalyser], words: Mapping[str, int], cache: Path | None, progress: bool
) -> WordAnalyser:
    """A fitted analyser, from the cache if the same words were fitted before by the same version."""
    learns = kind.fit.__func__ is not WordAnalyser.fit.__func__
    if cache is None or not learns:
        return kind.fit(words, progress)
    name = digest(kind.kind, kind.version(), sorted(words.items()))
    path = cache / f"analyser-{kind.kind}-{name}.bin"
    cached = store.read_cache(path)
    if cached is not None:
        return kind.from_state(cached[0])
    analyser = kind.fit(words, progress)
    store.write(path, analyser.state())
    return analyser
