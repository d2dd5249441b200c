"""The planted settings of texts: whole, in steps of a tenth, and understood by step 1."""

import os
import subprocess
import sys

import pytest

from alpha_validity.texts import main, options, text_settings
from common.data.planted import planted_parts
from common.data.text import DataConfig
from step1_sentiment.__main__ import COMMAND

PAIR = text_settings(("phonetic", "morphological"))


def test_settings_are_whole_and_go_in_steps_of_a_tenth():
    # Three streams: 66 divisions of ten tenths, and three pairs and a triple of either kind.
    assert len(text_settings()) == 66 + 4 + 4 and len(PAIR) == 11 + 1 + 1
    for shares in text_settings().values():
        assert sum(share for _, share in shares) == pytest.approx(1)
        assert planted_parts(DataConfig(planted_shares=shares))
    assert sorted({dict(shares).get("phonetic", 0.0) for shares in PAIR.values()}) == [k / 10 for k in range(11)]


@pytest.mark.parametrize("name", PAIR)
def test_step_1_reads_the_options(name):
    config, _ = COMMAND.parse("quick", "dm", options(PAIR[name]).split())
    assert config.data.name == "planted" and config.data.planted_shares == PAIR[name]


def test_they_are_printed_a_line_each_and_other_streams_are_refused(capsys):
    assert main(["phonetic", "morphological"]) == 0
    assert capsys.readouterr().out.splitlines() == [options(shares) for shares in PAIR.values()]
    assert main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(text_settings())
    for wrong in (["phonetic", "smell"], ["phonetic", "phonetic"]):
        with pytest.raises(SystemExit):
            main(wrong)
        assert "at most once" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error():
    """As ``| head -1``: the reading end is closed before anything is written."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "alpha_validity.texts"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
