"""The sources of the paper, for its tests."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAPER, RESULTS = REPOSITORY / "paper", REPOSITORY / "results"
SECTIONS = sorted((PAPER / "sections").glob("*.tex"))


def uncommented(path):
    return re.sub(r"(?<!\\)%.*", "", path.read_text(encoding="utf-8"))


TEXTS = {path.stem: uncommented(path) for path in SECTIONS}
ALL = "\n".join(TEXTS.values())
