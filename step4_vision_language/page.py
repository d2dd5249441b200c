"""What was written, on the terminal, as JSON lines, and as a page that needs neither network nor JavaScript."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from common.data.vision.opening import MAX_PIXELS, open_image
from common.data.vision.source import ImageSource
from common.files import write_text
from common.tint import COLOURS, mix, tinted_row
from step4_vision_language.contributions import Written

PAGES = (".html", ".htm")
"""Endings of files that become a page."""
SIDE = 256
"""Pixels of the longer side of a picture in a page at most."""
TINT = COLOURS[0]
STYLE = """body{font:16px/1.7 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}
figure{margin:2em 0}figcaption{white-space:pre-wrap}span{border-radius:.2em}.p{color:#555}"""


def show(written: Sequence[Written], console: Console) -> None:
    """Print picture, question and text, then per stream a line in which every token is tinted by its contribution, and
    contribution and α of every token as numbers.
    """
    for one in written:
        line = Text(", ".join(image.name for image in one.sample.images), style="bold")
        console.print(line.append(f"  {one.sample.question}", style="dim") if one.sample.question else line)
        console.print(Text(one.text))
        visible = [token.replace("\n", "⏎") for token in one.tokens]
        for (stream, values), colour in zip(one.shares.contributions.items(), COLOURS, strict=False):
            if len(values):
                console.print(tinted_row(stream, visible, values, colour, gap=""))
        for kind, streams in (("contribution", one.shares.contributions), ("α", one.shares.alphas)):
            for stream, values in streams.items():
                if len(values):
                    console.print(Text(f"{kind} of {stream}: {_told(visible, values)}", style="dim"))
        console.print()


def _told(tokens: Sequence[str], values: Iterable[float]) -> str:
    """The number of every token; once where it is the same for all."""
    numbers = [f"{value:.2f}" for value in values]
    if len(set(numbers)) == 1:
        return f"{numbers[0]} for every token"
    return "  ".join(f"{token.strip()} {number}" for token, number in zip(tokens, numbers, strict=True))


def save(written: Sequence[Written], path: Path, streams: Sequence[str], max_pixels: int = MAX_PIXELS) -> None:
    """Write a page where the name ends in .html, else JSON lines; `streams` are those that read pictures, of at most
    `max_pixels`.
    """
    content = page(written, streams, max_pixels) if path.suffix.lower() in PAGES else json_lines(written)
    write_text(path, content)


def json_lines(written: Sequence[Written]) -> str:
    """An object per sample: image (of several a list), question, text, tokens, and their contributions and alphas."""
    rows = []
    for one in written:
        names = [image.name for image in one.sample.images]
        numbers = {
            kind: {name: [round(float(number), 5) for number in value] for name, value in values.items()}
            for kind, values in (("contributions", one.shares.contributions), ("alphas", one.shares.alphas))
        }
        row = {
            "image": names[0] if len(names) == 1 else names, "question": one.sample.question, "text": one.text,
            "tokens": one.tokens, **numbers,
        }  # fmt: skip
        rows.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(rows)


def page(written: Sequence[Written], streams: Sequence[str], max_pixels: int = MAX_PIXELS) -> str:
    """Every picture as a data URI, under it the text; a token is tinted by the share of `streams`, and under the
    pointer it shows the numbers of all.

    Raises:
        ImageError: a picture that cannot be read, or is larger than `max_pixels`.
    """
    if any(one.shares.contributions for one in written):
        note = (
            f"The tint of a token is the share ‖term‖ / Σ‖term‖ of {' + '.join(streams)} in the integrated state that "
            "predicted it, averaged over sites. Hold the pointer over a token for the numbers of all streams."
        )
    else:
        note = "The model joins no streams, so that there are no contributions to show."
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Pictures in words</title>",
        f"<style>{STYLE}</style><h1>Pictures in words</h1><p class='p'>{html.escape(note)}</p>",
    ]
    for one in written:
        pictures = "".join(
            f"<img src='{data_uri(image, max_pixels)}' alt='{html.escape(image.name)}'> " for image in one.sample.images
        )
        asked = f"<p class='p'>{html.escape(one.sample.question)}</p>" if one.sample.question else ""
        parts.append(f"<figure>{pictures}{asked}<figcaption>{_tokens(one, streams)}</figcaption></figure>")
    return "\n".join([*parts, "</html>\n"])


def data_uri(source: ImageSource, max_pixels: int = MAX_PIXELS) -> str:
    """The picture, at most :data:`SIDE` pixels a side, as a JPEG in a data URI.

    Raises:
        ImageError: it cannot be read, or is larger than `max_pixels`.
    """
    image = open_image(source, max_pixels)
    image.thumbnail((SIDE, SIDE))
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(encoded.getvalue()).decode()}"


def _tokens(one: Written, streams: Sequence[str]) -> str:
    """A span per token; without contributions the text alone."""
    contributions, alphas = one.shares.contributions, one.shares.alphas
    if not contributions:
        return html.escape(one.text)
    spans = []
    for place, token in enumerate(one.tokens):
        share = min(1.0, sum(float(contributions[name][place]) for name in streams if name in contributions))
        numbers = [
            f"{name} {values[place]:.3f}" + (f" (α {alphas[name][place]:.3f})" if name in alphas else "")
            for name, values in contributions.items()
        ]
        ink = "color:white;" if share > 0.5 else ""
        title = html.escape(", ".join(numbers), quote=True)
        style = f"{ink}background:{mix(TINT, share)}"
        spans.append(f'<span title="{title}" style="{style}">{html.escape(token)}</span>')
    return "".join(spans)
