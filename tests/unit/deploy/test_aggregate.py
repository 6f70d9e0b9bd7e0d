"""One page for Prometheus out of many: nothing mixed up, nobody missing without being named."""

from prometheus_client.parser import text_string_to_metric_families

from deploy.aggregate import Target, merge

TASKS = """\
# HELP zhike_tasks_total Tasks ended.
# TYPE zhike_tasks_total counter
zhike_tasks_total{task="profile.append_intake",outcome="done"} 7.0
# HELP zhike_nudges_lost_total Nudges.
# TYPE zhike_nudges_lost_total counter
zhike_nudges_lost_total 2.0
"""
FIRST = Target("profile-worker", "profile-worker.1", "127.0.0.1", 1)
SECOND = Target("profile-worker", "profile-worker.2", "127.0.0.1", 2)
FROZEN = Target("campaign-worker", "campaign-worker.1", "127.0.0.1", 3)


def read(page):
    return {
        (sample.name, sample.labels["instance"]): (sample.value, sample.labels)
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_each_sample_says_which_process_of_which_role_it_is_from():
    found = read(merge({FIRST: TASKS.encode(), SECOND: TASKS.replace("7.0", "9.0").encode()}))
    assert found["zhike_tasks_total", "profile-worker.1"][0] == 7
    value, labels = found["zhike_tasks_total", "profile-worker.2"]
    assert value == 9
    assert labels["role"] == "profile-worker"
    assert labels["task"] == "profile.append_intake"
    assert found["zhike_nudges_lost_total", "profile-worker.1"][0] == 2


def test_a_metric_of_many_processes_is_announced_once_and_stands_together():
    page = merge({FIRST: TASKS.encode(), SECOND: TASKS.encode()}).decode()
    assert page.count("# TYPE zhike_tasks_total counter") == 1
    lines = [line.startswith("zhike_tasks_total") for line in page.splitlines()]
    assert "".join("x" if mine else "." for mine in lines).strip(".") == "xx"


def test_a_process_that_does_not_answer_is_told_as_down():
    found = read(merge({FIRST: TASKS.encode(), FROZEN: None}))
    assert found["zhike_role_up", "profile-worker.1"][0] == 1
    assert found["zhike_role_up", "campaign-worker.1"][0] == 0
