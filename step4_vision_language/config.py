"""Typed config of step 4, its presets, and the variants that stand as rows in the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from common.data.vision.sample import VisionDataConfig
from common.integration import IntegrationConfig, rules
from common.later import later
from common.models.gpt2_size import SCRATCH, SMALL, SizeConfig
from common.streams.config import StreamConfig
from common.training.config import VisionTrainConfig
from common.transfer.config import TransferConfig
from common.variants import plain_rule, refuse_equal_names, row
from common.vision.config import VisionConfig
from step4_vision_language.fusion_config import STREAMS, FusionConfig

VISION = StreamConfig(kind="vision", alignment="attention", width=96, layers=2, dropout=0.0)
"""The picture as a stream."""


@dataclass(frozen=True)
class AdapterConfig:
    """LoRA (Hu et al. 2022) on the language model."""

    rank: int = 0
    """Rank of the adapters; 0 = none."""
    alpha: int = 16
    """Scale of what they add, divided by the rank."""
    dropout: float = 0.0
    """Dropout of what they read."""


@dataclass(frozen=True)
class DecodeConfig:
    """How texts are written in the evaluation."""

    max_new_tokens: int = 24
    """Tokens of a caption or an answer at most."""
    beams: int = 3
    """Beams; 1 takes the most likely token."""
    batch_size: int = 64
    """Texts that are written at once."""


@dataclass(frozen=True)
class VisionLanguageRunConfig:
    """One run of step 4. Everything that can change a result is in here, and its hash names the run's folder."""

    name: str = ""
    """Name of the row in tables and figures; empty takes the fusion, or the rule that joins the streams."""
    objective: Literal["generate", "retrieve"] = "generate"
    """Write captions or answers, or find the picture that belongs to a text and the other way round."""
    backbone: str = SCRATCH
    """The language model: ``scratch``, or one with weights by hub name or local folder (GPT-2, Qwen2)."""
    size: SizeConfig = field(default_factory=SizeConfig)
    """Size of the language model ``scratch``."""
    vocab_size: int = 4096
    """Entries of the tokenizer of ``scratch``, a byte-level BPE learnt from the training texts."""
    vision: VisionConfig = field(default_factory=VisionConfig)
    """The vision encoder."""
    fusion: FusionConfig = field(default_factory=FusionConfig)
    """How the picture reaches the language model."""
    streams: tuple[StreamConfig, ...] = (VISION,)
    """Secondary streams, where the fusion is ``streams``."""
    integration: IntegrationConfig = field(default_factory=IntegrationConfig)
    """How the streams are combined, where the fusion is ``streams``."""
    feedback: bool = True
    """Whether the state of each layer goes back into the text's stream, so that the layers above read the picture."""
    data: VisionDataConfig = field(default_factory=VisionDataConfig)
    """Pictures and texts."""
    swapped: bool = False
    """Control: every sample has the picture of another one, fixed."""
    augment: bool = False
    """Change training pictures in ways that leave the texts true. Features are then computed anew in every step."""
    init_from: str = ""
    """Folder of a finished run whose weights are taken over: the second stage of a training."""
    adapters: AdapterConfig = field(default_factory=AdapterConfig)
    """LoRA on the language model."""
    contrastive: float = 0.0
    """Weight of a text-picture contrastive loss beside the language model's."""
    siglip: bool = False
    """Contrastive losses are pairwise sigmoids (Zhai et al. 2023) and not InfoNCE (van den Oord et al. 2018)."""
    embedding: int = 128
    """Channels in which pictures and texts are compared."""
    train: VisionTrainConfig = field(
        default_factory=lambda: VisionTrainConfig(select_metric="loss", select_mode="min", bucket=True)
    )
    """Optimisation; `max_length` is the longest text in tokens, visual tokens apart."""
    decode: DecodeConfig = field(default_factory=DecodeConfig)
    """How texts are written in the evaluation."""
    dropout: float = 0.0
    """Dropout of the language model ``scratch``."""
    transfer: TransferConfig = later(TransferConfig())
    """Mixing weights that are not learnt, but taken from a run in another domain."""

    def __post_init__(self) -> None:
        refuse_equal_names(self.streams)
        if self.objective not in ("generate", "retrieve"):
            raise ValueError(f"objective must be generate or retrieve, got {self.objective!r}")
        if self.fusion.name == STREAMS and not self.streams:
            raise ValueError("the fusion 'streams' needs at least one stream; the fusion 'none' leaves the picture out")
        rule = self.integration.rule
        if self.used and self.feedback and rule in rules() and at_output(self.integration):
            # A fusion's name makes the fusion, not the rule.
            row_of_rule = f"--variant {rule}, or " if self.integration.recurrent and rule not in FUSIONS else ""
            raise ValueError(
                f"rule {rule!r} as configured joins the streams at the output only, so there is nothing to feed back; "
                f"take {row_of_rule}--no-feedback"
            )
        if self.swapped and self.name and _claimed(self.name) and "swapped" not in self.name:
            raise ValueError(
                f"the row is called {self.name!r}, but its pictures are those of other samples; take --variant "
                f"{self.name}_swapped, or give the row another --name"
            )
        own = rule if self.used else self.fusion.name
        if _claimed(self.name) not in ("", own):
            chosen = "no_image" if own == "none" else own
            raise ValueError(
                f"the row is called {self.name!r}, but its rule or fusion is {own!r}; choose it by --variant {chosen}, "
                "or give the row another --name"
            )
        if self.contrastive < 0 or self.embedding < 1:
            raise ValueError("contrastive must not be negative, and embedding at least 1")

    def named(self) -> VisionLanguageRunConfig:
        """This config, called after its fusion or rule if it has no name yet, with the weights it takes over."""
        name = self.name or (self.integration.rule if self.fusion.name == STREAMS else self.fusion.name)
        if self.swapped and not self.name:
            name = "swapped" if name == "dm" else f"{name}_swapped"
        return replace(self, name=name, transfer=self.transfer.resolved(self.rule))

    @property
    def used(self) -> tuple[StreamConfig, ...]:
        """Secondary streams of the model."""
        return self.streams if self.fusion.name == STREAMS else ()

    @property
    def rule(self) -> IntegrationConfig:
        """The rule of the model."""
        return self.integration if self.used else IntegrationConfig(rule="reference")

    @property
    def cached(self) -> bool:
        """Whether what the encoder makes of a picture never changes and can be kept."""
        return self.train.lr_vision == 0 and not self.augment


