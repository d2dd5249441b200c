"""Every row of every committed table leads back to the committed records that it was made from."""

from __future__ import annotations

import pandas as pd
import pytest

from results.reader import RECORDS
from results.render import SOURCES
from results.report.page import table_parts
from results.table5_alpha_validity.configs import EQUAL
from results.table_rows import RESULTS

TABLES = sorted(path.relative_to(RESULTS).as_posix() for path in RESULTS.glob("*/**/table.csv"))


def test_there_are_tables():
    assert len(TABLES) > 10


@pytest.mark.parametrize("name", TABLES)
def test_rows_name_their_records(name):
    table = pd.read_csv(RESULTS / name)
    trained = table.loc[(table["variant"] != EQUAL) & (table["seeds"] > 0 if "seeds" in table else True)]
    assert not trained.empty and trained[SOURCES].notna().all()
    known = {folder.name for folder in RECORDS.glob("*/*")}
    assert {record for names in trained[SOURCES] for record in names.split()} <= known


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_the_rows_of_the_table(name):
    """Those of the CSV that are printed, each with its records."""
    folder = (RESULTS / name).parent
    parts = list(table_parts(folder, folder.name))
    shown = [record for part in parts for record in part.records if record]
    assert shown == list(pd.read_csv(RESULTS / name)[SOURCES].dropna())
    assert all(len(part.rows) == len(part.records) for part in parts)


@pytest.mark.parametrize("name", TABLES)
def test_printed_rows_do_too(name):
    """In LaTeX as a comment behind the row."""
    table = pd.read_csv(RESULTS / name)
    printed = (RESULTS / name).with_suffix(".tex").read_text(encoding="utf-8")
    named = table[SOURCES].dropna()
    assert all(f"% records: {record}" in printed for record in named)
