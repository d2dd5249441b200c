"""The README shows the files under docs/examples as they are, and they work as it says."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from common.data import load_text, text
from common.integration import IntegrationConfig, base
from common.models.multi_stream import MultiStreamForSequenceClassification
from common.streams import analyser
from common.streams.config import StreamConfig
from step1_sentiment.config import quick, variant
from step1_sentiment.data import build_data
from step1_sentiment.run import run
from tests.step1_sentiment.conftest import runtime, tiny

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted((REPOSITORY / "docs" / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_readme_shows_the_example_as_it_is(path):
    code = path.read_text(encoding="utf-8").strip()
    assert code in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert len(code.splitlines()) <= 25


@pytest.fixture(autouse=True)
def forget_examples():
    """Takes what an example registers back out, so that no other test of this process meets it."""
    with patch.dict(base._RULES), patch.dict(analyser._ANALYSERS), patch.dict(text._DATASETS):
        yield
    for path in EXAMPLES:
        sys.modules.pop(f"docs.examples.{path.stem}", None)


def test_own_rule_starts_as_the_backbone_and_learns():
    import docs.examples.one_gate_rule  # noqa: F401

    model = MultiStreamForSequenceClassification.from_backbone(
        "tiny-bert", integration=IntegrationConfig(rule="one_gate"), num_labels=2,
        streams=[StreamConfig(kind="duplicate", width=8, layers=1, heads=2)],
    ).eval()  # fmt: skip
    ids = torch.randint(5, 40, (2, 6))
    mask = torch.ones_like(ids)
    output = model(ids, mask, labels=torch.tensor([0, 1]), report=True)
    torch.testing.assert_close(output.logits, model.backbone(ids, mask).logits)
    output.loss.backward()
    assert model.integration.gate.grad != 0
    assert variant(quick(), "one_gate").integration.rule == "one_gate"


def test_own_stream_runs_beside_the_others(tmp_path):
    import docs.examples.letters_stream  # noqa: F401

    config = tiny()
    letters = StreamConfig(kind="letters", width=16, layers=1, heads=2)
    folder = run(replace(config, streams=(*config.streams, letters), importance=False), runtime(tmp_path))
    assert (folder / "final.json").exists()


def test_own_dataset_is_loaded_by_name(tmp_path):
    import docs.examples.my_dataset  # noqa: F401

    config = replace(tiny(), data=replace(quick().data, name="exclaimed"), streams=())
    config = replace(config, integration=IntegrationConfig(rule="reference"))
    assert load_text(config.data).label_names == ("said", "exclaimed")
    assert len(build_data(config, runtime(tmp_path)).loaders["train"]) > 0


def test_python_example_of_the_readme_runs(tmp_path):
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```python\n(.*?)```", readme, re.S) if "from_backbone" in block]
    assert len(blocks) == 1
    code = blocks[0].replace('"bert-base-uncased"', '"tiny-bert"')
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY, timeout=120)
