"""Who may do what in the console: one table. A permission is also the scope that siblings are asked with."""

from types import MappingProxyType
from typing import Final

ROLES: Final = ("admin", "operator", "marketer", "approver", "analyst", "viewer")

_LOOK: Final = frozenset(
    {
        *("overview:read", "customers:read", "segments:read", "items:read"),
        *("recommendations:read", "models:read", "slots:read", "campaigns:read"),
    }
)

# What each role holds. Start and resume of a campaign need a second person: marketers prepare, approvers start.
# Pausing and cancelling are safe and open to all three. Addresses of customers are shown in full only where somebody
# works with single customers; the others see them masked.
PERMISSIONS: Final = MappingProxyType(
    {
        "admin": _LOOK
        | {
            "contacts:read",
            "customers:write",
            "consents:write",
            "segments:write",
            "recommendations:batch",
            "audiences:read",
            "slots:write",
            "items:write",
            "campaigns:write",
            "campaigns:start",
            "campaigns:stop",
            "events:read",
            "events:replay",
            "models:train",
            "scores:compute",
            "policy:write",
            "shop:read",
            "shop:write",
            "keys:write",
            "users:write",
            "audit:read",
            "audit:export",
            "system:read",
        },
        "operator": _LOOK
        | {
            "campaigns:stop",
            "events:read",
            "events:replay",
            "models:train",
            "scores:compute",
            "shop:read",
            "shop:write",
            "keys:write",
            "audit:read",
            "system:read",
        },
        "marketer": _LOOK
        | {
            "contacts:read",
            "consents:write",
            "segments:write",
            "recommendations:batch",
            "audiences:read",
            "slots:write",
            "items:write",
            "campaigns:write",
            "campaigns:stop",
            "policy:write",
            "shop:read",
        },
        "approver": _LOOK | {"contacts:read", "campaigns:start", "campaigns:stop", "shop:read"},
        "analyst": _LOOK | {"segments:write", "recommendations:batch", "audiences:read", "events:read"},
        "viewer": _LOOK,
    }
)

ALL: Final = frozenset().union(*PERMISSIONS.values())

# Where a sibling calls it otherwise than we do: it draws no line where we draw one.
_SCOPES: Final = MappingProxyType(
    {
        "campaigns:start": "campaigns:send",
        "policy:write": "campaigns:write",
        "campaigns:stop": "campaigns:send",
        "events:replay": "events:import",
        "scores:compute": "segments:write",
    }
)


def may(role: str, permission: str) -> bool:
    """Whether `role` holds `permission`. Raises KeyError for a permission that no role holds: a typing error."""
    if permission not in ALL:
        raise KeyError(permission)
    return permission in PERMISSIONS.get(role, frozenset())


def key_kinds(role: str) -> tuple[str, ...]:
    """The kinds of API key that `role` may make.

    A key acts by itself: through one that reads and changes everything an operator would be an admin.
    """
    if not may(role, "keys:write"):
        return ()
    return ("collect", "storefront", "server", "admin") if may(role, "users:write") else ("collect", "storefront")


def scopes(role: str) -> frozenset[str]:
    """What siblings are told that somebody of this role may do. The console has checked the finer points before."""
    return frozenset(_SCOPES.get(permission, permission) for permission in PERMISSIONS.get(role, frozenset()))
