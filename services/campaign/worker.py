"""The Celery app of the campaign service's worker."""

from services.campaign.channels import outside
from shared.config import load_settings
from shared.queue import create_worker

_settings = load_settings("campaign")
outside.configure(_settings)
app = create_worker(_settings)
