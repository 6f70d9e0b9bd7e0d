"""Every name that crosses a service: services, queues, tasks, nudges, published views, scopes.

Nothing here has behaviour. A test holds the code, the deployment files and the database against this page.
"""

from types import MappingProxyType
from typing import Final

SERVICES: Final = ("profile", "segmentation", "recommend", "campaign", "console")

# Celery queues. A queue is consumed by the worker of the service it is named after.
PROFILE: Final = "profile"
PROFILE_APPENDER: Final = "profile.appender"
SEGMENTATION: Final = "segmentation"
SEGMENTATION_BATCH: Final = "segmentation.batch"
RECOMMEND: Final = "recommend"
RECOMMEND_TRAINER: Final = "recommend.trainer"
CAMPAIGN: Final = "campaign"
CAMPAIGN_PREPARER: Final = "campaign.preparer"
CAMPAIGN_SENDER: Final = "campaign.sender"
CONSOLE: Final = "console"

# Task name -> the queue it runs on. What may take minutes shares no queue with what somebody waits for; tidying goes
# where it holds up nobody.
TASKS: Final = MappingProxyType(
    {
        "profile.append_intake": PROFILE_APPENDER,
        "profile.upkeep": PROFILE,
        "segmentation.read_events": SEGMENTATION,
        "segmentation.refresh_segment": SEGMENTATION,
        "segmentation.recompute": SEGMENTATION_BATCH,
        "recommend.read_events": RECOMMEND,
        "recommend.train": RECOMMEND_TRAINER,
        "campaign.read_events": CAMPAIGN,
        "campaign.start_due": CAMPAIGN_PREPARER,
        "campaign.send": CAMPAIGN_SENDER,
        "campaign.publish_outcomes": CAMPAIGN,
        "campaign.upkeep": CAMPAIGN_PREPARER,
        "segmentation.upkeep": SEGMENTATION_BATCH,
        "recommend.upkeep": RECOMMEND_TRAINER,
        "console.upkeep": CONSOLE,
        "console.send_resets": CONSOLE,
    }
)

# A nudge is an announcement; the tasks behind it look at Postgres for what there is to do.
INTAKE_GREW: Final = "intake_grew"
EVENTS_GREW: Final = "events_grew"
NUDGES: Final = MappingProxyType(
    {
        INTAKE_GREW: ("profile.append_intake",),
        EVENTS_GREW: ("segmentation.read_events", "recommend.read_events", "campaign.read_events"),
    }
)

# Published view -> the services that may read it. `zhike migrate` grants exactly these.
PUBLISHED: Final = MappingProxyType(
    {
        "profile_out.events_v1": ("segmentation", "recommend", "campaign"),
        "profile_out.newest_events_v1": ("recommend",),
        "profile_out.identity_map_v1": ("segmentation", "recommend", "campaign"),
        "profile_out.customers_v1": ("segmentation", "recommend", "campaign"),
        "profile_out.consents_v1": ("segmentation", "campaign"),
        "segmentation_out.segments_v1": ("campaign", "recommend"),
        "segmentation_out.memberships_v1": ("campaign", "recommend"),
        "segmentation_out.membership_log_v1": ("campaign",),
        "segmentation_out.features_v1": ("campaign", "recommend"),
        "recommend_out.items_v1": ("segmentation", "campaign"),
        "recommend_out.slots_v1": ("campaign",),
        **{f"{reader}_out.cursors_v1": ("profile",) for reader in ("segmentation", "recommend", "campaign")},
        **{f"{service}_out.audit_v1": ("console",) for service in SERVICES if service != "console"},
        "console_out.api_keys_v1": ("profile", "segmentation", "recommend", "campaign"),
        "console_out.shop_v1": ("profile", "segmentation", "recommend", "campaign"),
    }
)

# API scopes. `require("segments:write")` on a route; a key's kind says which of them it holds.
KEY_SCOPES: Final = MappingProxyType(
    {
        "collect": frozenset({"events:collect"}),
        "storefront": frozenset({"recommendations:read"}),
        "server": frozenset(
            {
                "events:collect",
                "events:import",
                "customers:read",
                "customers:write",
                "consents:write",
                "segments:read",
                "items:read",
                "items:write",
                "recommendations:read",
                "recommendations:batch",
                "slots:read",
                "audiences:read",
                "campaigns:read",
            }
        ),
        "admin": frozenset({"*"}),
    }
)

# Types of log entries that Segment's specification does not know.
MERGE: Final = "merge"
SPLIT: Final = "split"
