"""Generated pseudo-word texts whose label depends on chosen streams in known shares.

Every text carries its label in exactly one part, its *carrier*, drawn with the configured share: in one stream
(``phonetic``), the same in several (``meaning=phonetic``, redundant), or only in several together
(``meaning+phonetic``, synergistic: the sum of their cues modulo K is the label). Two words of the text show each
carrying stream's cue; the two words that could show each other stream's cue are neutral, and the rest are fillers.
All K labels are equally frequent within every carrier.

**Share of label information.** Whoever reads a set S of streams perfectly, and no other, is right at a rate of at
most ``1/K + (1 − 1/K) · v(S)``, see :mod:`common.evaluation.planted_parts`. Where every text has one carrying stream,
v(S) is the sum of the shares of S, so that leave-one-out and the Shapley value of a stream are both its share times
``1 − 1/K``. The Shapley shares of v are what α and contribution should recover (:func:`planted_truth`).

The cues:

- ``meaning``: which word it is. Sets of words that sound alike (``kraf, craff, kraph``…), one spelling per label,
  chosen at random in every set: no sound and no affix tells the labels apart, only the identity of the word.
- ``phonetic``: the vowel of a one-syllable word (``bleet, priem`` against ``blate, praym``). Validation and test spell
  it with letters that training never uses for it (``bleam`` against ``blaim``): subwords learnt by heart do not help.
- ``morphological``: an affix (``unblam, blamless`` against ``misblam, blamful``) on stems that training never shows.

What this cannot rule out: all streams are computed from the same letters. Subwords see an affix wherever the tokeniser
happens to cut there, affixes have a sound, and segments may tell ``meaning`` words apart. The shares are the truth
about where information was *put*; runs on subsets of streams say how much of it can be had elsewhere.
A few of the pseudo-words coincide with English words. Read by the CMU dictionary and g2p-en, 94 to 100 % of the
phonetic words (by label and split) have their label's vowel, and 94 % of the homophones sound like their set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.data.text import SPLITS, Corpus, DataConfig, DataError, TextSplit, register_dataset
from common.evaluation.planted_parts import Part, parts_of, shapley_shares

STREAMS = ("meaning", "phonetic", "morphological")
CUE_WORDS = 2
"""Words of a text that can show the cue of one stream."""

_ONSETS = str.split(
    "b bl br d dr f fl fr g gl gr h kl kr l m n p pl pr r sk sl sm sn sp spl spr st str sw t tr v z shr thr"
)
_STEM_CODAS = str.split("b d g m n p t nd mp nt sk st lk lt ft")
_SHORT = "aeiou"

# Label -> rhymes (training, held out), put behind an onset. Only rhymes that grapheme-to-phoneme models read alike.
_SOUNDS: tuple[tuple[str, str], ...] = (
    ("eet een eel eem eep eek iem iek iep iel", "ean eam eal eak"),  # IY
    ("ate ane ale ame ape ake ayt ayn ayl aym", "ain aim ail ait"),  # EY
    ("ote ode ope oke oed oem oek oen", "oat oal oak oam"),  # OW
    ("ite ide ine ile ipe ime ight", "yte yde yme ype"),  # AY
    ("oot oon ool oom oop ute uke upe", "ewn ewt ewp"),  # UW
)
_AFFIXES = (("un", "less"), ("mis", "ful"), ("dis", "ish"), ("sub", "ness"), ("trans", "dom"))
_NEUTRAL_AFFIX = ("ex", "ing")

_HOMOPHONE_ONSETS = (("kr", "cr"), ("kl", "cl"), ("skr", "scr"), ("fr", "phr"), ("fl", "phl"), ("skl", "scl"))
_HOMOPHONE_CODAS = ("f", "ff", "ph")


@dataclass(frozen=True)
class PlantedExample:
    """One text with what was put into it."""

    words: tuple[str, ...]
    label: int
    carrier: str
    """Name of the part that carries the label, such as ``phonetic`` or ``meaning+phonetic``."""
    cues: tuple[tuple[str, int | None], ...]
    """Stream -> label (of a synergistic carrier: summand of it) that its cue words show; None where neutral."""


def planted_truth(config: DataConfig) -> dict[str, float]:
    """Stream -> share of the label information put into it (see the module). All three streams; they sum to 1.

    Raises:
        DataError: for shares or sizes that cannot be generated.
    """
    # Rounded to what was written: 0.3 has a Shapley share of 0.30000000000000004.
    return {stream: round(value, 12) for stream, value in shapley_shares(planted_parts(config), STREAMS).items()}


def planted_parts(config: DataConfig) -> tuple[Part, ...]:
    """What the config plants: each stream alone, also with a share of 0, then what several streams carry.

    Raises:
        DataError: as :func:`planted_truth`.
    """
    given = config.planted_shares
    if min((share for _, share in given), default=-1.0) < 0 or abs(sum(share for _, share in given) - 1) > 1e-6:
        raise DataError(f"planted_shares must not be negative and must sum to 1, got {given}")
    try:
        parts = parts_of(given)
    except ValueError as error:
        raise DataError(f"planted_shares: {error}") from error
    found = {(part.kind, frozenset(part.streams)): part.share for part in parts}
    if len(found) != len(parts) or any(set(part.streams) - set(STREAMS) for part in parts):
        raise DataError(
            f"planted_shares names each of {', '.join(STREAMS)} at most once, and each group of them joined by = "
            f"(all say the same) or + (only together they tell) at most once, got {given}"
        )
    for part in parts:
        for other in parts:
            if part.kind == "synergistic" and other.kind == "redundant" and set(part.streams) <= set(other.streams):
                raise DataError(
                    f"planted_shares: where the cues of {part.name} are equal, nobody can tell them from those of "
                    f"{other.name}; take other streams for one of them"
                )
    if not 2 <= config.planted_classes <= len(_SOUNDS):
        raise DataError(f"planted_classes must be 2 to {len(_SOUNDS)}, got {config.planted_classes}")
    if config.planted_words < CUE_WORDS * len(STREAMS):
        raise DataError(f"planted_words must be at least {CUE_WORDS * len(STREAMS)}, got {config.planted_words}")
    if min(config.planted_sizes) < config.planted_classes:
        raise DataError(f"planted_sizes must be at least planted_classes each, got {config.planted_sizes}")
    alone = [Part("unique", (stream,), found.get(("unique", frozenset([stream])), 0.0)) for stream in STREAMS]
    joint = [
        Part(part.kind, tuple(stream for stream in STREAMS if stream in part.streams), part.share)
        for part in parts
        if part.kind != "unique"
    ]
    return (*alone, *joint)


@register_dataset("planted")
def load_planted(config: DataConfig) -> Corpus:
    """Generate the corpus; the same config gives the same texts on every machine."""
    if config.path:
        raise DataError("planted texts are generated; leave `path` empty, or use the dataset 'folder'")
    splits = {
        name: TextSplit(tuple(" ".join(e.words) for e in examples), tuple(e.label for e in examples))
        for name, examples in planted_examples(config).items()
    }
    shares = ", ".join(f"{part.name} {part.share:g}" for part in planted_parts(config))
    names = tuple(f"label {k}" for k in range(config.planted_classes))
    return Corpus(f"generated (planted: {shares}; seed {config.seed})", splits, names)


def planted_examples(config: DataConfig) -> dict[str, list[PlantedExample]]:
    """All examples of train, validation and test with their metadata."""
    parts = planted_parts(config)
    classes = config.planted_classes
    random = np.random.default_rng(config.seed)
    vocabulary = _homophones(classes, random)
    stems = [onset + vowel + coda for onset in _ONSETS for vowel in _SHORT for coda in _STEM_CODAS]
    stems = [stems[i] for i in random.permutation(len(stems))]
    tenth = len(stems) // 10
    stems_of = {"train": stems[2 * tenth :], "validation": stems[:tenth], "test": stems[tenth : 2 * tenth]}
    corpus = {}
    for split, size in zip(SPLITS, config.planted_sizes, strict=True):
        speaker = _Speaker(random, vocabulary, stems_of[split], held_out=split != "train")
        examples = []
        for part, label in _quota(parts, classes, size, random):
            shown = _shown(part, label, classes, random)
            words = [speaker.word(stream, shown.get(stream)) for stream in STREAMS for _ in range(CUE_WORDS)]
            words += [speaker.pick(speaker.stems) for _ in range(config.planted_words - len(words))]
            order = random.permutation(len(words))
            cues = tuple((stream, shown.get(stream)) for stream in STREAMS)
            examples.append(PlantedExample(tuple(words[i] for i in order), label, part.name, cues))
        corpus[split] = examples
    return corpus


class _Speaker:
    """Makes the words of one split."""

    def __init__(
        self, random: np.random.Generator, vocabulary: list[list[str]], stems: list[str], held_out: bool
    ) -> None:
        self.random, self.vocabulary, self.stems = random, vocabulary, stems
        self.rhymes = [(unseen if held_out else seen).split() for seen, unseen in _SOUNDS]

    def pick(self, words: list[str] | tuple[str, ...]) -> str:
        return words[int(self.random.integers(len(words)))]

    def word(self, stream: str, label: int | None) -> str:
        """A word that shows the stream's cue for `label`, or a neutral one."""
        if stream == "meaning":
            return self.pick(self.vocabulary[-1 if label is None else label])
        if stream == "phonetic":
            return self.pick(self.stems) if label is None else self.pick(_ONSETS) + self.pick(self.rhymes[label])
        prefix, suffix = _NEUTRAL_AFFIX if label is None else _AFFIXES[label]
        stem = self.pick(self.stems)
        return prefix + stem if self.random.integers(2) else stem + suffix


