"""Mixing weights of a record: read exactly, matched by role, arranged as each arm says; wrong sources are refused."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace

import pytest
import torch

from common.integration import DM, LI
from common.integration.mixing_weights import initial_alpha
from common.training.config import config_hash, plain
from common.transfer.config import LearntWeights, TransferConfig
from common.transfer.hold import arranged, by_role
from common.transfer.source import read_source
from common.variants import FROZEN, row
from step1_sentiment.config import small
from tests.common.transfer.source import write_source

OWN = DM(train_alpha=False)


@pytest.fixture
def source(tmp_path):
    return write_source(tmp_path / "dm_b-0123456789ab")


def resolved(source, arm="transfer", own=OWN):
    return TransferConfig(arm=arm, source=str(source)).resolved(own)


def test_the_weights_of_the_best_step_are_read_exactly(source):
    name, rule, weights = read_source(source)
    assert name == "step3_gpt/dm_b-0123456789ab" and rule == DM()
    assert weights.streams == ("meaning", "phonetic", "morphological")
    with open(source / "alphas.csv", newline="") as file:
        best = [row for row in csv.DictReader(file) if row["step"] == "4"]
    alpha = {(row["stream"], row["site"]): float(row["value"]) for row in best if row["quantity"] == "alpha"}
    assert weights.alpha == tuple(tuple(alpha[stream, site] for stream in weights.streams) for site in ("0", "1"))
    assert [*weights.gamma, *weights.gate] == [float(row["value"]) for row in best if row["quantity"] != "alpha"]
    assert torch.tensor(weights.alpha).double().tolist() == [list(values) for values in weights.alpha]  # all are fp32


def test_the_hash_depends_on_the_weights_and_not_on_the_path(source, tmp_path):
    elsewhere = tmp_path / "other" / "place"
    shutil.copytree(source, elsewhere)
    one, other = resolved(source), resolved(elsewhere)
    assert one == other and one.resolved(OWN) is one and str(tmp_path) not in str(plain(one))
    changed = resolved(write_source(tmp_path / "changed", seed=1))
    assert config_hash("s", changed) != config_hash("s", one)


def test_roles_are_matched():
    learnt = LearntWeights(("meaning", "a", "b"), ((1.0, 0.25, 0.75), (2.0, 1.0, 3.0)))
    assert by_role(learnt, ("meaning", "vision")).tolist() == [[1.0, 0.5], [2.0, 2.0]]
    assert by_role(learnt, ("meaning", "b", "c")).tolist() == [[1.0, 0.75, 0.5], [2.0, 3.0, 2.0]]  # b is its namesake
    turned = replace(learnt, alpha=((1.0, -0.25, 0.75), (2.0, 1.0, 3.5)))  # a · b > 0, so neither is turned
    assert by_role(turned, ("meaning", "vision"))[:, 1].tolist() == [0.25, 2.25]
    turned = replace(learnt, alpha=((1.0, -0.5, 0.25), (2.0, -1.0, 3.0)))
    assert by_role(turned, ("meaning", "vision"))[:, 1].tolist() == [-0.375, -2.0]
    assert by_role(turned, ("meaning", "b"))[:, 1].tolist() == [0.25, 3.0]
    single = LearntWeights(("meaning", "vision"), ((1.0, 0.3),))
    assert by_role(single, ("meaning", "x", "y")).tolist()[0] == torch.tensor([1.0, 0.3, 0.3]).tolist()
    with pytest.raises(ValueError, match="needs meaning and another stream"):
        by_role(replace(single, streams=("phonetic", "vision")), ("meaning", "x"))


def test_arms():
    alpha, gamma, gate = torch.arange(8.0).view(4, 2), torch.tensor([1.0, 2, 6]), torch.tensor([3.0, 0, 0])
    kept = arranged(alpha, gamma, gate, "transfer", 0)
    assert all(one is own for one, own in zip(kept, (alpha, gamma, gate), strict=True))
    drawn, again, other = (arranged(alpha, gamma, gate, "random", seed)[0] for seed in (0, 0, 1))
    assert torch.equal(drawn, again) and not torch.equal(drawn, other) and not torch.equal(drawn, alpha)
    for mixed, own in zip(arranged(alpha, gamma, gate, "random", 0), (alpha, gamma, gate), strict=True):
        assert mixed.shape == own.shape and torch.equal(mixed.flatten().sort()[0], own.flatten().sort()[0])
    equal = arranged(alpha, gamma, gate, "equal", 0)
    assert torch.equal(equal[0], initial_alpha(2, 0, "equal", "free", rows=4))
    assert equal[1].tolist() == [3, 3, 3] and equal[2].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("rule", "own", "message"),
    [
        ({"rule": "li"}, OWN, "rule li with scalar"),
        ({}, LI(), "train_alpha off"),
        ({"granularity": "token"}, OWN, "token"),
        ({"constraint": "softmax"}, OWN, "softmax"),
        ({"scale": "rms"}, OWN, "was trained with scale rms"),
        ({"train_alpha": False}, OWN, "learnt no mixing weights"),
        ({}, DM(), "train_alpha off"),
        ({}, DM(train_alpha=False, activation="relu"), "was trained with activation identity"),
        ({}, replace(LI(), train_alpha=False), "this model has rule li"),
    ],
)
def test_other_rules_are_refused(tmp_path, rule, own, message):
    with pytest.raises(ValueError, match=message):
        resolved(write_source(tmp_path / "source", **rule), own=own)


def test_bad_sources_are_refused(tmp_path, source):
    with pytest.raises(FileNotFoundError, match="no finished run"):
        resolved(tmp_path)
    with pytest.raises(FileNotFoundError, match="no finished run"):
        resolved(write_source(tmp_path / "running", status="running"))
    (source / "alphas.csv").write_text("step,quantity,stream,site,value\n")
    with pytest.raises(ValueError, match="recorded no α"):
        resolved(source)
    (source / "final.json").write_text("{}")
    with pytest.raises(ValueError, match="does not say which weights it kept"):
        resolved(source)
    (source / "config.json").write_text("{")
    with pytest.raises(ValueError, match=f"run in {source} is damaged"):
        resolved(source)
    with pytest.raises(ValueError, match="transfer.source"):
        resolved("")
    with pytest.raises(ValueError, match="dm_transfer"):
        TransferConfig(source="somewhere")
    with pytest.raises(ValueError, match="must be none"):
        TransferConfig(arm="some")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("ending", FROZEN)
def test_steps_without_transfer_refuse_its_rows(ending):
    with pytest.raises(ValueError, match="takes no mixing weights from another"):
        row(small(), f"dm{ending}")
