"""Structure: morphs of Morfessor Baseline (Creutz & Lagus 2007; Virpioja et al. 2013), trained on the train split."""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from importlib import metadata
from typing import Any, Mapping

import regex
from tqdm import tqdm

from common.streams.analyser import MAX_CHARACTERS, UNKNOWN_SYMBOL, WordAnalyser, register_analyser

NUMBER = "<number>"
_REVISION = 2  # raise when the rules of this file change, so that cached states and lexicons are rebuilt
_MAX_TYPES = 20_000  # the most frequent words; training time grows faster than their number
_MAX_EPOCHS = 5
_THRESHOLD = 0.005  # Morfessor's own stopping rule: improvement per word of the corpus
_MIN_COUNT = 2  # occurrences in the training texts that make a morph a symbol
_MAX_MORPH = 30
_SEED = 0
_PART = regex.compile(r"\p{N}+|[\p{L}\p{M}']+")


def _word_parts(key: str) -> list[str]:
    """Runs of digits, and runs of letters with their apostrophes; a run of apostrophes alone is nothing."""
    return [part for part in _PART.findall(key) if part.strip("'")]


def _key(word: str) -> str:
    return word[:MAX_CHARACTERS].lower().replace("’", "'")


def _is_number(part: str) -> bool:
    return regex.match(r"\p{N}", part) is not None


@register_analyser("morphological")
class MorphologicalAnalyser(WordAnalyser):
    """Morphs of words of any script.

    Digits become one symbol ``<number>``; morphs that occurred only once in the training texts, and letters never
    seen, become one unknown symbol per run. Punctuation and emoji are silent. Deterministic: the seed is fixed.
    """

    def __init__(self, morphs: Mapping[str, int], tokens: int, symbols: tuple[str, ...]) -> None:
        """Morph counts of the trained model, and its number of morph and word tokens."""
        self.symbols = symbols
        self._morphs = dict(morphs)
        self._tokens = tokens
        total = math.log(tokens) if tokens else 0.0
        self._costs = {morph: total - math.log(count) for morph, count in morphs.items()}
        self._longest = min(_MAX_MORPH, max(map(len, morphs), default=1))
        self._known = frozenset(symbols)

    @classmethod
    def fit(cls, words: Mapping[str, int], progress: bool = False) -> MorphologicalAnalyser:
        counts: Counter[str] = Counter()
        for word, count in words.items():
            for part in _word_parts(_key(word)):
                if not _is_number(part):
                    counts[part] += count
        # Sorted before cutting, so that equal counts are cut alike whatever the order of the texts.
        chosen = heapq.nsmallest(_MAX_TYPES, counts.items(), key=lambda item: (-item[1], item[0]))
        morphs, tokens = _train(sorted(word for word, _ in chosen), progress)
        unfinished = cls(morphs, tokens, ())
        occurrences: Counter[str] = Counter()
        for word, count in chosen:
            for morph in unfinished.segment(word):
                occurrences[morph] += count
        symbols = sorted(morph for morph, count in occurrences.items() if count >= _MIN_COUNT)
        return cls(morphs, tokens, (NUMBER, *symbols))

    def key(self, word: str) -> str:
        return _key(word)

    def analyse(self, key: str) -> list[str]:
        found: list[str] = []
        for part in _word_parts(key):
            for morph in [NUMBER] if _is_number(part) else self.segment(part):
                symbol = morph if morph in self._known else UNKNOWN_SYMBOL
                if symbol != UNKNOWN_SYMBOL or found[-1:] != [UNKNOWN_SYMBOL]:
                    found.append(symbol)
        return found

    def segment(self, word: str) -> list[str]:
        """Most probable morphs by Viterbi search: ``BaselineModel.viterbi_segment(word, addcount=0)``."""
        never = len(word) * (math.log(self._tokens) if self._tokens else 0.0) + 1.0  # cost of an unseen letter
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(word) + 1):
            cheapest, origin = math.inf, end - 1
            for start in range(max(0, end - self._longest), end):
                cost = self._costs.get(word[start:end], never if end - start == 1 else math.inf)
                if best[start][0] + cost < cheapest:
                    cheapest, origin = best[start][0] + cost, start
            best.append((cheapest, origin))
        morphs, end = [], len(word)
        while end:
            start = best[end][1]
            morphs.append(word[start:end])
            end = start
        return morphs[::-1]

    @classmethod
    def version(cls) -> str:
        settings = [_REVISION, _MAX_TYPES, _MAX_EPOCHS, _THRESHOLD, _MIN_COUNT, _MAX_MORPH, _SEED]
        return f"{settings} morfessor={metadata.version('morfessor')} unicode-regex={regex.__version__}"

    def state(self) -> dict[str, Any]:
        return {"morphs": self._morphs, "tokens": self._tokens, "symbols": list(self.symbols)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> MorphologicalAnalyser:
        return cls(state["morphs"], state["tokens"], tuple(state["symbols"]))


def _train(words: list[str], progress: bool) -> tuple[dict[str, int], int]:
    """Morph counts, and morph plus word tokens, of a model trained on word types (each word counts once)."""
    import morfessor
    import morfessor.utils

    model = morfessor.BaselineModel()
    if not words:
        return {}, 0
    model.load_data([(1, word) for word in words])
    # Morfessor shuffles with the global generator and prints dots: both are put back afterwards.
    generator, dots = random.getstate(), morfessor.utils.show_progress_bar
    random.seed(_SEED)
    morfessor.utils.show_progress_bar = False
    try:
        cost = model.get_cost()
        with tqdm(total=_MAX_EPOCHS, desc="Morfessor", unit="epoch", disable=not progress) as bar:
            for _ in range(_MAX_EPOCHS):
                _, after = model.train_batch(max_epochs=1)
                bar.update()
                bar.set_postfix(cost=f"{after:.0f}")
                if after >= cost - _THRESHOLD * len(words):
                    break
                cost = after
    finally:
        random.setstate(generator)
        morfessor.utils.show_progress_bar = dots
    morphs = dict(model.get_constructions())
    return dict(sorted(morphs.items())), model.tokens + len(words)
