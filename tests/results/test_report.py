"""The page with all tables and figures: what it holds, and what it does in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser

import pandas as pd
import pytest

from common.files import write_text
from results.__main__ import main
from results.reader import RecordError
from results.render import write_table
from results.report.page import build, table_parts

MARKDOWN = """## made up, tiny

| variant | seeds | accuracy % | Δ points [95 % CI] |
|---|--:|--:|--:|
| meaning | 2 | 50.00 ± 1.00 | — |
| dm | 2 | **51.50 ± 0.50** | +1.50 [−0.25, +3.25] |
| li<b> | 2 | *49.00 ± 0.50* | −1.00 [−2.00, +0.10] |

Data: made up; ± is the standard deviation.
"""
CSV = """section,variant,records
"made up, tiny",meaning,meaning-1 meaning-2
"made up, tiny",dm,dm-1 dm-2
"made up, tiny",li<b>,
"""
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None
)
browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / "made" / "table9_toy"
    folder.mkdir(parents=True)
    write_text(folder / "table.md", MARKDOWN)
    write_text(folder / "table.csv", CSV)
    for ending in ("png", "pdf"):
        (folder / f"curve.{ending}").write_bytes(b"not really a picture")
    return build(tmp_path / "made", tmp_path / "report.html")


def test_escaped_bars_are_bars_on_the_page(tmp_path):
    folder = tmp_path / "table9_toy"
    folder.mkdir()
    frame = pd.DataFrame({"section": ["one"], "variant": ["dm"], "records": ["dm-1"]})
    write_table(folder, frame, {}, "toy", columns={"variant": lambda row: row["variant"], "|α|": lambda row: "0.5"})
    (part,) = table_parts(folder, "toy")
    assert part.header == ["variant", "|α|"] and part.rows == [["dm", "0.5"]]


def rendered(page, fragment="") -> str:
    """The page's DOM after its scripts have run."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom",
        f"--user-data-dir={page.parent / 'profile'}", f"file://{page}{fragment}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_page_stands_alone_and_names_the_records(page):
    text = page.read_text(encoding="utf-8")
    assert 'title="records: dm-1 dm-2"' in text and "not from a run of its own" in text
    assert "li&lt;b&gt;" in text and "<b>" not in text.split("<main>")[1]
    assert "<td><strong>51.50 ± 0.50</strong></td>" in text and "<td><em>49.00 ± 0.50</em></td>" in text
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text) and "http-equiv" not in text
    assert "data:image/png;base64,bm90IHJlYWxseSBhIHBpY3R1cmU=" in text
    HTMLParser().feed(text)
    points = json.loads(unescape(text.split('data-points="')[1].split('"')[0]))
    assert points[0] == {"rule": "dm", "label": "Δ points [95 % CI]", "value": 1.5, "low": -0.25, "high": 3.25}
    assert [point["rule"] for point in points] == ["dm", "li<b>"]  # the baseline has no difference


def test_contents_lead_to_every_section_tables_first(page, tmp_path):
    other = tmp_path / "made" / "figure_toy" / "shares"
    other.mkdir(parents=True)
    write_text(other / "table.md", MARKDOWN.replace("made up, tiny", "behind a figure"))
    write_text(other / "table.csv", CSV.replace("made up, tiny", "behind a figure"))
    text = build(tmp_path / "made", page).read_text(encoding="utf-8")
    links = re.findall(r'<a href="#([^"]+)"', text)
    assert links == re.findall(r'<section class="table" id="([^"]+)"', text) and len(links) == 2
    assert links[0].startswith("table9-toy")


def test_tables_that_differ_from_their_csv_are_refused(page, tmp_path, capsys):
    folder = tmp_path / "made" / "table9_toy"
    write_text(folder / "table.csv", CSV.split("\n")[0] + "\n")
    with pytest.raises(RecordError, match="make it again"):
        list(table_parts(folder, "table9_toy"))
    assert main(["report", "--made", str(tmp_path / "nothing"), "--out", str(tmp_path / "x.html")]) == 2
    assert "make them first" in capsys.readouterr().err and not (tmp_path / "x.html").exists()


@browser
def test_rules_are_filtered_and_dots_drawn(page):
    everything, one = rendered(page), rendered(page, "#rule=dm")
    assert 'data-rows="3"' in everything and everything.count("<circle") == 2
    assert 'data-rows="1"' in one and one.count("<circle") == 1 and "dm: 1.5 [-0.25, 3.25]" in one
    hidden = re.findall(r'<tr data-rule="([^"]+)"[^>]*hidden', one)
    assert set(map(unescape, hidden)) == {"meaning", "li<b>"}


@browser
def test_a_header_sorts_its_column(page, tmp_path):
    clicked = page.with_name("clicked.html")
    script = "<script>document.querySelectorAll('th')[2].click();</script></html>"
    clicked.write_text(page.read_text(encoding="utf-8").replace("</html>", script), encoding="utf-8")
    order = [unescape(rule) for rule in re.findall(r'<tr data-rule="([^"]+)"', rendered(clicked))]
    assert order == ["dm", "meaning", "li<b>"]
