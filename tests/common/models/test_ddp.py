"""Two processes train one model: gradients agree, and no parameter is left without one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys, torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from common.integration import IntegrationConfig
from common.models.multi_stream import MultiStreamForSequenceClassification
from common.streams.config import StreamConfig

rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
torch.set_num_threads(1)
streams = [StreamConfig(kind="phonetic", width=8, layers=1, heads=2)]
for rule in ("dm", "li", "gmu", "scalar_mix"):
    torch.manual_seed(0)
    model = MultiStreamForSequenceClassification.from_backbone(
        "tiny-bert", integration=IntegrationConfig(rule=rule), streams=streams, num_labels=3,
        vocabularies={"phonetic": 20},
    )
    parallel = DistributedDataParallel(model)  # raises in the second forward if a parameter got no gradient
    torch.manual_seed(rank)
    for _ in range(2):
        batch = {
            "input_ids": torch.randint(5, 40, (2, 6)), "labels": torch.tensor([0, 2]),
            "phonetic_pieces": torch.randint(3, 20, (4, 3)), "phonetic_index": torch.randint(0, 4, (2, 6)),
        }
        parallel(**batch).loss.backward()
    total = torch.stack([p.grad.double().sum() for p in model.parameters()]).sum().reshape(1)
    both = [torch.empty_like(total) for _ in range(2)]
    dist.all_gather(both, total)
    assert torch.equal(both[0], both[1]), rule
dist.barrier()
# Gloo's threads can outlive the group and abort the interpreter's shutdown; every check is behind us here.
os._exit(0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="gloo's file store needs POSIX")
def test_two_processes_agree_and_use_every_parameter(tmp_path):
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": str(root), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT]
    processes = [
        subprocess.Popen(
            [*command, str(rank), str(tmp_path / "store")], env=environment, cwd=root, stderr=subprocess.PIPE
        )
        for rank in range(2)
    ]
    for process in processes:
        _, error = process.communicate(timeout=240)
        assert process.returncode == 0, error.decode()[-2000:]
