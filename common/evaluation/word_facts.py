"""What is known of the words of a corpus beforehand: the slices by which predictions are looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from common.data.language.corpus import LanguageCorpus
from common.streams.analyser import PAD, WordAnalyser
from common.streams.config import StreamConfig
from common.streams.tables import build_tables

ANALYSED = (StreamConfig(kind="phonetic"), StreamConfig(kind="morphological"))


@dataclass(frozen=True)
class WordFacts:
    """By number of the string ``[V]``.

    train_count: how often it is a word of the training split. morphemes: pieces of the Morfessor segmentation.
    homophone: whether another word of the training split sounds the same.
    """

    train_count: np.ndarray
    morphemes: np.ndarray
    homophone: np.ndarray


def word_facts(corpus: LanguageCorpus, progress: bool = True) -> WordFacts:
    """Facts of all strings, from the streams' own analysers whatever streams a run has."""
    tables, _ = build_tables(corpus, ANALYSED, progress=progress)
    uses = np.asarray(corpus.train_uses()).astype(np.int64)
    morphemes = (np.asarray(tables["morphological"].rows[:-1]) != PAD).sum(1)
    phonetic = tables["phonetic"]
    return WordFacts(uses, morphemes, _homophones(corpus, phonetic.analyser, np.asarray(phonetic.rows[:-1]), uses))


def _homophones(corpus: LanguageCorpus, analyser: WordAnalyser, rows: np.ndarray, uses: np.ndarray) -> np.ndarray:
    keys = np.array([analyser.key(string) for string in corpus.strings()])
    _, spelling = np.unique(keys, return_inverse=True)
    _, sound = np.unique(rows, axis=0, return_inverse=True)
    sounding = (rows[:, 0] != PAD) & (uses > 0)
    # Distinct (sound, spelling) pairs of the training split; a sound with two spellings is shared.
    pairs = np.unique(np.stack([sound.ravel()[sounding], spelling.ravel()[sounding]]), axis=1)
    spellings = np.bincount(pairs[0], minlength=int(sound.max()) + 1)
    known = np.zeros(len(keys), dtype=bool)
    known[np.isin(spelling.ravel(), pairs[1])] = True
    # A word that training does not know is a homophone of one that it does.
    return (rows[:, 0] != PAD) & (spellings[sound.ravel()] >= np.where(known, 2, 1))
