"""What holds for every test: one thread, whose results have the same bits in every run."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
