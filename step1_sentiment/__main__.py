"""Command line of step 1: ``python -m step1_sentiment [run|table|predict] …``."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from common.launch import launch
from common.training.config import RuntimeConfig
from common.training.module import TrainingFailed
from common.training.record import FolderBusy
from results.reader import RecordError, load_run
from step1_sentiment.config import CONTROLS, PRESETS, RULES, SentimentConfig, variant

USAGE = f"""Step 1: sentiment with integrated streams.

  python -m step1_sentiment [run] [--preset P] [--variant V] [options]   one run
  python -m step1_sentiment table [--preset P] [--variants V …] [--seeds S …] [options]   a whole table
  python -m step1_sentiment predict --run FOLDER (--file FILE | TEXT …)

presets   {", ".join(PRESETS)}
variants  {", ".join((*CONTROLS, *RULES))},
          a rule trained with stream dropout: dm_dropout, li_dropout,
          or a rule on a subset of streams: dm[meaning+phonetic], li[phonetic]

Every field of the config can be overridden; the options below show the values of the chosen preset and variant."""


@dataclass(frozen=True)
class Options:
    """A config and where to run it."""

    config: Annotated[SentimentConfig, tyro.conf.arg(name="")]
    runtime: RuntimeConfig = field(default_factory=RuntimeConfig)


def parse_options(preset: str, name: str, rest: list[str]) -> Options:
    """Preset → variant → overrides from the command line."""
    if preset not in PRESETS:
        raise SystemExit(f"unknown preset {preset!r}; known: {', '.join(PRESETS)}")
    base = PRESETS[preset]()
    config = variant(base, name) if name else base
    options = tyro.cli(Options, default=Options(config), args=rest, description=USAGE, prog="python -m step1_sentiment")
    return replace(options, config=options.config.named())


def main(arguments: list[str]) -> int:
    command = arguments[0] if arguments and arguments[0] in ("run", "table", "predict") else "run"
    rest = arguments[1:] if arguments and arguments[0] == command else arguments
    try:
        return {"run": run_command, "table": table_command, "predict": predict_command}[command](rest)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; give the same command again to resume", highlight=False)
        return 130
    except (ValueError, OSError, FolderBusy, TrainingFailed, RecordError) as error:
        Console(stderr=True).print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        return 2


def run_command(arguments: list[str]) -> int:
    """One run; prints its folder and its test metrics."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--variant", default="")
    known, rest = parser.parse_known_args(arguments)
    options = parse_options(known.preset, known.variant, rest)
    from step1_sentiment.run import run

    folder = run(options.config, options.runtime)
    final = load_run(folder).final
    shown = {key: value for key, value in final.items() if key.startswith(("test_", "validation_"))}
    Console().print(folder, {key: round(value, 4) for key, value in shown.items()}, highlight=False)
    return 0


def table_command(arguments: list[str]) -> int:
    """All variants × seeds; finished runs are skipped. Ends with the table and one figure."""
    parser = ArgumentParser(
        prog="python -m step1_sentiment table", allow_abbrev=False, formatter_class=RawDescriptionHelpFormatter,
        description=USAGE, epilog="Further options are those of `python -m step1_sentiment --help`.",
    )  # fmt: skip
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--variants", nargs="+", default=["meaning", "dm", "li"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--engine", choices=("serial", "ray"), default="serial")
    parser.add_argument("--address", default=None, help="address of a running Ray cluster; a local one otherwise")
    parser.add_argument("--workers", type=int, default=None, help="runs at a time (Ray)")
    parser.add_argument("--cpus-per-run", type=int, default=1, help="cores of each run (Ray)")
    parser.add_argument("--gpus-per-run", type=float, default=0.0, help="GPUs of each run, also fractions (Ray)")
    known, rest = parser.parse_known_args(arguments)
    known.variants, known.seeds = list(dict.fromkeys(known.variants)), list(dict.fromkeys(known.seeds))
    return make_table(known, rest)


def make_table(known: Namespace, rest: list[str]) -> int:
    from step1_sentiment.run import folder_of, refuse_changed_data, run

    parsed = [parse_options(known.preset, name, rest) for name in known.variants]
    runtime = parsed[0].runtime
    # Seeds outside, variants inside: an interrupted table still compares all rows, on fewer seeds.
    configs = [
        replace(options.config, train=replace(options.config.train, seed=seed))
        for seed in known.seeds
        for options in parsed
    ]
    refuse_changed_data(configs, runtime)
    outcomes = launch(
        configs, partial(run, runtime=runtime), partial(folder_of, runtime=runtime), engine=known.engine,
        address=known.address, workers=known.workers, cpus=known.cpus_per_run, gpus=known.gpus_per_run,
    )  # fmt: skip
    from results.table1_sentiment.make import build_table
    from results.terminal import print_table, quick_figure

    finished = [load_run(outcome.folder) for outcome in outcomes if outcome.folder is not None and outcome.ok]
    console = Console()
    if finished:
        print_table(build_table(finished))
        figure = quick_figure(finished, Path(runtime.runs_dir) / "figures" / f"{known.preset}_alpha.png")
        if figure is not None:
            console.print(f"figure: {figure}", highlight=False, soft_wrap=True)
    return 0 if len(finished) == len(configs) else 1


def predict_command(arguments: list[str]) -> int:
    """Predict texts with a trained run; coloured lines here, and a page beside the run."""
    parser = ArgumentParser(prog="python -m step1_sentiment predict", allow_abbrev=False)
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished run")
    parser.add_argument("--file", type=Path, help="a text per line")
    parser.add_argument(
        "--html", type=Path, help="where the page goes (default: contributions.html in the run's folder)"
    )
    parser.add_argument("texts", nargs="*")
    known = parser.parse_args(arguments)
    from common.data.files import read_text
    from step1_sentiment.predict import predict, show, write_html

    texts = list(known.texts)
    if known.file is not None:
        texts += [line for line in read_text(known.file).splitlines() if line.strip()]
    for text in texts:
        text.encode()  # what the command line could not decode raises here, before a model is loaded
    if not texts:
        raise ValueError("nothing to predict; give a text, or --file with one text per line")
    predictions = predict(known.run, texts)
    console = Console()
    show(predictions, console)
    page = known.html or known.run / "contributions.html"
    write_html(predictions, page)
    console.print(f"page: {page}", highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
