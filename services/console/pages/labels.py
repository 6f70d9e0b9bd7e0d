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
    "events_kept_days": _("A number of days from 90 to 36500, or nothing."),
}

LIFECYCLE: Final = {
    "new": _("New"),
    "active": _("Active"),
    "cooling": _("Cooling"),
    "at_risk": _("At risk"),
    "lost": _("Lost"),
    "won_back": _("Won back"),
}

LIFECYCLE_HINTS: Final = {
    "new": _("Has ordered on one day so far, not long ago."),
    "active": _("Orders in their usual rhythm."),
    "cooling": _("Silent for longer than four in five of such pauses."),
    "at_risk": _("Silent for longer than nearly all such pauses."),
    "lost": _("Silent for more than twice as long as nearly all such pauses."),
    "won_back": _("Was lost, and has come back."),
}

RFM: Final = {
    "champions": _("Champions"),
    "loyal": _("Loyal"),
    "potential_loyal": _("Potential loyalists"),
    "new": _("New"),
    "promising": _("Promising"),
    "needs_attention": _("Needs attention"),
    "about_to_sleep": _("About to sleep"),
    "at_risk": _("At risk"),
    "cannot_lose": _("Cannot lose"),
    "hibernating": _("Hibernating"),
    "lost": _("Lost"),
}

CAMPAIGN: Final = {
    "draft": _("Draft"),
    "scheduled": _("Scheduled"),
    "preparing": _("Being prepared"),
    "sending": _("Sending"),
    "paused": _("Paused"),
    "sent": _("Sent"),
    "cancelled": _("Cancelled"),
}

PURPOSES: Final = {
    "promotional": _("Promotional: only to those who agreed; caps and quiet hours hold"),
    "transactional": _("Transactional: about an order or an account"),
}

SEND: Final = {
    "pending": _("Waiting"),
    "handing_over": _("Being handed over"),
    "sent": _("Sent"),
    "failed": _("Refused by the mail server"),
    "uncertain": _("Uncertain: interrupted, not sent again"),
    "holdout": _("Held out (control group)"),
    "suppressed": _("Suppressed"),
    "no_consent": _("Has not agreed"),
    "no_address": _("No usable address"),
    "duplicate_address": _("Address already used in this campaign"),
    "capped": _("Frequency cap reached"),
    "not_allowed": _("Not on the allow-list"),
    "merged": _("Merged into another customer"),
    "erased": _("Customer is gone"),
    "cancelled": _("Cancelled"),
    "expired": _("Not sent in time"),
}

CHANNELS: Final = {
    "email": _("E-mail"),
    "sms": _("Text message"),
    "push": _("Push message"),
    "wechat": _("WeChat"),
}

CONSENT_PURPOSES: Final = {"marketing": _("Marketing")}

IDENTITY_KINDS: Final = {
    "user_id": _("User id"),
    "anonymous_id": _("Browser or device"),
    "email": _("E-mail address"),
    "phone": _("Telephone number"),
    "wechat_openid": _("WeChat openid"),
    "wechat_unionid": _("WeChat unionid"),
}

OUTCOMES: Final = {
    "delivered": _("delivered"),
    "opened": _("opened"),
    "clicked": _("clicked"),
    "bounced": _("came back"),
    "complained": _("marked as spam"),
    "unsubscribed": _("unsubscribed"),
}

JOBS: Final = {
    "training": _("Training of the model"),
    "recompute": _("Computation of everybody"),
    "campaign_run": _("Campaign"),
}

JOB_STATES: Final = {
    "queued": _("waiting"),
    "running": _("running"),
    "paused": _("paused"),
    "done": _("done"),
    "failed": _("failed"),
}
