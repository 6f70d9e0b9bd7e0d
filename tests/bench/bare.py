"""The ceiling of recommend_10k: an empty Flask route, and one exact top 20 over the same factors. Nothing else."""

import os

import numpy as np
from flask import Flask, Response

app = Flask("bare")
_factors = np.load(os.environ["BARE_FACTORS"], mmap_mode="r").view(np.ndarray)
_people = np.random.default_rng(2).standard_normal((256, _factors.shape[1])).astype(np.float32)
_TOP = 20
_ANSWER = b'{"items":[]}'
_turn = iter(range(1 << 62))


@app.post("/top")
def top() -> Response:
    """Score every item for one person, take the best twenty in order; the answer is ready-made."""
    scores = _factors @ _people[next(_turn) % len(_people)]
    best = np.argpartition(scores, -_TOP)[-_TOP:]
    best[np.argsort(-scores[best])]
    return Response(_ANSWER, content_type="application/json")
