"""Predict with a trained run and show, word by word, what each stream contributed."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

from common.files import read_json, write_text
from common.models.multi_stream import MultiStreamForSequenceClassification
from common.streams.processor import StreamProcessor
from common.tint import COLOURS, mix, tinted_row
from common.training.evaluate import resolve_device
from common.training.record import damage_named, settings_of_run
from step1_sentiment.analysis import token_contributions, word_shares
from step1_sentiment.run import STEP


@dataclass(frozen=True)
class Prediction:
    """One text: label, probabilities by label name, and contributions of each stream per word ``[W]``."""

    text: str
    label: str
    probabilities: dict[str, float]
    words: list[str]
    shares: dict[str, np.ndarray]


def load_run(folder: Path) -> tuple[MultiStreamForSequenceClassification, StreamProcessor, list[str]]:
    """Model, processor and label names of a finished run.

    Raises:
        FileNotFoundError: the folder is no run of this step, or its model was not kept.
        ValueError: a file of it is damaged.
    """
    settings_of_run(folder, STEP)
    with damage_named(folder):
        model = MultiStreamForSequenceClassification.from_pretrained(folder / "model").eval()
        labels = read_json(folder / "environment.json")["label_names"]
        return model, StreamProcessor.from_pretrained(folder / "model"), labels


def predict(folder: Path, texts: list[str], batch_size: int = 32) -> list[Prediction]:
    """Label, probabilities and per-word contributions of each text."""
    model, processor, labels = load_run(folder)
    device = resolve_device("auto")
    model.to(device)  # pyright: ignore[reportArgumentType]
    predictions = []
    for start in range(0, len(texts), batch_size):
        chunk = texts[start : start + batch_size]
        items = processor.encode_many(chunk)
        probabilities, tokens = token_contributions(model, processor, items, device)
        for text, item, row, shares in zip(chunk, items, probabilities, tokens, strict=True):
            by_label = dict(zip(labels, row.tolist(), strict=True))
            label = max(by_label, key=by_label.__getitem__)
            predictions.append(Prediction(text, label, by_label, list(item.words), word_shares(item, shares)))
    return predictions


def show(predictions: list[Prediction], console: Console) -> None:
    """Print each text with its words coloured, one line per stream; the background grows with the contribution."""
    for prediction in predictions:
        ranked = sorted(prediction.probabilities.items(), key=lambda pair: -pair[1])
        line = "  ".join(f"{name} {value:.2f}" for name, value in ranked)
        console.print(Text.assemble((prediction.label, "bold"), "   ", line))
        for (stream, values), colour in zip(prediction.shares.items(), COLOURS, strict=False):
            console.print(tinted_row(stream, prediction.words, values, colour))
        console.print()


def write_html(predictions: list[Prediction], path: Path) -> None:
    """One self-contained page: per text the label, the probabilities and a row of tinted words per stream."""
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Stream contributions</title>",
        "<style>body{font:15px/1.7 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
        "h2{font-size:1.1em;margin:1.6em 0 .2em}table{border-collapse:collapse}th{text-align:right;padding-right:1em;"
        "font-weight:600;white-space:nowrap;vertical-align:top}span{padding:.1em .2em;border-radius:.2em}"
        ".p{color:#555}</style><h1>Stream contributions per word</h1>",
        "<p class='p'>The tint of a word is the share ‖term‖ / Σ‖term‖ of the stream in the integrated state at that "
        "word, averaged over sites. Hover over a word for its value.</p>",
    ]
    for prediction in predictions:
        probabilities = ", ".join(f"{html.escape(k)} {v:.3f}" for k, v in prediction.probabilities.items())
        parts.append(f"<h2>{html.escape(prediction.label)}</h2><p class='p'>{probabilities}</p><table>")
        for (stream, values), colour in zip(prediction.shares.items(), COLOURS, strict=False):
            words = " ".join(_html_word(w, v, colour) for w, v in zip(prediction.words, values, strict=True))
            parts.append(f"<tr><th style='color:{colour}'>{html.escape(stream)}</th><td>{words}</td></tr>")
        parts.append("</table>")
    parts.append("</html>")
    write_text(path, "\n".join(parts))


def _html_word(word: str, value: float, colour: str) -> str:
    if np.isnan(value):
        return f"<span title='not read by the head'>{html.escape(word)}</span>"
    return f"<span style='background:{mix(colour, value)}' title='{value:.3f}'>{html.escape(word)}</span>"
