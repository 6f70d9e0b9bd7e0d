"""Recommend: WHAT the customer may want. The catalogue, models, ranking in real time."""

import os

# Before numpy is loaded: web workers and the trainer share the machine with each other, and implicit threads by itself.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
