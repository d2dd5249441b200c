"""The command line of a step: what it refuses, and what it says in one line."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from common.command import StepCommand
from common.parallel import WorkerError
from common.training import TrainConfig
from common.training.checkpoint import CheckpointError


@dataclass(frozen=True)
class Config:
    name: str = ""
    train: TrainConfig = field(default_factory=TrainConfig)

    def named(self) -> Config:
        return self


@pytest.fixture
def launched(monkeypatch):
    """Configs of the runs that a table starts."""
    found = []
    monkeypatch.setattr("common.command.launch", lambda configs, *_, **options: found.extend(configs) or [])
    return found


@pytest.fixture
def command(monkeypatch):
    does_nothing = {name: lambda *arguments: None for name in ("run", "folder_of", "refuse_changed_data")}
    monkeypatch.setattr(StepCommand, "_runner", SimpleNamespace(**does_nothing))
    return StepCommand(
        "step", "A step.", {"quick": Config}, lambda config, name: replace(config, name=name), ["dm", "li"], "",
        ["dm", "li"], lambda *arguments: None, others={"fail": fail},
    )  # fmt: skip


def fail(arguments):
    raise {"checkpoint": CheckpointError, "worker": WorkerError}[arguments[0]]("what to do")


@pytest.mark.parametrize("seed", [["--train.seed", "3"], ["--train.seed=3"]])
def test_a_table_takes_its_seeds_from_seeds(command, launched, capsys, seed):
    assert command.main(["table", *seed]) == 2
    assert "take --seeds" in capsys.readouterr().err and not launched


def test_rows_of_a_table_do_not_share_a_name(command, launched, capsys):
    assert command.main(["table", "--name", "mine"]) == 2
    assert "give all rows one name" in capsys.readouterr().err and not launched
    command.main(["table", "--variants", "dm", "--seeds", "1", "2", "--name", "mine"])
    assert [(config.name, config.train.seed) for config in launched] == [("mine", 1), ("mine", 2)]


@pytest.mark.parametrize("what", ["checkpoint", "worker"])
def test_what_a_run_cannot_go_on_from_is_one_line(command, capsys, what):
    assert command.main(["fail", what]) == 2
    assert capsys.readouterr().err == "error: what to do\n"
