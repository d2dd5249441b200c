"""The g2p-en network, batched: spelling to phonemes for words that stand in no dictionary.

Park & Kim (2019), https://github.com/Kyubyong/g2p: a one-layer GRU encoder-decoder whose weights come with the
package. Only its checkpoint is read; the package itself is not imported, because importing it downloads NLTK data.
"""

from __future__ import annotations

import functools
import os
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
_NONE, _UNKNOWN_LETTER, _END_OF_WORD = 0, 1, 2
_LETTERS = {letter: number for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz", start=3)}
_START, _END = 2, 3
_MAX_PHONEMES = 20
_BATCH = 512


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
    """One GRU step; inputs ``[N, 3D]`` already multiplied by W_ih and free to be overwritten, hidden ``[N, D]``."""
    recurrent = hidden @ weights[f"{side}_w_hh"].T
    recurrent += weights[f"{side}_b_hh"]
    width = hidden.shape[1]
    gates, new = inputs[:, : 2 * width], recurrent[:, 2 * width :]
    gates += recurrent[:, : 2 * width]
    np.negative(gates, out=gates)
    np.exp(gates, out=gates)
    gates += 1
    np.reciprocal(gates, out=gates)
    new *= gates[:, :width]
    new += inputs[:, 2 * width :]
    np.tanh(new, out=new)
    return new + gates[:, width:] * (hidden - new)


@functools.lru_cache(maxsize=2)
def _input_table(side: str) -> np.ndarray:
    """``W_ih e + b_ih`` of every letter (``enc``) or phoneme (``dec``): ``[symbols, 3D]``."""
    weights = _weights()
    return weights[f"{side}_emb"] @ weights[f"{side}_w_ih"].T + weights[f"{side}_b_ih"]


def predict(words: Sequence[str]) -> list[list[str]]:
    """Phonemes of lower-case words, at most 20 each; the same as ``g2p_en.G2p.predict`` word by word."""
    order = sorted(range(len(words)), key=words.__getitem__)  # neighbours then begin alike
    batches = [order[begin : begin + _BATCH] for begin in range(0, len(order), _BATCH)]
    result: list[list[str]] = [[] for _ in words]

    def run(batch: list[int]) -> None:
        for place, phonemes in zip(batch, _decode(_encode([words[place] for place in batch])), strict=True):
            result[place] = phonemes

    # Whole batches in threads, each product in one: the products are small, and BLAS threads would wait for each other.
    with threadpool_limits(1, user_api="blas"):
        for side in ("enc", "dec"):
            _input_table(side)  # loaded once, before the threads ask for it
        if len(batches) < 2:
            for batch in batches:
                run(batch)
        else:
            with ThreadPoolExecutor(_threads()) as pool:
                list(pool.map(run, batches))
    return result


def _threads() -> int:
    """One per core, or as many as OMP_NUM_THREADS allows (lexicon workers get one)."""
    return int(os.environ.get("OMP_NUM_THREADS", "").split(",")[0] or os.cpu_count() or 1)


def _encode(words: Sequence[str]) -> np.ndarray:
    """Last states ``[N, D]``. A word takes the states of the letters it begins with like the word before it."""
    weights, table = _weights(), _input_table("enc")
    longest = max(len(word) for word in words)
    letters = np.array(
        [[_LETTERS.get(c, _UNKNOWN_LETTER) for c in w] + [_END_OF_WORD] + [_NONE] * (longest - len(w)) for w in words]
    )  # [N, longest + 1]
    new = np.ones(letters.shape, dtype=bool)
    np.logical_or.accumulate(letters[1:] != letters[:-1], axis=1, out=new[1:])
    new &= letters != _NONE
    width = weights["enc_w_hh"].shape[1]
    hidden, place = np.zeros((1, width), np.float32), np.zeros(len(words), dtype=np.int64)
    last = np.empty((len(words), width), np.float32)
    for letter, fresh in zip(letters.T, new.T, strict=True):
        hidden = _step(table[letter[fresh]], hidden[place[fresh]], weights, "enc")
        place = np.cumsum(fresh) - 1
        ended = letter == _END_OF_WORD
        last[ended] = hidden[place[ended]]
    return last


def _decode(hidden: np.ndarray) -> list[list[str]]:
    """Phonemes from the encoder's last states ``[N, D]``; a finished word leaves the batch."""
    weights, table = _weights(), _input_table("dec")
    outputs = np.full((len(hidden), _MAX_PHONEMES), _END)
    last, active = np.full(len(hidden), _START), np.arange(len(hidden))
    for step in range(_MAX_PHONEMES):
        hidden = _step(table[last], hidden, weights, "dec")
        last = (hidden @ weights["fc_w"].T + weights["fc_b"]).argmax(axis=1)
        outputs[active, step] = last
        going = last != _END
        active, hidden, last = active[going], hidden[going], last[going]
        if not len(active):
            break
    # 0 to 3 are specials
    return [[PHONEMES[output - _END - 1] for output in row if output > _END] for row in outputs.tolist()]
