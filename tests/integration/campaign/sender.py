"""A sending worker as a process of its own, to be killed, frozen, or run beside others."""

import os
import subprocess
import sys
from pathlib import Path

from shared.config import Settings

ROOT = Path(__file__).resolve().parents[3]
_WORK = """
from services.campaign.channels import outside
from shared import client, crypto, database, queue
from shared.config import load_settings
settings = load_settings("campaign")
crypto.configure(settings)
database.configure(settings.database_url, settings.service, settings.pool_size)
queue.configure(settings)
client.configure(settings)
outside.configure(settings)
from services.campaign.actions import sending
print("ready", flush=True)
print(sending.send_due(60), flush=True)
"""


def start(settings: Settings) -> subprocess.Popen[str]:
    """Start one and wait until it is about to send."""
    environment = {
        **{key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")},
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "ZHIKE_SECRET_KEY": settings.secret_key,
        "ZHIKE_DATA_KEY": settings.data_key,
        "ZHIKE_PUBLIC_URL": settings.public_url,
        "SMTP_URL": settings.smtp_url,
        **{f"{name.upper()}_URL": url for name, url in settings.service_urls.items()},
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _WORK], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen[str]) -> int:
    """Wait for one to end by itself; how many messages it handed over."""
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return int(output.split()[-1])
