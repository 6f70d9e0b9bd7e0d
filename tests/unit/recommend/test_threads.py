"""Native threads are pinned: processes share the machine with each other."""

import json
import os
import subprocess
import sys

from deploy.environment import NATIVE_THREADS

_TELL = """
import json, services.recommend.app
from services.recommend.domain import again, folding, model
from threadpoolctl import threadpool_info
print(json.dumps([(found["user_api"], found["num_threads"]) for found in threadpool_info()]))
"""


def test_linear_algebra_has_one_thread_where_recommend_is_loaded_whatever_the_machine_has():
    environment = {name: value for name, value in os.environ.items() if name not in NATIVE_THREADS}
    told = subprocess.run(
        [sys.executable, "-c", _TELL], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    blas = [threads for kind, threads in json.loads(told.stdout) if kind == "blas"]
    assert blas
    assert set(blas) == {1}
