"""Words with two readings (``refuse``), told apart by part of speech where a tagger can be had.

Readings and rule are g2p-en's (``homographs.en``); the tagger is NLTK's averaged perceptron, in the JSON format of new
data packages or the pickle of old ones. The pickle is opened by a loader that can make plain containers only.
"""

from __future__ import annotations

import functools
import io
import json
import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

from common.streams.network import package_folder

JSON_MODEL = "averaged_perceptron_tagger_eng"
PICKLE_MODEL = "averaged_perceptron_tagger"


@functools.lru_cache(maxsize=1)
def homographs() -> dict[str, tuple[str, str, str]]:
    """word -> (reading for tags that start with the third entry, reading otherwise, start of the tag)."""
    table = {}
    for line in (package_folder() / "homographs.en").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            word, first, second, tag = line.strip().split("|")
            table[word.lower()] = (first, second, tag)
    return table


class _Containers(pickle.Unpickler):
    """Opens a pickle of dicts, lists, tuples, sets, strings and numbers; refuses all else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("__builtin__", "set"), ("builtins", "set")):
            return set
        raise pickle.UnpicklingError(f"the tagger file wants {module}.{name}; only plain containers are allowed")


def _folders() -> list[Path]:
    """Where NLTK looks for its data, in its order. Written out because importing NLTK takes seconds."""
    named = [Path(part) for part in os.environ.get("NLTK_DATA", "").split(os.pathsep) if part]
    prefix = Path(sys.prefix)
    shared = [Path(root) for root in ("/usr/share", "/usr/local/share", "/usr/lib", "/usr/local/lib")]
    places = [Path.home(), prefix, prefix / "share", prefix / "lib", *shared]
    return named + [place / "nltk_data" for place in places]


def find_tagger() -> tuple[Path | None, str]:
    """Place and name of a tagger in the local NLTK data, the JSON format first; ``(None, "")`` where there is none.

    The place is a folder or a zip file. Nothing is downloaded.
    """
    for name in (JSON_MODEL, PICKLE_MODEL):
        for folder in _folders():
            for place in (folder / "taggers" / name, folder / "taggers" / f"{name}.zip"):
                if place.exists():
                    return place, name
    return None, ""


def load_tagger(place: Path, name: str) -> Any:
    """NLTK's ``PerceptronTagger`` from what ``find_tagger`` gave.

    Raises:
        FileNotFoundError, KeyError, ValueError, pickle.UnpicklingError: the data there is not a tagger.
    """
    from nltk.tag.perceptron import PerceptronTagger

    def content(file: str) -> bytes:
        if place.is_dir():
            return (place / file).read_bytes()
        with zipfile.ZipFile(place) as archive:
            return archive.read(f"{name}/{file}")

    if name == JSON_MODEL:
        parts = [json.loads(content(f"{name}.{part}.json")) for part in ("weights", "tagdict", "classes")]
    else:
        parts = list(_Containers(io.BytesIO(content(f"{name}.pickle")), encoding="latin-1").load())
    tagger = PerceptronTagger(load=False)
    tagger.model.weights, tagger.tagdict = parts[0], parts[1]
    tagger.classes = tagger.model.classes = set(parts[2])
    return tagger
