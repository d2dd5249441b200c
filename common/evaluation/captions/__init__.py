"""Evaluation of captions: the tokeniser and the metrics of the COCO caption evaluation, without Java."""

from common.evaluation.captions.scores import CaptionScores, caption_scores, human_agreement
from common.evaluation.captions.tokenizer import ptb_tokenize

__all__ = ["CaptionScores", "caption_scores", "human_agreement", "ptb_tokenize"]
