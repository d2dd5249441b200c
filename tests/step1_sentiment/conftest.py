"""One small finished run of step 1, shared by the tests that read it."""

from dataclasses import replace

import pytest

from common.training.config import RuntimeConfig
from step1_sentiment.config import quick
from step1_sentiment.run import run


def tiny(**changes):
    """The quick preset, cut down to a second or two."""
    config = quick()
    streams = tuple(replace(stream, width=16, layers=1, heads=2) for stream in config.streams)
    train = replace(config.train, epochs=1, batch_size=16, precision="fp32", checkpoint_every=2)
    data = replace(config.data, planted_sizes=(96, 40, 40))
    config = replace(config, backbone="tiny-bert", streams=streams, data=data, train=train)
    return replace(config, **changes)


def runtime(folder, **changes):
    return RuntimeConfig(
        runs_dir=str(folder / "runs"), cache_dir=str(folder / "cache"), progress=False, threads=1, **changes
    )


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    return run(tiny(), runtime(tmp_path_factory.mktemp("finished")))
