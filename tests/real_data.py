"""Where the tests find real corpora: MULTISTREAM_DATA, else the folder ``data`` of the repository."""

import os
from pathlib import Path

DATA = Path(os.environ.get("MULTISTREAM_DATA") or Path(__file__).parents[1] / "data")
