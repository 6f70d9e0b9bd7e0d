"""The Celery app of profile's worker."""

from shared.config import load_settings
from shared.queue import create_worker

app = create_worker(load_settings("profile"))
