"""One HTML page with every table and figure: hover a row for its records, filter by rule, sort by a column.

It is made from the files that the makers wrote, so it shows what they show.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from common.files import write_text
from results.reader import RecordError
from results.render import SOURCES, with_numbers

TEMPLATE = Path(__file__).with_name("template.html")
INTERVAL = re.compile(r"^([+−-]?[\d.,]+) \[([+−-]?[\d.,]+), ([+−-]?[\d.,]+)\]$")
"""A difference with its interval, as tables write it."""

MARKED = re.compile(r"^(\*\*?)([^*]+)\1$")


@dataclass(frozen=True)
class Part:
    """One section of a table: what ``table.md`` has of it, and the records of each row."""

    table: str
    section: str
    header: list[str]
    rows: list[list[str]]
    caption: str
    records: list[str]


def table_parts(folder: Path, name: str) -> Iterator[Part]:
    """The sections of the table in `folder`.

    Raises:
        RecordError: ``table.md`` and ``table.csv`` do not belong together.
    """
    try:
        frame = pd.read_csv(folder / "table.csv")
    except ValueError as error:
        raise RecordError(
            f"{folder}/table.csv cannot be read ({error}); make it again by python -m results make"
        ) from error
    text = (folder / "table.md").read_text(encoding="utf-8")
    for block in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        section, _, body = block.partition("\n")
        lines = [line for line in body.split("\n") if line.startswith("|")]
        caption = " ".join(line for line in body.split("\n") if line and not line.startswith("|"))
        cells = [[cell.strip().replace(r"\|", "|") for cell in line.strip("|").split(" | ")] for line in lines]
        own = with_numbers(frame.loc[frame["section"] == section.strip()] if "section" in frame else frame)
        if len(own) != len(cells) - 2:
            raise RecordError(f"{folder}: table.md and table.csv differ; make it again by python -m results make")
        sources = list(own[SOURCES].fillna("")) if SOURCES in own else [""] * len(own)
        yield Part(name, section.strip(), cells[0], cells[2:], caption, sources)


def build(folder: Path, target: Path) -> Path:
    """Write the page of all tables and figures below `folder` to `target`.

    Raises:
        RecordError: nothing was made yet, or the files of a table differ.
    """
    tables = sorted(folder.rglob("table.md"))
    figures = sorted(path for path in folder.rglob("*.png") if path.with_suffix(".pdf").exists())
    if not tables and not figures:
        raise RecordError(f"no table or figure below {folder}; make them first by python -m results make")
    names = {path: path.parent.relative_to(folder).as_posix() for path in tables}
    tables.sort(key=lambda path: (not names[path].startswith("table"), names[path]))  # those behind figures come last
    parts = [part for path in tables for part in table_parts(path.parent, names[path])]
    variants = list(dict.fromkeys(row[0] for part in parts for row in part.rows))
    content = "\n".join([*map(_table, parts), *(_figure(path, folder) for path in figures)])
    page = TEMPLATE.read_text(encoding="utf-8").replace("<!-- contents -->", _contents(parts))
    choices = "".join(
        f'<label><input type="checkbox" value="{escape(v)}" checked> {escape(v)}</label>' for v in variants
    )
    return write_text(target, page.replace("<!-- rules -->", choices).replace("<!-- content -->", content))


def _contents(parts: list[Part]) -> str:
    """A line per table with a link to each of its sections."""
    lines: dict[str, list[str]] = {}
    for part in parts:
        lines.setdefault(part.table, []).append(f'<a href="#{escape(_id(part))}">{escape(part.section)}</a>')
    return "".join(f"<li>{escape(table)}: {' · '.join(links)}</li>" for table, links in lines.items())


def _table(part: Part) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in part.header)
    rows = "".join(
        f'<tr data-rule="{escape(row[0])}" title="{escape(_told(source))}">'
        + "".join(f"<td>{_cell(cell)}</td>" for cell in row)
        + "</tr>"
        for row, source in zip(part.rows, part.records, strict=True)
    )
    points = json.dumps(_points(part)).replace("<", "\\u003c")
    return (
        f'<section class="table" id="{escape(_id(part))}"><h2>{escape(part.table)}: {escape(part.section)}</h2>'
        f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        f'<svg class="dots" data-points="{escape(points)}"></svg><p>{escape(part.caption)}</p></section>'
    )


def _cell(cell: str) -> str:
    """A cell of a Markdown table: what is marked there as best, or as not significantly worse, is marked here."""
    match = MARKED.match(cell)
    if match is None:
        return escape(cell)
    tag = "strong" if match[1] == "**" else "em"
    return f"<{tag}>{escape(match[2])}</{tag}>"


def _figure(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).with_suffix("").as_posix()
    picture = base64.b64encode(path.read_bytes()).decode("ascii")
    return (
        f'<section class="figure" id="{escape(name.replace("/", "-"))}"><details><summary>{escape(name)}</summary>'
        f'<img loading="lazy" alt="{escape(name)}" src="data:image/png;base64,{picture}"></details></section>'
    )


def _points(part: Part) -> list[dict[str, object]]:
    """Differences with their intervals, of the first column that has some."""
    for column, header in enumerate(part.header):
        found = [(row[0], INTERVAL.match(row[column])) for row in part.rows]
        if any(match for _, match in found):
            return [
                {
                    "rule": rule, "label": header,
                    **dict(zip(("value", "low", "high"), (_number(n) for n in match.groups()), strict=True)),
                }
                for rule, match in found
                if match
            ]  # fmt: skip
    return []


def _number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _told(records: str) -> str:
    return f"records: {records}" if records else "not from a run of its own"


def _id(part: Part) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", f"{part.table} {part.section}").strip("-")
