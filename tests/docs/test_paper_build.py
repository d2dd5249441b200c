"""The paper is built, where there is LaTeX; an unknown key ends the build."""

import shutil
import subprocess

import pytest

from paper.numbers.__main__ import main
from tests.docs.paper_sources import PAPER, REPOSITORY


def test_make_paper_says_what_is_missing(tmp_path):
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make")
    run = subprocess.run(
        [make, "paper"], cwd=REPOSITORY, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60
    )
    assert run.returncode != 0
    assert "latexmk is missing" in run.stderr and "apt-get install" in run.stderr


needs_latex = pytest.mark.skipif(not all(map(shutil.which, ("latexmk", "pdflatex", "bibtex"))), reason="no LaTeX")


def build(folder):
    return subprocess.run(
        ["latexmk", "-g", "-silent", "main.tex"], cwd=folder, capture_output=True, text=True, timeout=300
    )


@needs_latex
def test_the_paper_is_built(tmp_path):
    folder = tmp_path / "paper"
    shutil.copytree(PAPER, folder, ignore=shutil.ignore_patterns("build", "main.pdf", "__pycache__"))
    for name in ("results", "docs"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    assert main(["--out", str(folder / "build" / "numbers.tex")]) == 0
    run = build(folder)
    log = (folder / "build" / "main.log").read_text(encoding="latin-1")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "undefined" not in log and "Overfull" not in log


@needs_latex
def test_an_unknown_key_ends_the_build(tmp_path):
    start = r"\documentclass{article}\input{macros}\flagis{a_b}{true}\resultis{c, d/e_f}{1}\begin{document}"
    (tmp_path / "latexmkrc").write_text((PAPER / "latexmkrc").read_text(encoding="utf-8"), encoding="utf-8")
    shutil.copy(PAPER / "macros.tex", tmp_path)
    for text, works in {
        r"\result{c, d/e_f} \ifresult{a_b}{yes}{no} \ifresults{none}{yes}{no}": True,
        r"\result{c, d/e}": False,
        r"\ifresult{a}{yes}{no}": False,
    }.items():
        (tmp_path / "main.tex").write_text(start + text + r"\end{document}", encoding="utf-8")
        assert (build(tmp_path).returncode == 0) == works, text