def quick() -> VisionLanguageRunConfig:
    """Drawn scenes, a small ViT with random weights that is trained along, a small GPT-2: minutes on a laptop."""
    return VisionLanguageRunConfig(
        size=SizeConfig(width=128, layers=3, heads=4), vocab_size=600,
        data=VisionDataConfig(scene_sizes=(1600, 200, 400)),
        train=_train(epochs=3, batch_size=64, lr=2e-3, lr_vision=1e-3, max_length=40), decode=DecodeConfig(beams=1),
    )  # fmt: skip


def small() -> VisionLanguageRunConfig:
    """Flickr8k with features of a frozen MobileNetV2 (`--vision.weights`), sized for about ten minutes on two cores."""
    return VisionLanguageRunConfig(
        vision=VisionConfig(name="timm/mobilenetv2_100", weights="pretrained", image_size=224),
        data=VisionDataConfig(name="flickr8k"),
        train=_train(epochs=2, batch_size=64, lr=2e-3, lr_vision=0.0, max_length=32),
    )  # fmt: skip


def paper() -> VisionLanguageRunConfig:
    """CLIP ViT-B/32 and GPT-2 with their weights on Flickr30k, for a GPU."""
    return VisionLanguageRunConfig(
        backbone="gpt2", size=SMALL, vision=VisionConfig(name="openai/clip-vit-base-patch32", image_size=224),
        data=VisionDataConfig(name="flickr30k"), streams=(replace(VISION, width=256, layers=3),),
        fusion=FusionConfig(width=512, layers=4, heads=8),
        train=replace(_train(epochs=5, batch_size=64, lr=2e-4, lr_vision=0.0, max_length=48), lr_backbone=2e-5),
    )  # fmt: skip


def align() -> VisionLanguageRunConfig:
    """First of two stages, for a GPU: CLIP ViT-B/32 and Qwen2.5-0.5B stay frozen; what is between learns on COCO."""
    base = paper()
    train = replace(_train(epochs=2, batch_size=64, lr=1e-3, lr_vision=0.0, max_length=64), lr_backbone=0.0)
    return replace(
        base, backbone="Qwen/Qwen2.5-0.5B", data=VisionDataConfig(name="coco"),
        train=replace(train, checkpoint_activations=True),
    )  # fmt: skip


