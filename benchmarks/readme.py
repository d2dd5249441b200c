"""``python -m benchmarks.readme``: write the committed benchmark records into the README, between its two markers."""

from __future__ import annotations

import json
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
RECORDS = REPOSITORY / "results" / "records" / "benchmarks"
START, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


def section(records: Path = RECORDS) -> str:
    """One Markdown table per benchmark record, with the machine it was measured on."""
    parts = []
    for path in sorted(records.glob("*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        machine = report["machine"]
        where = machine.get("gpu") or f"{machine['cpu']}, {machine.get('threads', machine.get('cores'))} threads"
        columns = list(report["rows"][0])
        lines = [f"`python -m benchmarks.{report['benchmark']}` ({where}, torch {machine['torch']}):", ""]
        lines += ["| " + " | ".join(column.replace("_", " ") for column in columns) + " |"]
        lines += ["|" + "|".join("---:" if _numeric(report["rows"][0][c]) else "---" for c in columns) + "|"]
        lines += ["| " + " | ".join(_written(row[column]) for column in columns) + " |" for row in report["rows"]]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _numeric(value: object) -> bool:
    return isinstance(value, (int, float))


def _written(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def updated(readme: str, records: Path = RECORDS) -> str:
    """`readme` with the part between the markers made anew."""
    before, rest = readme.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{section(records)}\n{END}{after}"


if __name__ == "__main__":
    target = REPOSITORY / "README.md"
    target.write_text(updated(target.read_text(encoding="utf-8")), encoding="utf-8")
