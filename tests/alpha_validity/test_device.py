"""What α-validity does not run on is refused before anything is written."""

import pytest

from alpha_validity.__main__ import COMMAND


@pytest.mark.parametrize("options", [["--runtime.device", "cuda"], ["--runtime.devices", "2"]])
def test_other_devices_than_one_cpu_are_refused(tmp_path, capsys, options):
    assert COMMAND.main(["--preset", "quick", "--variant", "dm", "--runtime.runs-dir", str(tmp_path), *options]) == 2
    assert "run on one CPU" in capsys.readouterr().err
    assert not list(tmp_path.rglob("config.json"))
