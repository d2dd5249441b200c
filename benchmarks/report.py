"""Printing and keeping what a benchmark measured."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

import torch
import transformers
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.files import write_text


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    return {
        "cpu": _cpu_name(), "cores": os.cpu_count() or 0, "threads": torch.get_num_threads(), "gpu": gpu,
        "torch": torch.__version__, "transformers": transformers.__version__, "python": platform.python_version(),
    }  # fmt: skip


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _written(value: object) -> str:
    if value is None:
        return "—"
    return f"{value:,.3f}" if isinstance(value, float) else str(value)


def write_report(report: dict, out: Path | None) -> None:
    """Print the rows as a table; keep the whole report as JSON where `out` says."""
    rows = report["rows"]
    table = Table(title=report["benchmark"])
    for column in rows[0]:
        table.add_column(column, justify="right" if isinstance(rows[0][column], (int, float)) else "left")
    for row in rows:
        # Text, not str: rich would take the brackets of dm[phonetic] for markup.
        table.add_row(*(Text(_written(value)) for value in row.values()))
    console = Console(width=max(160, Console().width))
    console.print(table)
    if out is not None:
        write_text(out, json.dumps(report, indent=1) + "\n")
        console.print(f"record: {out}", highlight=False)
