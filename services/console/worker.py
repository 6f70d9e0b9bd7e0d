"""The Celery app of the console's worker."""

from services.console.channels import mail
from shared.config import load_settings
from shared.queue import create_worker

_settings = load_settings("console")
mail.configure(_settings)
app = create_worker(_settings)
