"""The real tagger, where NLTK's data is on this machine."""

import pytest

from common.streams import homographs
from common.streams.phonetic import PhoneticAnalyser


@pytest.mark.skipif(homographs.find_tagger()[0] is None, reason="no NLTK tagger data: set NLTK_DATA")
def test_real_tagger_tells_readings_apart():
    keys = PhoneticAnalyser().keys(["I", "refuse", "to", "collect", "the", "refuse", "around", "here", "."])
    assert keys[1] == "refuse#1" and keys[5] == "refuse#2"