def tune() -> VisionLanguageRunConfig:
    """Second stage, with `--init-from` a run of ``align``: LoRA on the language model, on the questions of VQAv2."""
    base = align()
    train = replace(base.train, epochs=1, lr_backbone=2e-4, lr_streams=2e-4, lr_head=2e-4)
    return replace(
        base, data=VisionDataConfig(name="vqa_v2"), adapters=AdapterConfig(rank=16), train=train,
        decode=DecodeConfig(max_new_tokens=8, beams=1, batch_size=256),
    )  # fmt: skip


def _train(epochs: int, batch_size: int, lr: float, lr_vision: float, max_length: int) -> VisionTrainConfig:
    return VisionTrainConfig(
        epochs=epochs, batch_size=batch_size, max_length=max_length, lr_backbone=lr, lr_streams=lr, lr_head=lr,
        lr_vision=lr_vision, weight_decay=0.05, bucket=True, select_metric="loss", select_mode="min", precision="auto",
    )  # fmt: skip


PRESETS: dict[str, Callable[[], VisionLanguageRunConfig]] = {
    "quick": quick,
    "small": small,
    "paper": paper,
    "align": align,
    "tune": tune,
}

FUSIONS = ("prefix_mlp", "prefix_transformer", "projector", "projector_patches", "qformer", "cross_attention")
VARIANTS = (
    "no_image", "swapped", "concat", *FUSIONS, "dm", "dm_output", "dm_pooled", "dm_token", "dm_linear",
    "dm_linear_swapped", "li", "li_swapped", "li_pooled",
)  # fmt: skip
"""Names of rows, for the help; any other rule works too."""
CONTROLS = ("no_image", "swapped", "<rule>_swapped")
"""Rows that stand in place of the controls of words' streams."""
CHANGED = ("_output", "_pooled", "_token")
"""Endings of rows that are a rule with one change."""


def variant(base: VisionLanguageRunConfig, name: str) -> VisionLanguageRunConfig:
    """The config of one row: ``no_image``; ``swapped`` (DM with the pictures of others; ``dm_linear_swapped``: that
    rule with them); a fusion; ``dm_output`` (joined at the output only), ``dm_pooled`` (tokens read the mean of the
    patches), ``dm_token`` (α per token); or a row of :func:`common.variants.row`.

    Raises:
        ValueError: an unknown name.
    """
    if name == "no_image":
        return _reference(base, name, replace(base.fusion, name="none"))
    if name in FUSIONS:
        return _reference(base, name, replace(base.fusion, name=name))
    base = replace(
        base, name="", swapped=False, fusion=replace(base.fusion, name=STREAMS), streams=base.streams or (VISION,)
    )
    if name == "swapped" or name.endswith("_swapped"):
        return replace(variant(base, name.removesuffix("swapped").removesuffix("_") or "dm"), name=name, swapped=True)
    if name in ("dm_output", "li_output"):
        chosen = row(base, name.removesuffix("_output"))
        return replace(chosen, name=name, integration=replace(chosen.integration, recurrent=False), feedback=False)
    if name in ("dm_pooled", "li_pooled"):
        chosen = row(base, name.removesuffix("_pooled"))
        pooled = tuple(replace(s, alignment="pooled") if s.kind == "vision" else s for s in chosen.streams)
        return replace(chosen, name=name, streams=pooled)
    if name == "dm_token":
        chosen = row(base, "dm")
        return replace(chosen, name=name, integration=replace(chosen.integration, granularity="token"))
    chosen = row(replace(base, feedback=False), name, instead=CONTROLS)
    return replace(chosen, feedback=base.feedback and not at_output(chosen.integration))


def at_output(integration: IntegrationConfig) -> bool:
    """Whether the rule joins the streams at the output only, so that there is nothing to feed back."""
    return rules()[integration.rule].last_site_only or not integration.recurrent


def _claimed(name: str) -> str:
    """The rule or fusion after which a row is called; empty for a name that says neither."""
    bare = "dm" if name == "swapped" else name.removesuffix("_swapped")
    for ending in CHANGED:
        bare = bare.removesuffix(ending)
    claimed = "none" if bare == "no_image" else plain_rule(bare)
    return claimed if claimed in (*rules(), *FUSIONS, "none") else ""


def _reference(base: VisionLanguageRunConfig, name: str, fusion: FusionConfig) -> VisionLanguageRunConfig:
    return replace(
        base, name=name, fusion=fusion, streams=(), integration=IntegrationConfig(rule="reference"), feedback=False
    )
