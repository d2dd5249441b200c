"""``python -m results.readme``: write results into READMEs, RESULTS and FINDINGS, between their markers: into the main
README what all domains show and how to read α, into that of each step its domains, beside it all its rows, into the
findings what tables 1 and 5 to 9 say, beside the benchmarks their records.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import ModuleType

import pandas as pd

from common.files import write_text
from results import table2_mlm, table3_gpt, table4_vision_language
from results.answers import overview, robustness, starts, transfer, universality
from results.in_short import in_short
from results.reader import RECORDS
from results.render import SCORE, SENTIMENT, Columns, section_markdown
from results.stream_answers import importance, ladder, pictures, planted_texts
from results.table2_mlm.make import COLUMNS as MLM
from results.table2_mlm.make import SCORE as MLM_SCORE
from results.table3_gpt.make import COLUMNS as GPT
from results.table3_gpt.make import SCORE as GPT_SCORE
from results.table4_vision_language.configs import TASKS
from results.table4_vision_language.make import LONG, columns_of
from results.table5_alpha_validity.reading import reading

REPOSITORY = Path(__file__).parents[1]
TABLE = REPOSITORY / "results" / "table1_sentiment" / "table.csv"
SHOWN = ("variant", "seeds", "accuracy %", "Δ points [95 % CI]", "p Holm", "params M", "MFLOPs/token", "step ms")
"""Columns of table 1 that the README has room for."""
HIDDEN = ("p", "added M", "ratio", "step ms", "token perplexity", "wikitext-2 word perplexity")
"""Columns of the language models' tables for which it has none."""


def table1(path: Path = TABLE) -> str:
    """Table 1 in short, one Markdown table per section, without rows that have no run."""
    frame = pd.read_csv(path)
    parts = []
    for section, part in frame.loc[frame["seeds"] > 0].groupby("section", sort=False):
        parts.append(f"{section}:\n\n{section_markdown(part, SENTIMENT, SCORE, SHOWN)}")
    return "\n\n".join(parts)


def language(package: ModuleType, columns: Columns, score: str) -> str:
    """The table of a language-model step in short, one Markdown table per section."""
    path = Path(str(package.__file__)).with_name("table.csv")
    shown = [name for name in columns if name not in HIDDEN]
    parts = [
        f"{section}:\n\n{section_markdown(part, columns, score, shown)}"
        for section, part in pd.read_csv(path).groupby("section", sort=False)
    ]
    return "\n\n".join(parts)


def vision_language(package: ModuleType = table4_vision_language) -> str:
    """Table 4 in short, one Markdown table per section of each task."""
    parts = []
    for name, task in TASKS.items():
        path = Path(str(package.__file__)).with_name(name) / "table.csv"
        if not path.exists():  # no run of this task
            continue
        frame = pd.read_csv(path)
        columns = columns_of(task, frame)
        shown = [header for header in columns if header not in LONG]
        parts += [
            f"{section}:\n\n{section_markdown(part, columns, task.header, shown)}"
            for section, part in frame.groupby("section", sort=False)
        ]
    return "\n\n".join(parts) or "No finished run yet."


def benchmarks(records: Path = RECORDS) -> str:
    """One Markdown table per benchmark record, with the machine it was measured on."""
    parts = []
    for path in sorted((records / "benchmarks").glob("*.json")):
        if path.name.startswith("step_time"):  # stands in the tables
            continue
        report = json.loads(path.read_text(encoding="utf-8"))
        machine = report["machine"]
        threads = machine.get("threads", machine.get("cores"))
        where = machine.get("gpu") or f"{machine['cpu']}, {threads} thread{'s' if threads != 1 else ''}"
        columns = list(report["rows"][0])
        modes = "".join(f' "{mode}"' for mode in report.get("settings", {}).get("modes", ()))
        command = f"python -m benchmarks.{report['benchmark']}{modes and f' --modes{modes}'}"
        lines = [f"`{command}` ({where}, torch {machine['torch']}):", ""]
        lines += ["| " + " | ".join(column.replace("_", " ") for column in columns) + " |"]
        lines += ["|" + "|".join("---:" if _numeric(report["rows"][0][c]) else "---" for c in columns) + "|"]
        lines += ["| " + " | ".join(_written(row[column]) for column in columns) + " |" for row in report["rows"]]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _numeric(value: object) -> bool:
    return isinstance(value, (int, float))


def _written(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _of_step(*starts: str) -> Callable[[], str]:
    """The domains whose name begins so."""
    return partial(overview, shown=lambda domain: domain.startswith(starts))


def _with_pictures(domain: str) -> bool:
    return any(f", {task}, " in domain for task in TASKS)


SECTIONS = {
    "in short": in_short,
    "overview": overview,
    "step 1": _of_step("sentiment: "),
    "step 2": _of_step("masked LM: "),
    "step 3": _of_step("causal LM "),
    "step 4": partial(overview, shown=_with_pictures),
    "table1": table1,
    "table2": partial(language, table2_mlm, MLM, MLM_SCORE),
    "table3": partial(language, table3_gpt, GPT, GPT_SCORE),
    "table4": vision_language,
    "table5": reading,
    "starts": starts,
    "planted texts": planted_texts,
    "ladder": ladder,
    "table6": universality,
    "table7": transfer,
    "table8": robustness,
    "table9": importance,
    "pictures": pictures,
    "benchmarks": benchmarks,
}
"""Name of the markers -> what stands between them."""


PAGES = {
    "README.md": ("in short", "overview", "table5"),
    "results/FINDINGS.md": (
        "starts",
        "planted texts",
        "ladder",
        "table9",
        "pictures",
        "table6",
        "table7",
        "table8",
    ),
    "step1_sentiment/README.md": ("step 1",),
    "step1_sentiment/RESULTS.md": ("table1",),
    "step2_mlm/README.md": ("step 2",),
    "step2_mlm/RESULTS.md": ("table2",),
    "step3_gpt/README.md": ("step 3",),
    "step3_gpt/RESULTS.md": ("table3",),
    "step4_vision_language/README.md": ("step 4",),
    "step4_vision_language/RESULTS.md": ("table4",),
    "benchmarks/RESULTS.md": ("benchmarks",),
}
"""File -> its sections."""


def updated(readme: str, names: Iterable[str]) -> str:
    """`readme` with the parts between the markers of the sections `names` made anew.

    Raises:
        ValueError: a marker is missing or stands twice.
    """
    for name in names:
        start, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if not readme.count(start) == readme.count(end) == 1:
            raise ValueError(f"the page needs the lines {start} and {end}, once each")
        before, rest = readme.split(start)
        _, after = rest.split(end)
        readme = f"{before}{start}\n{SECTIONS[name]()}\n{end}{after}"
    return readme


def update() -> list[Path]:
    """Bring all pages up to date; returns their paths."""
    pages = {REPOSITORY / file: names for file, names in PAGES.items()}
    texts = {path: updated(path.read_text(encoding="utf-8"), names) for path, names in pages.items()}
    return [write_text(path, text) for path, text in texts.items()]


if __name__ == "__main__":
    for written_path in update():
        print(f"wrote {written_path}")
