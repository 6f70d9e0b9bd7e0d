"""An SMTP server that delivers nothing: every message it accepts becomes one .eml file. On loopback only."""

import asyncio
import signal
from pathlib import Path
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.process import LOOPBACK
from deploy.ready import announce_ready
from shared.ids import uuid7

SENDER_HEADER: Final = "X-Envelope-From"
RECIPIENT_HEADER: Final = "X-Envelope-To"
LARGEST_BYTES: Final = 32 << 20


class FolderHandler:
    """Writes messages into a folder; a file that is there is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by aiosmtpd for each message; returns the SMTP reply."""
        content = envelope.content or b""
        body = content if isinstance(content, bytes) else content.encode()
        head = "".join(
            f"{name}: {value}\r\n"
            for name, value in [
                (SENDER_HEADER, envelope.mail_from or "<>"),
                *((RECIPIENT_HEADER, recipient) for recipient in envelope.rcpt_tos),
            ]
        )
        name = uuid7().hex
        building = self._folder / f"{name}.part"
        building.write_bytes(head.encode() + body)
        building.rename(self._folder / f"{name}.eml")
        return f"250 2.0.0 kept as {name}.eml"


def run(port: int, folder: Path) -> None:
    """Catch mail on a loopback port until SIGTERM."""
    asyncio.run(_serve(port, FolderHandler(folder)))


async def _serve(port: int, handler: Any) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    def session() -> SMTP:
        return SMTP(handler, data_size_limit=LARGEST_BYTES, enable_SMTPUTF8=True)

    server = await loop.create_server(session, LOOPBACK, port)
    async with server:
        announce_ready()
        await ended.wait()
