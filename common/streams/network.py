"""The g2p-en network, batched: spelling to phonemes for words that stand in no dictionary.

Park & Kim (2019), https://github.com/Kyubyong/g2p: a one-layer GRU encoder-decoder whose weights come with the
package. Only its checkpoint is read; the package itself is not imported, because importing it downloads NLTK data.
"""

from __future__ import annotations

import functools
import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from importlib import util
from pathlib import Path
from typing import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
CONSONANTS = (
    "B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N", "NG", "P", "R", "S", "SH", "T", "TH", "V", "W",
    "Y", "Z", "ZH",
)  # fmt: skip
# The network also knows an unstressed-mark-free UW, so the inventory has it.
PHONEMES = tuple(sorted([v + s for v in VOWELS for s in "012"] + ["UW"] + list(CONSONANTS)))
"""ARPAbet with stress; in this order the network's outputs 4 to 73."""
_END_OF_WORD, _UNKNOWN_LETTER, _START, _END = 2, 1, 2, 3
_MAX_PHONEMES = 20
_BATCH = 256
_MIN_THREADED = 512


def package_folder() -> Path:
    """Where g2p-en is installed, found without importing it."""
    spec = util.find_spec("g2p_en")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the phonetic stream needs the package g2p-en: pip install g2p-en")
    return Path(list(spec.submodule_search_locations)[0])


@functools.lru_cache(maxsize=1)
def _weights() -> dict[str, np.ndarray]:
    with np.load(package_folder() / "checkpoint20.npz") as stored:
        return {name: stored[name] for name in stored.files}


def _step(inputs: np.ndarray, hidden: np.ndarray, weights: dict[str, np.ndarray], side: str) -> np.ndarray:
    """One GRU step; inputs ``[N, 3D]`` already multiplied by W_ih, hidden ``[N, D]``."""
    recurrent = hidden @ weights[f"{side}_w_hh"].T + weights[f"{side}_b_hh"]
    width = hidden.shape[1]
    gates = 1 / (1 + np.exp(-(inputs[:, : 2 * width] + recurrent[:, : 2 * width])))
    reset, update = gates[:, :width], gates[:, width:]
    new = np.tanh(inputs[:, 2 * width :] + reset * recurrent[:, 2 * width :])
    return (1 - update) * new + update * hidden


@functools.lru_cache(maxsize=2)
def _input_table(side: str) -> np.ndarray:
    """``W_ih e + b_ih`` of every letter (``enc``) or phoneme (``dec``): ``[symbols, 3D]``."""
    weights = _weights()
    return weights[f"{side}_emb"] @ weights[f"{side}_w_ih"].T + weights[f"{side}_b_ih"]


def predict(words: Sequence[str]) -> list[list[str]]:
    """Phonemes of lower-case words, at most 20 each; the same as ``g2p_en.G2p.predict`` word by word."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for place, word in enumerate(words):
        by_length[len(word)].append(place)
    # Equal lengths need no padding. The largest batches go first, so that threads end together.
    batches = [places[i : i + _BATCH] for places in by_length.values() for i in range(0, len(places), _BATCH)]
    batches.sort(key=lambda batch: -len(batch) * (len(words[batch[0]]) + 9))
    result: list[list[str]] = [[] for _ in words]

    def run(batch: list[int]) -> None:
        for place, phonemes in zip(batch, _predict_equal_length([words[p] for p in batch]), strict=True):
            result[place] = phonemes

    for side in ("enc", "dec"):
        _input_table(side)  # loaded once, before the threads ask for it
    # Whole batches in threads, each product in one: the products are small, and BLAS threads would wait for each other.
    with threadpool_limits(1, user_api="blas"):
        if len(words) < _MIN_THREADED:
            for batch in batches:
                run(batch)
        else:
            with ThreadPoolExecutor(_threads()) as pool:
                list(pool.map(run, batches))
    return result


def _threads() -> int:
    """One per core, or as many as OMP_NUM_THREADS allows (lexicon workers get one)."""
    return int(os.environ.get("OMP_NUM_THREADS", "").split(",")[0] or os.cpu_count() or 1)


def _predict_equal_length(words: list[str]) -> list[list[str]]:
    weights = _weights()
    letters = np.array(
        [[3 + ord(c) - 97 if "a" <= c <= "z" else _UNKNOWN_LETTER for c in word] + [_END_OF_WORD] for word in words]
    )  # [N, L+1]
    hidden = np.zeros((len(words), weights["enc_w_hh"].shape[1]), np.float32)
    for column in letters.T:
        hidden = _step(_input_table("enc")[column], hidden, weights, "enc")
    last = np.full(len(words), _START)
    active = np.arange(len(words))
    result: list[list[str]] = [[] for _ in words]
    for _ in range(_MAX_PHONEMES):
        hidden = _step(_input_table("dec")[last], hidden, weights, "dec")
        last = (hidden @ weights["fc_w"].T + weights["fc_b"]).argmax(axis=1)
        going = last != _END
        active, hidden, last = active[going], hidden[going], last[going]
        if not len(active):
            break
        for place, output in zip(active, last, strict=True):
            if output > _END:  # 0 to 3 are specials
                result[place].append(PHONEMES[output - _END - 1])
    return result
