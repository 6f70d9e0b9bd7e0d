"""What the children of a worker count is counted once, whatever becomes of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A worker's parent whose children count, one of which is killed; it says what its page shows and how many files it has.
FAMILY = """
import json, os, signal, sys, time
from shared import metrics
sends = metrics.counter("zhike_cups_total", "Cups of tea.", ["kind"])
level = metrics.gauge("zhike_pot_level", "Tea in the pot.")
def child():
    sends.labels("longjing").inc(3)
    level.set(5)
    os.kill(os.getpid(), signal.SIGKILL)
def page():
    lines = metrics.page().decode().splitlines()
    return [line for line in lines if line.startswith(("zhike_cups_total", "zhike_pot_level"))]
seen = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        child()
    os.waitpid(pid, 0)
    seen.append([page(), len(os.listdir(os.environ["PROMETHEUS_MULTIPROC_DIR"]))])
print(json.dumps(seen))
"""


def test_counts_of_killed_children_stay_their_gauges_go_and_their_files_do_not_pile_up(tmp_path):
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", FAMILY], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert [lines for lines, _ in seen] == [[f'zhike_cups_total{{kind="longjing"}} {3.0 * n}'] for n in (1, 2, 3, 4)]
    assert len({files for _, files in seen}) == 1
