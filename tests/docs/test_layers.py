"""Who may import whom: steps stand on ``common`` and never on each other, and ``common`` stands on nothing here."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEPS = ("step1_sentiment", "step2_mlm", "step3_gpt", "step4_vision_language", "alpha_validity")
MAY_IMPORT = {
    "common": {"common"},
    **{step: {step, "common", "results"} for step in STEPS},
    "results": {"results", "common"},
    "paper": {"paper", "results", "common"},
}
"""Package -> packages of the repository that its files may import; ``results`` shows a step's runs at its end."""
OURS = {*MAY_IMPORT, "benchmarks", "docs", "tests"}


def imported(path):
    """Top packages of the repository that a file imports, wherever in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute, so that a reader sees what they name"
            names.append(node.module or "")
    return {name.split(".")[0] for name in names} & OURS


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_only_what_lies_below_them(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    strays = {str(path.relative_to(ROOT)): found for path in files if (found := imported(path) - MAY_IMPORT[package])}
    assert not strays


def test_a_stray_import_is_found(tmp_path):
    stray = tmp_path / "stray.py"
    stray.write_text("def late():\n    from step2_mlm.data import build_data\n    import numpy, step3_gpt.config\n")
    assert imported(stray) == {"step2_mlm", "step3_gpt"}
