"""The lower end of a stream of words gives the same vectors whether a text is read at once or word by word."""

from __future__ import annotations

import torch

from common.models.composers import WordComposer
from common.streams.config import StreamConfig


@torch.no_grad()
def test_word_by_word_as_at_once():
    torch.manual_seed(0)
    composer = WordComposer(StreamConfig(kind="phonetic", width=16, layers=1, heads=2), vocabulary=20).double()
    pieces = torch.tensor([[0, 0, 0, 0, 0], [5, 6, 7, 0, 0], [9, 3, 4, 8, 11], [12, 0, 0, 0, 0]])
    index = torch.tensor([[1, 2, 0, 3], [3, 1, 2, 2]])
    whole = composer({"phonetic_pieces": pieces, "phonetic_index": index}, torch.zeros(2, 4, 0))
    assert whole[0, 0].abs().max() > 0 and (whole[0, 2] == 0).all()
    for place in range(4):
        one = composer({"phonetic_pieces": pieces, "phonetic_index": index[:, place : place + 1]}, torch.zeros(2, 1, 0))
        torch.testing.assert_close(one[:, 0], whole[:, place])