def _homophones(classes: int, random: np.random.Generator) -> list[list[str]]:
    """Words of every label and, last, the neutral ones: per set of homophones, spellings are dealt out at random."""
    words: list[list[str]] = [[] for _ in range(classes + 1)]
    for onsets in _HOMOPHONE_ONSETS:
        for vowel in "aiu":
            spellings = [onset + vowel + coda for onset in onsets for coda in _HOMOPHONE_CODAS]
            for position, index in enumerate(random.permutation(len(spellings))):
                words[min(position, classes)].append(spellings[index])
    return words


def _shown(part: Part, label: int, classes: int, random: np.random.Generator) -> dict[str, int]:
    """Stream of the part -> the cue it shows: the label, or summands of it of which any but one are drawn."""
    if part.kind != "synergistic":
        return dict.fromkeys(part.streams, label)
    drawn = [int(each) for each in random.integers(classes, size=len(part.streams) - 1)]
    return dict(zip(part.streams, (*drawn, (label - sum(drawn)) % classes), strict=True))


def _quota(parts: Sequence[Part], classes: int, size: int, random: np.random.Generator) -> list[tuple[Part, int]]:
    """(carrier, label) of every example in random order: shares exact to one example, labels even in every carrier."""
    bounds = np.round(np.cumsum([0.0, *(part.share for part in parts)]) * size).astype(int)
    pairs = []
    for part, start, stop in zip(parts, bounds[:-1], bounds[1:], strict=True):
        # Counting labels through the whole split, not anew in each carrier, keeps them even overall too.
        pairs += [(part, position % classes) for position in range(start, stop)]
    return [pairs[i] for i in random.permutation(len(pairs))]
