"""How the numbers of a table are written: for the terminal, Markdown, LaTeX and as CSV."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from common.files import write_text
from results.best import BEST, LEVEL, MARK

MISSING = "—"
Columns = Mapping[str, Callable[[dict[str, Any]], str]]
"""Header -> the cell of a row, as text."""
Marked = str | Mapping[str, str]
"""Header of the cells that show which rows are best and which not significantly worse, by the column ``mark``; or
several headers -> the column with the marks of each."""
INTERVAL = "Δ points [95 % CI]"
SCORE = "accuracy %"
"""Header of the score by which the rows of a table of accuracies are compared."""
DIGITS = 9
"""Of a number in a CSV."""
SOURCES = "records"
"""Column with the names of the records that a row was made from."""

LATEX = {
    "\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "±": r"$\pm$", "Δ": r"$\Delta$", "−": "$-$", MISSING: "---",
}  # fmt: skip
MARKDOWN_MARKS = {BEST: "**{}**", LEVEL: "*{}*"}
LATEX_MARKS = {BEST: r"\textbf{{{}}}", LEVEL: r"\textit{{{}}}"}


def written(frame: pd.DataFrame, columns: Columns | None = None) -> pd.DataFrame:
    """The rows of one section as text, under the headers of `columns` (:data:`SENTIMENT` unless others are given)."""
    columns = SENTIMENT if columns is None else columns
    rows = [tuple(write(row) for write in columns.values()) for row in frame.to_dict("records")]
    return pd.DataFrame(rows, columns=pd.Index(list(columns)))


def marked(text: pd.DataFrame, frame: pd.DataFrame, score: Marked, styles: Mapping[str, str]) -> pd.DataFrame:
    """`text`, the cells of `frame`'s rows, with those below the headers of `score` as the marks of the rows ask for."""
    for header, name in ({score: MARK} if isinstance(score, str) else score).items():
        if name in frame and header in text:
            styled = [styles.get(str(mark), "{}") for mark in frame[name]]
            text = text.assign(
                **{header: [style.format(cell) for style, cell in zip(styled, text[header], strict=True)]}
            )
    return text


def section_markdown(part: pd.DataFrame, columns: Columns, score: Marked, shown: Iterable[str] = ()) -> str:
    """The rows of one section as a Markdown table with marks; only the columns `shown`, where any are named."""
    part = with_numbers(part)
    text = written(part, columns)
    return markdown_table(marked(without_empty(text.loc[:, list(shown) or text.columns]), part, score, MARKDOWN_MARKS))


def with_numbers(part: pd.DataFrame) -> pd.DataFrame:
    """`part` without the rows that have no run and no mean of anything; where all are such, as it is."""
    if "seeds" not in part:
        return part
    known = part["seeds"].gt(0) | part.filter(regex="_mean$").notna().any(axis=1)
    return part.loc[known] if known.any() else part


def without_empty(text: pd.DataFrame) -> pd.DataFrame:
    """`text` without the columns that have no value in any row; the first always stays."""
    return text.loc[:, [k == 0 or bool((text[name] != MISSING).any()) for k, name in enumerate(text.columns)]]


def markdown(
    frame: pd.DataFrame,
    captions: Mapping[str, str],
    note: str = "",
    columns: Columns | None = None,
    score: Marked = SCORE,
) -> str:
    """A Markdown document, one table per section."""
    parts = [note] if note else []
    for section, part in frame.groupby("section", sort=False):
        table = section_markdown(part, SENTIMENT if columns is None else columns, score)
        parts += [f"## {section}", table, captions.get(str(section), "")]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_table(text: pd.DataFrame) -> str:
    """A frame of strings as a Markdown table; a bar within a cell does not end it."""
    lines = [_line(text.columns), "|---" + "|--:" * (len(text.columns) - 1) + "|"]
    return "\n".join(lines + [_line(row) for row in text.itertuples(index=False)])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def latex(
    frame: pd.DataFrame, captions: Mapping[str, str], label: str, columns: Columns | None = None, score: Marked = SCORE
) -> str:
    """One booktabs ``table*`` per section, labelled ``tab:<label>-<n>``. Headers wider than their cells are stacked."""
    parts = []
    for k, (section, rows) in enumerate(frame.groupby("section", sort=False), start=1):
        part = with_numbers(rows)
        text = without_empty(written(part, columns))
        cells = marked(text.map(escaped), part, score, LATEX_MARKS)
        lines = [
            r"\begin{table*}", r"\centering\small", r"\resizebox{\textwidth}{!}{%",
            r"\begin{tabular}{l" + "r" * (len(text.columns) - 1) + "}", r"\toprule",
            " & ".join(_stacked(name, text[name]) for name in text.columns) + r" \\", r"\midrule",
            *(
                " & ".join(row) + r" \\" + source
                for row, source in zip(cells.itertuples(index=False), _sources(part), strict=True)
            ),
            r"\bottomrule", r"\end{tabular}}",
            rf"\caption{{{escaped(f'{section}. ' + captions.get(str(section), ''))}}}",
            rf"\label{{tab:{label}-{k}}}", r"\end{table*}",
        ]  # fmt: skip
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _stacked(header: str, cells: pd.Series) -> str:
    """A header as LaTeX, on several lines where it is wider than the `cells` below it and has spaces to break at."""
    lines = textwrap.wrap(header, max(map(len, cells)), break_long_words=False, break_on_hyphens=False)
    text = r"\\".join(map(escaped, lines))
    return rf"\shortstack[r]{{{text}}}" if len(lines) > 1 else text


