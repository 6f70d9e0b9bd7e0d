"""The Celery app of recommend's worker."""

from services.recommend.artifacts import models as artifacts
from shared.config import load_settings
from shared.queue import create_worker

_settings = load_settings("recommend")
artifacts.configure(_settings.artifacts_url)
app = create_worker(_settings)
