"""Undo the tokenisation of WikiText (Merity et al. 2017), so that a model trained on plain text meets plain text."""

from __future__ import annotations

import regex

_RULES = [
    (regex.compile(r" @([-,.])@ "), r"\1"),  # 1 @,@ 000 · long @-@ lived
    (regex.compile(r" ([.,;:!?%)\]}])"), r"\1"),
    (regex.compile(r"([(\[{]) "), r"\1"),
    (regex.compile(r"(?<=\w) ('(?:s|re|ve|ll|d|m|t)\b)"), r"\1"),
    (regex.compile(r"(?<=\w) (n't\b)"), r"\1"),
    (regex.compile(r'" ([^"\n]*?) "'), r'"\1"'),
    (regex.compile(r"(?<=\d) ([–/]) (?=\d)"), r"\1"),
    (regex.compile(r"^ +(?=\S)| +$", regex.MULTILINE), ""),
]


def detokenise(text: str) -> str:
    """Text without the spaces that the tokenisation put in. Headings keep their marks: `` = = Life = = `` becomes
    ``= = Life = =``.
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
