"""The system page: who may see it, what it says while parts are away, and another try for dead letters."""

import re

import orjson
import pytest

from shared import contracts, failures, heartbeat, process, queue


@pytest.fixture(autouse=True)
def _empty(services):
    with services.acting("console"):
        queue.valkey().delete(failures.KEY, heartbeat.KEY, contracts.CONSOLE)  # what other tests have left there


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("operator", 200), ("marketer", 403), ("viewer", 403)])
def test_admins_and_operators_see_the_system_and_nobody_else(browser, person, role, status):
    browser.log_in(person(role))
    assert browser.get("/system").status_code == status
    assert browser.get("/system/now").status_code == status


def test_the_page_says_which_services_do_not_answer_and_shows_the_rest(browser, person, services):
    browser.log_in(person("operator"))
    with services.acting("console"):
        told = {"role": "beat", "instance": "beat.1", "host": "tea", "root_pid": 7, "version": "0.1.0"}
        told |= {"started_at": 1.0, "rss_bytes": 5 << 20, "cpu_share": 0.25, "kind": "beat", "leading": True}
        queue.valkey().hset(heartbeat.KEY, "beat.1", orjson.dumps({**told, "at": 4e9}))
    page = browser.get("/system").get_data(as_text=True)
    for name in ("profile", "segmentation", "recommend", "campaign"):
        assert f"“{name}” does not answer" in page
    assert "beat.1" in page
    assert "5 MB" in page
    assert re.search(r"<td>console</td><td class=\"numeric\">0</td>", page)
    assert 'hx-trigger="every 5s"' in page


def test_failed_tasks_run_again_from_the_page_and_it_is_written_down(browser, person, services):
    browser.log_in(person("operator"))
    with services.acting("console"):
        queue.valkey().delete("segmentation")
        failures.keep(queue.valkey(), "segmentation.refresh_segment", {"segment_id": "7"}, ValueError())
        failures.keep(queue.valkey(), "profile.upkeep", {}, OSError())
        kept = {one.task: one.failure_id for one in failures.newest(queue.valkey())}
    page = browser.get("/system").get_data(as_text=True)
    assert "segmentation.refresh_segment" in page
    browser.post("/system/replay", kind="failed_task", id=kept["segmentation.refresh_segment"])
    with services.acting("console"):
        (message,) = queue.valkey().lrange("segmentation", 0, -1)
        assert orjson.loads(message)["headers"]["task"] == "segmentation.refresh_segment"
        assert [one.task for one in failures.newest(queue.valkey())] == ["profile.upkeep"]
    assert "had failed tasks run again" in browser.get("/audit").get_data(as_text=True)


def test_nothing_chosen_changes_nothing_and_says_so(browser, person):
    browser.log_in(person("admin"))
    browser.get("/system")
    reply = browser.post("/system/replay", kind="failed_task")
    assert reply.headers["Location"].endswith("/system#dead")
    assert "Choose what to try again." in browser.get("/system").get_data(as_text=True)


def test_a_key_reads_the_system_only_as_admin_and_replays_by_the_api(console_api, services):
    assert console_api.as_key("server").get("/v1/system").status_code == 403
    told = console_api.get("/v1/system").get_json()
    assert told["services"]["console"]["queues"]
    assert told["services"]["profile"] is None
    wrong = console_api.post("/v1/system/dead-letters/replay", json={"kind": "failed_task"})
    assert wrong.status_code == 422
    with services.acting("console"):
        failures.keep(queue.valkey(), "profile.upkeep", {}, OSError())
    done = console_api.post("/v1/system/dead-letters/replay", json={"kind": "failed_task", "all": True})
    assert done.get_json() == {"again": 1, "refused": 0, "remaining": 0, "next_cursor": None}


def test_the_version_is_that_of_the_project():
    assert re.fullmatch(r"\d+\.\d+\.\d+", process.version())
