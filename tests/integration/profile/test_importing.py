"""Imports leave room for what happens now."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import psycopg
import pytest

from services.console.actions import keys
from services.profile.api.collect import IMPORTS_AT_A_TIME
from services.profile.app import create_app
from tests.integration.profile.conftest import track


@pytest.fixture
def headers(database_clone):
    database_clone("console")
    return {"Authorization": f"Bearer {keys.create_key('history', 'server').secret}"}


def test_an_import_beyond_those_at_work_is_told_when_to_come_again_and_a_live_event_is_taken(database_clone, headers):
    settings = database_clone("profile")
    app = create_app(settings)

    def post(path):
        body = {"batch": [track("Product Viewed", "mei")]}
        return app.test_client().post(path, json=body, headers=headers)

    with ThreadPoolExecutor() as pool:
        with psycopg.connect(settings.database_url) as other:
            other.execute("LOCK TABLE profile.intake IN ACCESS EXCLUSIVE MODE")  # every import takes until this ends
            imports = [pool.submit(post, "/v1/import") for _ in range(IMPORTS_AT_A_TIME + 1)]
            (refused,), at_work = wait(imports, timeout=30, return_when=FIRST_COMPLETED)
            live = pool.submit(post, "/v1/batch")
        assert (refused.result().status_code, refused.result().headers["Retry-After"]) == (429, "1")
        assert [one.result().status_code for one in (*at_work, live)] == [200] * (IMPORTS_AT_A_TIME + 1)
    assert post("/v1/import").status_code == 200
