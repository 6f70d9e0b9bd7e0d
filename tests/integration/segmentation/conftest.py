"""The small shop of segmentation's tests."""

import pytest

from tests.conftest import Services
from tests.integration.segmentation.shopfront import Shopfront


@pytest.fixture
def shop(services: Services) -> Shopfront:
    """A shop in Shanghai at noon of 30 June 2025, nobody in it yet."""
    return Shopfront(services)
