"""Who may do what."""

import pytest

from services.console.domain.permissions import ALL, PERMISSIONS, ROLES, key_kinds, may, scopes
from shared import contracts

CHANGES = {"write", "start", "stop", "replay", "train", "compute", "batch"}


def test_there_is_a_line_for_every_role():
    assert set(PERMISSIONS) == set(ROLES)


def test_an_admin_may_do_everything():
    assert PERMISSIONS["admin"] == ALL


def test_a_viewer_changes_nothing():
    assert {permission.split(":")[1] for permission in PERMISSIONS["viewer"]} & CHANGES == set()


def test_only_an_admin_decides_who_may_enter():
    assert [role for role in ROLES if may(role, "users:write")] == ["admin"]


def test_who_drafts_a_campaign_does_not_start_it():
    drafting_and_starting = [role for role in ROLES if may(role, "campaigns:write") and may(role, "campaigns:start")]
    assert drafting_and_starting == ["admin"]


def test_whoever_drafts_or_starts_or_runs_the_platform_can_stop_a_campaign():
    assert [role for role in ROLES if may(role, "campaigns:stop")] == ["admin", "operator", "marketer", "approver"]


def test_an_operator_runs_the_platform():
    duties = {"system:read", "audit:read", "keys:write", "shop:write", "campaigns:stop", "events:read", "events:replay"}
    assert duties | {"models:train", "scores:compute"} <= PERMISSIONS["operator"]
    assert [role for role in ROLES if may(role, "system:read")] == ["admin", "operator"]


def test_an_operator_does_nothing_of_what_a_marketer_does():
    shared = PERMISSIONS["operator"] & PERMISSIONS["marketer"]
    assert {permission for permission in shared if not permission.endswith(":read")} == {"campaigns:stop"}
    assert not may("operator", "contacts:read")
    assert "campaigns:write" not in scopes("operator")


def test_addresses_are_for_those_who_work_with_single_customers():
    assert [role for role in ROLES if may(role, "contacts:read")] == ["admin", "marketer", "approver"]


def test_a_permission_nobody_has_is_a_typing_error():
    with pytest.raises(KeyError):
        may("admin", "campaign:write")


def test_a_role_that_is_none_may_nothing():
    assert not may("root", "overview:read")
    assert scopes("root") == frozenset()


def test_a_sibling_is_told_its_own_scope_where_it_draws_no_line():
    assert "campaigns:send" in scopes("approver")
    assert "campaigns:send" not in scopes("analyst")
    assert "campaigns:write" not in scopes("approver")


def test_nobody_makes_a_key_that_may_more_than_they_do():
    assert set(key_kinds("admin")) == set(contracts.KEY_SCOPES)
    assert key_kinds("operator") == ("collect", "storefront")
    assert {key_kinds(role) for role in ROLES if role not in ("admin", "operator")} == {()}
