"""What table 4 compares and how each task is judged. Rows are named as by ``python -m step4_vision_language table``.

How the picture reaches the language model:

- ``human``: no model; a human caption against the others of its picture (where the records have it);
- ``chance``: no model; what retrieval in random order is expected to score, in place of a model that sees no pictures;
- ``no_image``: not at all;
- ``swapped``: as in ``dm``, but the picture is that of another sample, in training and test;
- ``concat``: as a stream, concatenated with the text's and projected;
- ``prefix_mlp``, ``prefix_transformer``: as a prefix made of the pooled picture (ClipCap);
- ``projector``, ``projector_patches``: as visual tokens, one or one per patch (LLaVA);
- ``qformer``: as visual tokens of learned queries (BLIP-2);
- ``cross_attention``: by gated cross-attention between the layers (Flamingo);
- ``dm``, ``dm_output``, ``dm_token``, ``dm_linear``, ``li``: as a stream; DM in every layer, at the output only, with α
  per token; DM-linear and LI in every layer;
- ``dm_pooled``, ``li_pooled``: likewise, but of the mean of the patches;
- ``dm_linear_swapped``, ``li_swapped``: as ``swapped``, under DM-linear and LI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.evaluation.retrieval import RECALL_AT as RECALL_CUTS

STEP = "step4_vision_language"
VARIANTS = (
    "no_image", "swapped", "concat", "prefix_mlp", "prefix_transformer", "projector", "projector_patches", "qformer",
    "cross_attention", "dm", "dm_output", "dm_pooled", "dm_token", "dm_linear", "dm_linear_swapped", "li", "li_swapped",
    "li_pooled",
)  # fmt: skip
"""Rows in order; ``swapped`` is DM with the pictures of other samples, ``<rule>_swapped`` another rule with them."""
MAIN = ("concat", "prefix_mlp", "projector", "cross_attention", "dm", "li")
"""Fusions of each kind, and the rules under study."""
SCENES = ("no_image", "projector", "dm", "dm_token", "li")
"""On generated scenes, where most is to be seen: today's fusion and the rules, with α per token too."""
WANTED = {
    "flickr8k, captions": VARIANTS,
    "flickr8k, retrieval": MAIN,
    "daquar, questions": ("no_image", "swapped", *MAIN),
    "easy_vqa, questions": ("no_image", "swapped", "projector", "dm", "li"),
    "scenes, questions": ("swapped", *SCENES),
    "scenes, questions, tiny": SCENES,
}
"""Setting -> variants to be run there."""
BASELINE = "no_image"
"""The language model without pictures: what every row is compared with."""
NEVER = {"retrieval": (BASELINE,)}
"""Task -> rows that cannot be: who does not see the pictures cannot tell them apart."""
TODAY = "projector"
"""What is used most today: a second comparison, where it has runs."""
HUMAN = "human"
"""Row that no run has: a caption by a human against the others of its picture."""
CHANCE = "chance"
"""Row that no run has: retrieval by a model that does not see the pictures."""
GENERATED = ("scenes",)
"""Data whose captions no human wrote, so that they have no such row."""
RECALL_AT = 10
"""Rank up to which a picture counts as found, where models are compared."""
KINDS_SHOWN = 3
"""Most kinds of question that have a column, the most frequent first."""


@dataclass(frozen=True)
class Task:
    """What the models do, and how a table judges it."""

    name: str
    unit: str
    """What is counted beside pictures."""
    metrics: Mapping[str, str]
    """Column -> key of final.json, shown as mean and standard deviation over seeds."""
    score: str
    """Column whose mean over examples is compared between models."""
    called: str
    """What a reader calls that score."""
    header: str
    """Of its column."""


WAYS = {"image_to_text": "image to text", "text_to_image": "text to image"}
"""Direction of retrieval in final.json -> in headers."""
RECALLS = {f"{way}_recall_{k}": f"{name} R@{k} %" for way, name in WAYS.items() for k in RECALL_CUTS}
"""Share of queries answered among the first k -> its header."""
RANKS = {f"{way}_median_rank": f"{name} median rank" for way, name in WAYS.items()}

TASKS = {
    task.name: task
    for task in (
        Task(
            "captions", "captions",
            {name: f"test_{name}" for name in ("bleu_4", "rouge_l", "cider_d", "perplexity")}, "cider_d", "CIDEr-D",
            "CIDEr-D",
        ),
        Task(
            "questions", "questions",
            {name: f"test_{name}" for name in ("accuracy", "exact_match")}, "accuracy", "accuracy",
            "accuracy %",
        ),
        Task(
            "retrieval", "texts", {name: f"test_{name}" for name in (*RECALLS, *RANKS)},
            f"text_to_image_recall_{RECALL_AT}", f"text to image R@{RECALL_AT}",
            f"text to image R@{RECALL_AT} %",
        ),
    )
}  # fmt: skip
