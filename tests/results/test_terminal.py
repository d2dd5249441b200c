"""Wide tables on a narrow terminal: blocks of columns, each with the names of the rows, and no number broken."""

import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from results.render import MISSING, written
from results.table4_vision_language.configs import TASKS
from results.table4_vision_language.make import FOLDER, columns_of
from results.terminal import print_text
from results.terminal_columns import GAP, column_blocks


def printed(text, width, caption=None):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_text(text, "title", caption, console)
    return console.export_text()


def parts():
    for name, task in TASKS.items():
        frame = pd.read_csv(FOLDER / name / "table.csv")
        for section, part in frame.groupby("section", sort=False):
            yield pytest.param(written(part, columns_of(task, frame)), id=str(section))


@pytest.mark.parametrize("width", [80, 240])
@pytest.mark.parametrize("text", parts())
def test_every_number_of_table_4_is_on_one_line(text, width):
    lines = printed(text, width, "what a reader must know").splitlines()
    assert max(map(cell_len, lines)) <= width
    for row in text.itertuples(index=False):
        mine = " ".join(line for line in lines if line.startswith(f"{row[0]} "))
        assert all(cell in mine for cell in row if cell != MISSING)
    assert lines[-2].strip() == "what a reader must know"


def test_blocks_begin_with_the_names_and_fit():
    text = pd.DataFrame({"variant": ["dm[phonetic]"], "a long header": ["1"], "p": ["<0.001"], "cost": ["12"]})
    assert column_blocks(text, 80) == [{"variant": 12, "a long header": 13, "p": 6, "cost": 4}]
    assert column_blocks(text, 30) == [{"variant": 12, "a long header": 6, "p": 6}, {"variant": 12, "cost": 4}]
    assert "dm[phonetic]" in printed(text, 30)


def test_prose_wraps_and_what_cannot_fit_is_folded():
    text = pd.DataFrame({"name": ["dm"], "what": ["many short words " * 9], "n": ["7"]})
    (block,) = column_blocks(text, 60)
    assert sum(block.values()) + 2 * GAP == 60 and block["n"] == 1
    folded = pd.DataFrame({"name": ["dm"], "what": ["x" * 90]})
    assert max(map(len, printed(folded, 40).splitlines())) <= 40
    assert printed(folded, 40).count("x") == 90


def test_columns_without_values_are_left_out():
    text = pd.DataFrame({"variant": ["dm", "li"], "p": ["—", "—"], "n": ["1", "—"]})
    assert printed(text, 80).split("\n")[1].split() == ["variant", "n"]
