"""Samples as tokens: what the model is given, and what it is to write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from common.data.language.masking import NOTHING
from common.data.vision.sample import Sample

IMAGE = "<image>"
"""Stands in a text where a picture does."""
START, END = "<|im_start|>", "<|im_end|>"
"""Around a turn of a conversation."""
SPECIALS = (IMAGE, START, END)
ROLES = {"human": "user", "assistant": "assistant"}


@dataclass(frozen=True)
class Encoded:
    """A text as tokens: `ids` and, shifted by nobody, the `labels` of those that are to be written."""

    ids: list[int]
    labels: list[int]


class TextProcessor:
    """Writes samples as text.

    A caption: ``<image> a dog runs``. A question: ``<image> question: … answer: yes``. A conversation: turns between
    ``<|im_start|>`` and ``<|im_end|>``. Before all of it stands the token that begins (or ends) a document, behind what
    is to be written the one that ends it.

    Args:
        tokenizer: knows :data:`SPECIALS`.
        marks: ``<image>`` tokens that stand for one picture.
        max_length: tokens kept, those of pictures apart.
    """

    def __init__(self, tokenizer: Any, marks: int, max_length: int) -> None:
        self.tokenizer, self.marks, self.max_length = tokenizer, marks, max_length
        self.image_id = tokenizer.convert_tokens_to_ids(IMAGE)
        self.end_id = tokenizer.eos_token_id
        self.begin_id = self.end_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id

    def prompt(self, sample: Sample) -> list[int]:
        """What stands before the text that is to be written."""
        pictures = IMAGE * len(sample.images)
        if sample.question:
            return self._begun(f"{pictures}question: {sample.question} answer:")
        if sample.turns:
            return self._begun(self._turns(sample.turns[:1]))
        return self._begun(pictures)

    def prompts(
        self, samples: Sequence[Sample], context: int, new: int, advice: str = "shorten one of them"
    ) -> list[list[int]]:
        """The :meth:`prompt` of every sample, to be written on from.

        Args:
            context: tokens that the model reads at most.
            new: tokens that are written at most. They and the prompt are read once more as one text, so that the last
                of them needs a place too.
            advice: what the error tells the user to do.

        Raises:
            ValueError: what is asked and what is to be written are longer than the context.
        """
        prompts = [self.prompt(sample) for sample in samples]
        for prompt, sample in zip(prompts, samples, strict=True):
            if len(prompt) + new > context:
                raise ValueError(
                    f"{sample.id}: {len(prompt)} tokens of pictures and question and {new} new ones are more than the "
                    f"{context} that the model reads; {advice}"
                )
        return prompts

    def targets(self, sample: Sample) -> Iterator[Encoded]:
        """One text for each caption, for the answer most people gave, or for the conversation."""
        if sample.turns:
            yield self._conversation(sample.turns)
            return
        prompt = self.prompt(sample)
        answers = sorted(sample.answers, key=lambda answer: (-sample.answers.count(answer), answer))[:1]
        for text in sample.captions or answers:
            yield self._joined([(prompt, False), ([*self._cut(f" {text.strip()}"), self.end_id], True)])

    def text(self, text: str) -> list[int]:
        """A text alone, from its beginning to its end."""
        return [self.begin_id, *self._cut(f" {text.strip()}")[: self.max_length - 2], self.end_id]

    def decode(self, ids: Sequence[int]) -> str:
        """What was written, up to its end."""
        ids = list(ids)
        ids = ids[: ids.index(self.end_id)] if self.end_id in ids else ids
        return self.tokenizer.decode([token for token in ids if token != self.image_id]).strip()

    def _conversation(self, turns: Sequence[tuple[str, str]]) -> Encoded:
        parts: list[tuple[list[int], bool]] = [([self.begin_id], False)]
        for speaker, text in turns:
            parts.append((self._cut(f"{START}{ROLES[speaker]}\n"), False))
            parts.append((self._cut(text + END), speaker == "assistant"))
            parts.append((self._cut("\n"), False))
        return self._joined(parts)

    def _turns(self, turns: Sequence[tuple[str, str]]) -> str:
        told = "".join(f"{START}{ROLES[speaker]}\n{text}{END}\n" for speaker, text in turns)
        return f"{told}{START}{ROLES['assistant']}\n"

    def _joined(self, parts: Sequence[tuple[list[int], bool]]) -> Encoded:
        ids = [token for tokens, _ in parts for token in tokens]
        labels = [token if wanted else NOTHING for tokens, wanted in parts for token in tokens]
        longest = self.max_length + sum(token == self.image_id for token in ids)
        longest -= ids[:longest].count(self.image_id) % max(1, self.marks)  # no part of a picture
        return Encoded(ids[:longest], labels[:longest])

    def _begun(self, text: str) -> list[int]:
        return [self.begin_id, *self._cut(text)]

    def _cut(self, text: str) -> list[int]:
        return self.tokenizer(text.replace(IMAGE, IMAGE * self.marks), add_special_tokens=False)["input_ids"]
