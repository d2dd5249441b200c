"""Classes of the words of captions and answers: what a picture must be seen for, and what grammar alone decides.

The colours are the eleven basic terms of English (Berlin and Kay 1969); the other lists are closed too.
"""

from __future__ import annotations

from typing import Literal

VisualClass = Literal["colour", "shape", "size", "number", "place", "function", "other"]

_WORDS: dict[VisualClass, str] = {
    "colour": "black white red green yellow blue brown orange pink purple grey gray",
    "shape": "circle square triangle star rectangle oval",
    "size": "small large big little tiny huge tall short long",
    "number": "zero one two three four five six seven eight nine ten single several many few",
    "place": """
        left right top bottom middle centre center above below under over behind front beside near inside outside
        across around between through against along into onto towards up down
        """,
    "function": """
        a an the this that these those some any no every each all both another other
        i you he she it we they him her them his its their who which what there
        is are was were be been being am has have had do does did can could will would may might must should
        and or but while as if then than so not nor
        of in on at to from by with for about out off
        """,
}
_CLASS_OF: dict[str, VisualClass] = {
    form: name
    for name, words in _WORDS.items()
    for word in words.split()
    for form in ([word, f"{word}s"] if name == "shape" else [word])
}

VISUAL_CLASSES: tuple[VisualClass, ...] = (*_WORDS, "other")
"""All classes, in the order of figures."""


def visual_class(word: str) -> VisualClass:
    """Class of a word in any case; digits are numbers, and punctuation is a function word."""
    plain = word.lower().strip().strip(".,;:!?\"'()")
    if plain.isdigit():
        return "number"
    return "function" if not plain else _CLASS_OF.get(plain, "other")
