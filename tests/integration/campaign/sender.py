"""Processes of their own: a sending worker to be killed, frozen, or run beside others; a sibling's API."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from shared.config import Settings

ROOT = Path(__file__).resolve().parents[3]
_WORK = """
from services.campaign.channels import outside
from shared.config import load_settings
from shared.queue import create_worker
settings = load_settings("campaign")
create_worker(settings)
outside.configure(settings)
from services.campaign.actions import sending
print("ready", flush=True)
print(sending.send_due(60), flush=True)
"""


def start(settings: Settings) -> subprocess.Popen[str]:
    """Start one and wait until it is about to send."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WORK], cwd=ROOT, env=_environment(settings), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """The API of the service of `settings`, where the others look for it."""
    port = urlsplit(settings.service_urls[settings.service]).port
    work = f"""
from services.{settings.service}.app import create_app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", {port}, create_app(), threaded=True)
print("ready", flush=True)
server.serve_forever()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", work], cwd=ROOT, env=_environment(settings), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


def _environment(settings: Settings) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")},
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "ZHIKE_SECRET_KEY": settings.secret_key,
        "ZHIKE_DATA_KEY": settings.data_key,
        "ZHIKE_PUBLIC_URL": settings.public_url,
        "SMTP_URL": settings.smtp_url,
        "ZHIKE_LOG_LEVEL": "critical",
        **{f"{name.upper()}_URL": url for name, url in settings.service_urls.items()},
    }


def finish(process: subprocess.Popen[str]) -> int:
    """Wait for one to end by itself; how many messages it handed over."""
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return int(output.split()[-1])
