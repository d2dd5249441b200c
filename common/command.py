"""The command line that every step has: one run, or a whole table of runs, and what else a step offers."""

from __future__ import annotations

import importlib
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console

from common.launch import launch
from common.parallel import WorkerError
from common.training.checkpoint import CheckpointError
from common.training.config import RuntimeConfig
from common.training.module import TrainingFailed
from common.training.record import FolderBusy, read_json


@dataclass(frozen=True)
class StepCommand:
    """How a step is driven from the command line."""

    module: str
    """Package of the step, for example ``step1_sentiment``. Its module ``run`` has ``run(config, runtime) -> folder``,
    ``folder_of(config, runtime)`` and ``refuse_changed_data(configs, runtime)``."""
    title: str
    """First line of the help."""
    presets: Mapping[str, Callable[[], Any]]
    """name -> config."""
    variant: Callable[[Any, str], Any]
    """The config of a row, from a preset's config and the row's name."""
    variants: Sequence[str]
    """Names to show in the help."""
    more: str
    """Further lines of the help: variants of other forms, commands of the step's own."""
    table: Sequence[str]
    """Rows of a table when none are named."""
    finish: Callable[[list[Path], RuntimeConfig, str], None]
    """Prints the table of finished runs, given their folders and the preset."""
    errors: tuple[type[Exception], ...] = ()
    """Further errors whose message says all there is to say."""
    others: Mapping[str, Callable[[list[str]], int]] = field(default_factory=dict)
    """Further commands: name -> function of the remaining arguments."""

    @property
    def _runner(self) -> Any:
        # Imported late: it needs torch and transformers, which `--help` can do without.
        return importlib.import_module(f"{self.module}.run")

    @property
    def usage(self) -> str:
        """The help's description."""
        return f"""{self.title}

  python -m {self.module} [run] [--preset P] [--variant V] [options]   one run
  python -m {self.module} table [--preset P] [--variants V …] [--seeds S …] [options]   a whole table
{self.more}
presets   {", ".join(self.presets)}
variants  {", ".join(self.variants)}

Every field of the config can be overridden; the options below show the values of the chosen preset and variant."""

    def main(self, arguments: list[str]) -> int:
        """Run a command; the exit status."""
        commands = {"run": self._run, "table": self._table, **self.others}
        name = arguments[0] if arguments and arguments[0] in commands else "run"
        rest = arguments[1:] if arguments and arguments[0] == name else arguments
        try:
            return commands[name](rest)
        except KeyboardInterrupt:
            Console(stderr=True).print("interrupted; give the same command again to resume", highlight=False)
            return 130
        except (
            ValueError, OSError, ImportError, FolderBusy, TrainingFailed, CheckpointError, WorkerError, *self.errors
        ) as error:  # fmt: skip
            Console(stderr=True).print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
            return 2

    def parse(self, preset: str, name: str, rest: list[str]) -> tuple[Any, RuntimeConfig]:
        """Preset → variant → overrides from the command line: a config and where to run it."""
        if preset not in self.presets:
            raise SystemExit(f"unknown preset {preset!r}; known: {', '.join(self.presets)}")
        base = self.presets[preset]()
        config = self.variant(base, name) if name else base
        options = make_dataclass(
            "Options",
            [
                ("config", Annotated[type(config), tyro.conf.arg(name="")]),
                ("runtime", RuntimeConfig, field(default_factory=RuntimeConfig)),
            ],
            frozen=True,
        )
        found: Any = tyro.cli(
            options, default=options(config), args=rest, description=self.usage, prog=f"python -m {self.module}"
        )
        return found.config.named(), found.runtime

    def _run(self, arguments: list[str]) -> int:
        """One run; prints its folder and its test metrics."""
        parser = ArgumentParser(add_help=False, allow_abbrev=False)
        parser.add_argument("--preset", default="quick")
        parser.add_argument("--variant", default="")
        known, rest = parser.parse_known_args(arguments)
        config, runtime = self.parse(known.preset, known.variant, rest)
        folder = self._runner.run(config, runtime)
        final = read_json(folder / "final.json")
        shown = {key: value for key, value in final.items() if key.startswith(("test_", "validation_"))}
        Console().print(folder, {key: round(value, 4) for key, value in shown.items()}, highlight=False)
        return 0

    def _table(self, arguments: list[str]) -> int:
        """All variants × seeds; finished runs are skipped. Ends with the table."""
        parser = ArgumentParser(
            prog=f"python -m {self.module} table", allow_abbrev=False, formatter_class=RawDescriptionHelpFormatter,
            description=self.usage, epilog=f"Further options are those of `python -m {self.module} --help`.",
        )  # fmt: skip
        parser.add_argument("--preset", default="quick")
        parser.add_argument("--variants", nargs="+", default=list(self.table))
        parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
        parser.add_argument("--engine", choices=("serial", "ray"), default="serial")
        parser.add_argument("--address", default=None, help="address of a running Ray cluster; a local one otherwise")
        parser.add_argument("--workers", type=int, default=None, help="runs at a time (Ray)")
        parser.add_argument("--cpus-per-run", type=int, default=1, help="cores of each run (Ray)")
        parser.add_argument("--gpus-per-run", type=float, default=0.0, help="GPUs of each run, also fractions (Ray)")
        known, rest = parser.parse_known_args(arguments)
        known.variants, known.seeds = list(dict.fromkeys(known.variants)), list(dict.fromkeys(known.seeds))
        given = {argument.partition("=")[0] for argument in rest}
        if "--train.seed" in given:
            raise ValueError("--train.seed would be overridden by the seeds of the table; take --seeds")
        if "--name" in given and len(known.variants) > 1:
            raise ValueError("--name with more than one variant would give all rows one name; take one of --variants")
        return self._make_table(known, rest)

    def _make_table(self, known: Namespace, rest: list[str]) -> int:
        parsed = [self.parse(known.preset, name, rest) for name in known.variants]
        runtime = parsed[0][1]
        # Seeds outside, variants inside: an interrupted table still compares all rows, on fewer seeds.
        configs = [
            replace(config, train=replace(config.train, seed=seed)) for seed in known.seeds for config, _ in parsed
        ]
        self._runner.refuse_changed_data(configs, runtime)
        outcomes = launch(
            configs, partial(self._runner.run, runtime=runtime), partial(self._runner.folder_of, runtime=runtime),
            engine=known.engine, address=known.address, workers=known.workers, cpus=known.cpus_per_run,
            gpus=known.gpus_per_run,
        )  # fmt: skip
        finished = [outcome.folder for outcome in outcomes if outcome.folder is not None and outcome.ok]
        if finished:
            self.finish(finished, runtime, known.preset)
        return 0 if len(finished) == len(configs) else 1
