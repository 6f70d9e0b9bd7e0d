"""What this process knows of the world outside: the mail server, the DKIM key, the address its links point to."""

from dataclasses import dataclass
from pathlib import Path

from environs import Env

from services.campaign.channels import Channel, ChannelDown
from services.campaign.channels.email import EmailChannel
from services.campaign.channels.smtp import SmtpConnection, parse_url
from services.campaign.domain.dkim import DkimError, Signer, load_signer
from shared.config import Settings
from shared.shop import Shop


@dataclass
class _Outside:
    smtp_url: str = ""
    public_url: str = ""
    signer: Signer | None = None


_outside = _Outside()


def configure(settings: Settings) -> None:
    """Read once, in app.py and worker.py. Raises DkimError for a key that cannot sign."""
    _outside.smtp_url, _outside.public_url = settings.smtp_url, settings.public_url
    _outside.signer = _signer(Env())


def open_channel(name: str, shop: Shop) -> Channel:
    """The channel `name`, speaking for the shop, not yet connected. Raises ChannelDown where set-up is incomplete."""
    if name != "email":
        raise ChannelDown(f"there is no channel {name!r}")
    if not shop.sender_email:
        raise ChannelDown("the shop's settings name no sender address")
    if not _outside.smtp_url:
        raise ChannelDown("no mail server is set up (SMTP_URL)")
    connection = SmtpConnection(parse_url(_outside.smtp_url))
    return EmailChannel(connection, shop.sender_email, shop.sender_name or shop.name, _outside.signer)


def public_url(shop: Shop) -> str:
    """Where the links in messages lead: the shop's public address, else this installation's."""
    return (shop.public_url or _outside.public_url).rstrip("/")


def _signer(env: Env) -> Signer | None:
    path = env.str("ZHIKE_DKIM_KEY_FILE", "")
    if not path:
        return None
    domain, selector = env.str("ZHIKE_DKIM_DOMAIN", ""), env.str("ZHIKE_DKIM_SELECTOR", "zhike")
    if not domain:
        raise DkimError("ZHIKE_DKIM_KEY_FILE needs ZHIKE_DKIM_DOMAIN beside it")
    return load_signer(Path(path).read_bytes(), domain, selector)
