"""How the numbers of a table are written: for the terminal, Markdown, LaTeX and as CSV."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from results.files import write_text

MISSING = "—"
INTERVAL = "Δ points [95 % CI]"
HEADERS = (
    "variant", "seeds", "accuracy %", "macro-F1 %", INTERVAL, "p", "p Holm", "params M",
    "added M", "ratio", "MFLOPs/token", "step ms",
)  # fmt: skip
"""Headers of a written table."""

LATEX = {
    "\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "±": r"$\pm$", "Δ": r"$\Delta$", "−": "$-$", MISSING: "---",
}  # fmt: skip


def written(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of one section as text, under :data:`HEADERS`; what is not known is a dash."""
    rows = [
        (
            str(row["variant"]),
            str(row["seeds"]) if row["seeds"] else MISSING,
            _spread(row["accuracy_mean"], row["accuracy_std"]),
            _spread(row["macro_f1_mean"], row["macro_f1_std"]),
            _interval(row["difference"], row["difference_low"], row["difference_high"]),
            _p(row["p"]),
            _p(row["p_holm"]),
            _number(row["parameters"] / 1e6, 2),
            _number(row["parameters_added"] / 1e6, 2),
            _number(row["parameters_ratio"], 3),
            _number(row["flops_per_token"] / 1e6, 1),
            _number(row["step_time_ms"], 1),
        )
        for row in frame.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=pd.Index(HEADERS))


def markdown(frame: pd.DataFrame, captions: Mapping[str, str], note: str = "") -> str:
    """A Markdown document, one table per section."""
    parts = [note] if note else []
    for section, part in frame.groupby("section", sort=False):
        parts += [f"## {section}", markdown_table(written(part)), captions.get(str(section), "")]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_table(text: pd.DataFrame) -> str:
    """A frame of strings as a Markdown table."""
    lines = ["| " + " | ".join(text.columns) + " |", "|---" + "|--:" * (len(text.columns) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in text.itertuples(index=False)])


def latex(frame: pd.DataFrame, captions: Mapping[str, str], label: str) -> str:
    """One booktabs ``table*`` per section, labelled ``tab:<label>-<n>``."""
    parts = []
    for k, (section, part) in enumerate(frame.groupby("section", sort=False), start=1):
        text = written(part)
        lines = [
            r"\begin{table*}", r"\centering\small", r"\resizebox{\textwidth}{!}{%",
            r"\begin{tabular}{l" + "r" * (len(text.columns) - 1) + "}", r"\toprule",
            " & ".join(map(escaped, text.columns)) + r" \\", r"\midrule",
            *(" & ".join(map(escaped, row)) + r" \\" for row in text.itertuples(index=False)),
            r"\bottomrule", r"\end{tabular}}",
            rf"\caption{{{escaped(f'{section}. ' + captions.get(str(section), ''))}}}",
            rf"\label{{tab:{label}-{k}}}", r"\end{table*}",
        ]  # fmt: skip
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """`text` as LaTeX shows it literally."""
    return "".join(LATEX.get(character, character) for character in text)


def write_table(
    folder: Path, frame: pd.DataFrame, captions: Mapping[str, str], label: str, note: str = ""
) -> list[Path]:
    """Write table.csv (full precision), table.md and table.tex into `folder`; returns their paths."""
    return [
        write_text(folder / "table.csv", frame.to_csv(index=False, lineterminator="\n", float_format="%.6g")),
        write_text(folder / "table.md", markdown(frame, captions, note)),
        write_text(folder / "table.tex", latex(frame, captions, label)),
    ]


def _number(value: float, digits: int) -> str:
    return MISSING if math.isnan(value) else f"{value:,.{digits}f}"


def _spread(mean: float, std: float) -> str:
    if math.isnan(mean):
        return MISSING
    return f"{100 * mean:.2f} ± {MISSING if math.isnan(std) else f'{100 * std:.2f}'}"


def _interval(difference: float, low: float, high: float) -> str:
    if math.isnan(difference):
        return MISSING
    return f"{_signed(difference)} [{_signed(low)}, {_signed(high)}]"


def _signed(value: float) -> str:
    return f"{100 * value:+.2f}".replace("-", "−")


def _p(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"
