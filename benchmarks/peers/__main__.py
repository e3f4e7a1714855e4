"""`python benchmarks/peers`: the command, wherever it is started from."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    # A folder that is run puts itself on the path; what is wanted there is the repository.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    sys.exit(importlib.import_module("benchmarks.peers.run").main())
