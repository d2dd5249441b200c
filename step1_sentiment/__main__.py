"""Command line of step 1: ``python -m step1_sentiment [run|table|predict|robustness] …``."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

from rich.console import Console

from common.command import StepCommand
from common.training.config import RuntimeConfig
from common.variants import CONTROLS, MORE_ROWS, RULES
from results.reader import RecordError, load_run
from step1_sentiment.config import PRESETS, variant

MORE = f"""  python -m step1_sentiment predict --run FOLDER (--file FILE | TEXT …)
  python -m step1_sentiment robustness --run FOLDER … [--kinds K …] [--rates R …] [--draws N]

Beside the variants below: {MORE_ROWS} (dm[meaning+phonetic], li[phonetic]).
"""


def finish(folders: list[Path], runtime: RuntimeConfig, preset: str) -> None:
    """Prints the table, and draws a figure beside the runs."""
    from results.table1_sentiment.make import build_table
    from results.terminal import print_table, quick_figure

    runs = [load_run(folder) for folder in folders]
    print_table(build_table(runs))
    figure = quick_figure(runs, Path(runtime.runs_dir) / "figures" / f"{preset}_alpha.png")
    if figure is not None:
        Console().print(f"figure: {figure}", highlight=False, soft_wrap=True)


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


def robustness_command(arguments: list[str]) -> int:
    """Finished runs on perturbed test texts; the files go into their folders, the accuracies are printed."""
    from common.data.perturb import perturbations
    from step1_sentiment.robustness import RATES, evaluate_runs

    parser = ArgumentParser(prog="python -m step1_sentiment robustness", allow_abbrev=False)
    parser.add_argument("--run", type=Path, nargs="+", required=True, help="folders of finished runs")
    parser.add_argument("--kinds", nargs="+", default=list(perturbations()), help="default: %(default)s")
    parser.add_argument(
        "--rates", type=float, nargs="+", default=list(RATES), help="shares of the eligible words, default: %(default)s"
    )
    parser.add_argument("--draws", type=int, default=1, help="perturbed versions per rate, default: %(default)s")
    parser.add_argument("--data-path", default="", help="where the data are, if not where the run had them")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    known = parser.parse_args(arguments)
    kinds, rates = list(dict.fromkeys(known.kinds)), sorted(set(known.rates))
    console = Console()
    for folder, found in evaluate_runs(known.run, kinds, rates, known.draws, known.data_path, known.device).items():
        console.print(folder, highlight=False, soft_wrap=True)
        for row in found["conditions"]:
            without = "".join(f", without {name} {value:.2%}" for name, value in row["without"].items())
            console.print(
                f"  {row['kind']} {row['rate']:g}: {row['changed']:,} of {row['words']:,} words changed, "
                f"accuracy {row['accuracy']:.2%}{without}",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
    return 0


COMMAND = StepCommand(
    module="step1_sentiment", title="Step 1: sentiment with integrated streams.", presets=PRESETS, variant=variant,
    variants=(*CONTROLS, *RULES), more=MORE, table=("meaning", "dm", "li"), finish=finish, errors=(RecordError,),
    others={"predict": predict_command, "robustness": robustness_command},
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(COMMAND.main(sys.argv[1:]))
