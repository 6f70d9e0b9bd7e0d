"""Words for the codes that the services speak in."""

from typing import Final

from flask_babel import lazy_gettext as _

from services.console.domain.passwords import LONGEST, SHORTEST

ROLES: Final = {
    "admin": _("Admin"),
    "operator": _("Operator"),
    "marketer": _("Marketer"),
    "approver": _("Approver"),
    "analyst": _("Analyst"),
    "viewer": _("Viewer"),
}

ROLE_HINTS: Final = {
    "admin": _("Everything, people and their roles included."),
    "operator": _("Keeps the platform running: settings, keys, rejected events, models."),
    "marketer": _("Builds segments, templates and campaigns. Somebody else starts them."),
    "approver": _("Reads campaigns and starts them."),
    "analyst": _("Reads everything but addresses; builds segments."),
    "viewer": _("Reads everything but addresses; changes nothing."),
}

PASSWORD_ERRORS: Final = {
    "password_short": _("A password has at least %(count)s characters.", count=SHORTEST),
    "password_long": _("A password has at most %(count)s characters.", count=LONGEST),
    "password_weak": _("This password is too easy to guess."),
}

KEY_KINDS: Final = {
    "collect": _("Collect: sends events from browsers and apps; may be public"),
    "storefront": _("Storefront: asks for recommendations from the shop's pages"),
    "server": _("Server: the shop's own systems; keep it secret"),
    "admin": _("Admin: everything; keep it very secret"),
}

ACTIONS: Final = {
    "user.log_in": _("logged in"),
    "user.create": _("added a person"),
    "user.role": _("changed a role"),
    "user.disable": _("shut somebody out"),
    "user.enable": _("let somebody in again"),
    "user.reset_password": _("reset a password"),
    "user.change_password": _("changed their password"),
    "key.create": _("made an API key"),
    "key.revoke": _("revoked an API key"),
    "shop.update": _("changed the shop settings"),
    "segment.create": _("created a segment"),
    "segment.update": _("changed a segment"),
    "segment.delete": _("deleted a segment"),
    "template.create": _("created a template"),
    "template.update": _("changed a template"),
    "template.delete": _("deleted a template"),
    "campaign.create": _("created a campaign"),
    "campaign.update": _("changed a campaign"),
    "campaign.delete": _("deleted a campaign"),
    "campaign.schedule": _("scheduled a campaign"),
    "campaign.pause": _("paused a campaign"),
    "campaign.resume": _("resumed a campaign"),
    "campaign.cancel": _("cancelled a campaign"),
    "merge.undo": _("undid a merge"),
    "consent.set": _("changed a consent"),
    "event.replay": _("replayed a rejected event"),
    "model.train": _("started a training"),
    "scores.recompute": _("started a recomputation"),
}

SHOP_ERRORS: Final = {
    "name": _("The shop needs a name of at most 100 characters."),
    "time_zone": _("Choose a time zone from the list, such as Asia/Shanghai."),
    "currency": _("Choose a currency from the list."),
    "locale": _("Choose a language from the list."),
    "region": _("Two capital letters, such as CN."),
    "public_url": _("An address such as https://shop.example, or nothing."),
    "postal_address": _("At most 500 characters."),
    "sender_email": _("This is not a usable e-mail address."),
    "sender_name": _("One line of at most 100 characters."),
    "allow_list": _("One of these is not an e-mail address."),
    "business_clock": _("A day and a time, or nothing."),
}