def _sources(frame: pd.DataFrame) -> list[str]:
    """For each row a comment that names the records behind its numbers."""
    names = frame[SOURCES].fillna("") if SOURCES in frame else [""] * len(frame)
    return [f"  % records: {name}" if name else "" for name in names]


def escaped(text: str) -> str:
    """`text` as LaTeX shows it literally."""
    return "".join(LATEX.get(character, character) for character in text)


def file_stem(title: str) -> str:
    """The title of a section as a name of files."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", title).strip("_")


def sizes_note(baseline: str) -> str:
    """What a caption says of the columns ``added M`` and ``ratio``."""
    return f"Added M: million parameters more than {baseline} has; ratio: all parameters over those of {baseline}."


def write_csv(path: Path, frame: pd.DataFrame) -> Path:
    """A frame as CSV, with :data:`DIGITS` digits: read from it and rounded again, a number is shown as elsewhere."""
    return write_text(path, frame.to_csv(index=False, lineterminator="\n", float_format=f"%.{DIGITS}g"))


def _as_in_csv(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as a reader of the CSV has them, so that one on the edge of rounding is written alike everywhere."""
    numbers = frame.select_dtypes("floating")
    return frame.assign(
        **{str(name): numbers[name].map(lambda value: float(f"{value:.{DIGITS}g}")) for name in numbers}
    )


def write_table(
    folder: Path,
    frame: pd.DataFrame,
    captions: Mapping[str, str],
    label: str,
    note: str = "",
    columns: Columns | None = None,
    printed: Columns | None = None,
    score: Marked = SCORE,
) -> list[Path]:
    """Write table.csv (see :func:`write_csv`), table.md and table.tex into `folder`; returns their paths.

    Args:
        folder: of the table.
        frame: a row per section and variant.
        captions: of the sections.
        label: of the LaTeX tables.
        note: stands above the Markdown.
        columns: how cells are written (:data:`SENTIMENT` unless given).
        printed: those of the LaTeX tables, where paper has no room for all.
        score: where the marks of the rows are shown.
    """
    frame = _as_in_csv(frame)
    return [
        write_csv(folder / "table.csv", frame),
        write_text(folder / "table.md", markdown(frame, captions, note, columns, score)),
        write_text(folder / "table.tex", latex(frame, captions, label, columns if printed is None else printed, score)),
    ]


def number(value: float, digits: int) -> str:
    """A number with the minus of print, a dash where it is not known."""
    return MISSING if math.isnan(value) else f"{value:,.{digits}f}".replace("-", "−")


def signed(value: float, digits: int) -> str:
    """A number with its sign, a dash where it is not known."""
    return MISSING if math.isnan(value) else f"{value:+.{digits}f}".replace("-", "−")


def spread(mean: float, std: float, digits: int = 2) -> str:
    """Mean ± standard deviation."""
    return MISSING if math.isnan(mean) else f"{number(mean, digits)} ± {number(std, digits)}"


def interval(difference: float, low: float, high: float, digits: int = 2) -> str:
    """A difference and its confidence interval, with signs."""
    if math.isnan(difference):
        return MISSING
    return f"{signed(difference, digits)} [{signed(low, digits)}, {signed(high, digits)}]"


def p_value(value: float) -> str:
    """A p value to three digits."""
    if math.isnan(value):
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def costs() -> Columns:
    """The columns that end every table: what a row costs."""
    return {
        "params M": lambda row: number(row["parameters"] / 1e6, 2),
        "added M": lambda row: number(row["parameters_added"] / 1e6, 2),
        "ratio": lambda row: number(row["parameters_ratio"], 3),
        "MFLOPs/token": lambda row: number(row["flops_per_token"] / 1e6, 1),
        "step ms": lambda row: number(row["step_time_ms"], 1),
    }


def tests() -> Columns:
    """The columns of a row's p values."""
    return {"p": lambda row: p_value(row["difference_p"]), "p Holm": lambda row: p_value(row["difference_p_holm"])}


def counted(text: str, count: float, whole: float, unit: str = "") -> str:
    """`text`, with how many of the row's `whole` it rests on where these are fewer."""
    return f"{text} ({int(count)} of {int(whole)}{unit})" if 0 < count < whole else text


def head() -> Columns:
    """The columns that begin every table."""
    return {"variant": lambda row: str(row["variant"]), "seeds": lambda row: str(row["seeds"] or MISSING)}


def percent(row: dict[str, Any], name: str) -> str:
    return spread(100 * row[f"{name}_mean"], 100 * row[f"{name}_std"])


SENTIMENT: Columns = {
    **head(),
    SCORE: lambda row: percent(row, "accuracy"),
    "macro-F1 %": lambda row: percent(row, "macro_f1"),
    INTERVAL: lambda row: interval(100 * row["difference"], 100 * row["difference_low"], 100 * row["difference_high"]),
    **tests(),
    **costs(),
}
"""Header of a table of accuracies -> how a cell is written."""
HEADERS = tuple(SENTIMENT)
