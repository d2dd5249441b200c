"""Stanford Sentiment Treebank (Socher et al. 2013): SST-5 and SST-2 from PTB trees, or root sentences from the hub."""

from __future__ import annotations

import re
from pathlib import Path

from common.data.files import folder_of, read_text
from common.data.hub import load_hub
from common.data.text import Corpus, DataConfig, DataError, TextSplit, register_dataset

FIVE = ("very negative", "negative", "neutral", "positive", "very positive")
TWO = ("negative", "positive")
SIZES = {
    5: {"train": (8544,), "validation": (1101,), "test": (2210,)},
    2: {"train": (6920,), "validation": (872,), "test": (1821,)},
}
FILES = {"train": "train.txt", "validation": "dev.txt", "test": "test.txt"}
TO_BINARY = {0: 0, 1: 0, 3: 1, 4: 1}

_TOKEN = re.compile(r"\(|\)|[^\s()]+")
_ESCAPES = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}", "``": '"', "''": '"'}
_CLITICS = frozenset({"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"})


@register_dataset("sst5")
def load_sst5(config: DataConfig) -> Corpus:
    """Five labels, from very negative to very positive."""
    return _load(config, 5)


@register_dataset("sst2")
def load_sst2(config: DataConfig) -> Corpus:
    """Two labels; neutral roots (and neutral phrases) are left out."""
    return _load(config, 2)


def _load(config: DataConfig, classes: int) -> Corpus:
    names = FIVE if classes == 5 else TWO
    if config.path:
        return _from_trees(config, classes, names)
    if config.phrases:
        raise DataError("phrases=True needs the trees: give `path` the folder with train.txt, dev.txt and test.txt")
    splits, _, source = load_hub(
        f"SetFit/sst{classes}",
        {name: name for name in FILES},
        ("text", "label"),
        "download trainDevTestTrees_PTB.zip from https://nlp.stanford.edu/sentiment/ and give `path` its folder "
        "trees/ (train.txt, dev.txt, test.txt)",
    )
    return Corpus(source, splits, names, SIZES[classes], ordinal=classes == 5)


def _from_trees(config: DataConfig, classes: int, names: tuple[str, ...]) -> Corpus:
    folder = folder_of(config.path)
    splits, phrases = {}, None
    for name, file in FILES.items():
        path = folder / file
        if not path.is_file():
            raise DataError(f"{path} is missing; the treebank's folder holds train.txt, dev.txt and test.txt")
        trees = read_trees(path)
        splits[name] = _split([tree[-1] for tree in trees], classes)
        if name == "train" and config.phrases:
            roots = {tree[-1][0] for tree in trees}
            # Once each: "the" stands in thousands of trees. A phrase that is itself a root sentence is there already.
            inner = dict.fromkeys(node for tree in trees for node in tree[:-1] if node[0] not in roots)
            phrases = _split(list(inner), classes)
    return Corpus(f"PTB trees in {folder}", splits, names, SIZES[classes], phrases, ordinal=classes == 5)


def _split(nodes: list[tuple[str, int]], classes: int) -> TextSplit:
    if classes == 2:
        nodes = [(text, TO_BINARY[label]) for text, label in nodes if label != 2]
    return TextSplit(tuple(text for text, _ in nodes), tuple(label for _, label in nodes))


def read_trees(path: Path) -> list[list[tuple[str, int]]]:
    """All trees of a PTB file, one per line: every node as (text, label 0–4), children first, the root last.

    Raises:
        DataError: for a malformed tree or a label outside 0–4, naming file and line.
    """
    trees = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            try:
                trees.append(parse_tree(line))
            except ValueError as error:
                raise DataError(f"{path}, line {number}: {error}") from error
    return trees


def parse_tree(line: str) -> list[tuple[str, int]]:
    """Nodes of one tree such as ``(3 (2 so) (3 good))``: (text, label), children first. Raises ValueError."""
    nodes: list[tuple[str, int]] = []
    words: list[str] = []
    opened: list[tuple[int, int]] = []  # (label, index of the node's first word)
    tokens = _TOKEN.findall(line)
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if position and not opened:
            raise ValueError("text after the end of the tree")
        if token == "(":
            label = tokens[position + 1] if position + 1 < len(tokens) else ""
            if label not in ("0", "1", "2", "3", "4"):
                raise ValueError(f"label {label!r} is not one of 0–4")
            opened.append((int(label), len(words)))
            position += 1
        elif token == ")":
            label_of, first = opened.pop()
            nodes.append((detokenise(words[first:]), label_of))
        elif not opened:
            raise ValueError("a tree starts with an opening bracket")
        else:
            words.append(token)
        position += 1
    if opened or not nodes:
        raise ValueError("the tree's brackets do not close")
    return nodes


def detokenise(words: list[str]) -> str:
    """Treebank tokens as text.

    Brackets and quotation marks lose their PTB names (``-LRB-`` becomes ``(``), ``\\/`` and ``\\*`` their backslash.
    Clitics join their word (``does n't`` becomes ``doesn't``), so that the word streams see words that have a sound.
    Other punctuation stays apart, as in the files.
    """
    text: list[str] = []
    for word in words:
        word = _ESCAPES.get(word, word.replace("\\/", "/").replace("\\*", "*"))
        if word.lower() in _CLITICS and text and text[-1][-1].isalpha():
            text[-1] += word
        else:
            text.append(word)
    return " ".join(text)
