"""How many of each role run, and who takes which queue then."""

import pytest

from deploy import topology
from deploy.topology import TopologyError, queues_of, scales
from shared import contracts


def test_each_role_scales_by_itself():
    running = scales({"campaign-worker": 3, "recommend-api": 2})
    assert running["campaign-worker"] == 3
    assert running["recommend-api"] == 2
    assert running["profile-worker"] == topology.role("profile-worker").scale


def test_an_unknown_role_is_refused_with_the_names_there_are():
    with pytest.raises(TopologyError, match=r"no role 'campain-worker'.*campaign-worker"):
        scales({"campain-worker": 2})


def test_a_second_beat_is_refused():
    with pytest.raises(TopologyError, match="beat can run 0 to 1 times"):
        scales({"beat": 2})


def test_a_queue_is_never_left_without_a_consumer():
    with pytest.raises(TopologyError, match="nobody would consume recommend:"):
        scales({"recommend-worker": 0})


def test_without_a_trainer_of_its_own_recommends_worker_trains():
    running = scales({"recommend-trainer": 0})
    assert queues_of("recommend-worker", running) == (contracts.RECOMMEND, contracts.RECOMMEND_TRAINER)


def test_a_dedicated_sender_frees_the_campaign_worker_of_sending():
    running = scales({"campaign-sender": 2})
    assert queues_of("campaign-worker", running) == (contracts.CAMPAIGN,)
    assert queues_of("campaign-sender", running) == (contracts.CAMPAIGN_SENDER,)


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/batch", "profile"),
        ("/v1/customers/0197/events", "profile"),
        ("/v1/segments/preview", "segmentation"),
        ("/v1/recommendations/batch", "recommend"),
        ("/e/u/token", "campaign"),
        ("/v1/customersx", "console"),
        ("/e", "campaign"),
        ("/events", "console"),
    ],
)
def test_a_path_leads_to_the_service_that_owns_its_first_part(path, service):
    assert topology.service_of(path) == service
