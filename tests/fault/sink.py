"""A mail server whose behaviour the harness steers: it can hang, cut, refuse, accept and then die, or be gone.

It writes every message it has received as a whole into the harness's record: from that moment it would deliver it,
whether or not the sender ever hears so.
"""

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from typing import Final

from tests.fault.record import Record

END: Final = b"\r\n.\r\n"
LARGEST: Final = 8 << 20
EXTENSIONS: Final = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 8388608\r\n"
HELD_S: Final = 15.0
_HEADER: Final = re.compile(rb"^(Message-ID|X-Campaign-ID): *<?([^>\r\n]*)", re.IGNORECASE | re.MULTILINE)
_ADDRESS: Final = re.compile(rb"<([^>]*)>")

# Moods: what happens to the next message. Every one of them but the first is a fault.
GOOD, CUT, DIE, LATER, NEVER, HOLD = "good", "cut", "accept and die", "4xx", "5xx", "hold"


class Sink:
    """The server, in a thread with an event loop of its own. `pace_s`: how long it takes over each message."""

    def __init__(self, port: int, record: Record, pace_s: float) -> None:
        self.port, self._record, self._pace_s = port, record, pace_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sink", daemon=True)
        self._server: asyncio.Server | None = None
        self._awake = asyncio.Event()
        self._released = asyncio.Event()
        self._mood, self._left = GOOD, 0
        self._held = threading.Event()
        self._number = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self.held_port = 0  # the other end of the connection whose answer is held
        self.struck = 0  # messages that met a mood other than good

    @property
    def connections(self) -> int:
        """How many senders are connected."""
        return len(self._writers)

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._awake.set()
        self.open()

    def stop(self) -> None:
        """Close everything and end the thread."""
        self.close()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def open(self) -> None:
        """Take connections (again)."""
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def close(self) -> None:
        """Refuse connections and break those there are."""
        asyncio.run_coroutine_threadsafe(self._vanish(), self._loop).result(10)

    def behave(self, mood: str, messages: int) -> None:
        """Treat the next `messages` messages like this, those after them well."""
        self._mood, self._left = mood, messages

    def hasten(self) -> None:
        """Take no time over messages any more."""
        self._pace_s = 0.0

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Say nothing at all, to anybody, until the end of the block; nothing that is under way is lost."""
        self._loop.call_soon_threadsafe(self._awake.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._awake.set)

    @contextlib.contextmanager
    def holding(self) -> Iterator[threading.Event]:
        """Take the next message and keep its answer back until the end of the block (at most HELD_S).

        The event is set once a sender waits for that answer; `held_port` is its end of the connection.
        """
        self._held.clear()
        self._loop.call_soon_threadsafe(self._released.clear)
        self.behave(HOLD, 1)
        try:
            yield self._held
        finally:
            self.behave(GOOD, 0)
            self._loop.call_soon_threadsafe(self._released.set)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._converse, "127.0.0.1", self.port, limit=LARGEST)

    async def _vanish(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _end(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._number += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await _Conversation(self, reader, writer, self._number).hold()
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    def mood_of_next_message(self) -> str:
        """What the message that begins now will meet."""
        if self._left <= 0:
            return GOOD
        self._left -= 1
        self.struck += 1
        return self._mood

    async def awake(self) -> None:
        """Wait while the server hangs."""
        await self._awake.wait()

    async def held(self, port: int) -> None:
        """Wait while an answer is to be held back."""
        self.held_port = port
        self._held.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._released.wait(), HELD_S)

    async def take(self, content: bytes, recipient: str, connection: int, mood: str, port: int) -> int | None:
        """Take responsibility for a message; its number in the record, None when the server dies at this moment."""
        found = {name.lower(): value.decode() for name, value in _HEADER.findall(content.partition(b"\r\n\r\n")[0])}
        number = self._record.accept(
            found.get(b"message-id", ""), recipient, found.get(b"x-campaign-id", ""), connection
        )
        if mood == DIE:
            return None
        if mood == HOLD:
            await self.held(port)
        else:
            await asyncio.sleep(self._pace_s)
        return number

    def answered(self, number: int) -> None:
        """The sender has been told."""
        self._record.answer(number)


class _Conversation:
    """One connection."""

    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._sink, self._reader, self._writer, self._number = sink, reader, writer, number
        self._port: int = writer.get_extra_info("peername")[1]
        self._recipient = ""
        self._mood = GOOD

    async def hold(self) -> None:
        """Talk until one side has enough."""
        await self._say(b"220 sink\r\n")
        while True:
            line = await self._reader.readuntil(b"\r\n")
            verb = line[:4].upper()
            if verb == b"QUIT":
                await self._say(b"221 2.0.0 bye\r\n")
                return
            if verb == b"DATA":
                if not await self._data():
                    return
            elif verb == b"RCPT":
                await self._say(self._envelope(line))
            else:
                await self._say(EXTENSIONS if verb == b"EHLO" else b"250 2.0.0 ok\r\n")

    def _envelope(self, line: bytes) -> bytes:
        self._recipient = ""
        self._mood = self._sink.mood_of_next_message()
        # Half of the refusals fall on the recipient, half on the message.
        early = self._sink.struck % 2 == 0
        if early and self._mood in (LATER, NEVER):
            return b"451 4.3.0 later\r\n" if self._mood == LATER else b"554 5.7.1 not this one\r\n"
        found = _ADDRESS.search(line)
        self._recipient = found[1].decode() if found else ""
        return b"250 2.1.5 ok\r\n"

    async def _data(self) -> bool:
        """One message; False when the connection is to be broken now."""
        if not self._recipient:
            await self._say(b"554 5.5.1 no valid recipients\r\n")
            return True
        await self._say(b"354 go on\r\n")
        if self._mood == CUT:
            await self._reader.read(64)
            return False
        content = await self._reader.readuntil(END)
        if self._mood in (LATER, NEVER):
            await self._say(b"452 4.3.1 later\r\n" if self._mood == LATER else b"554 5.6.0 not this one\r\n")
            return True
        await self._sink.awake()
        number = await self._sink.take(content, self._recipient, self._number, self._mood, self._port)
        if number is None:
            return False
        await self._say(b"250 2.0.0 taken\r\n")
        self._sink.answered(number)
        return True

    async def _say(self, reply: bytes) -> None:
        await self._sink.awake()
        self._writer.write(reply)
        await self._writer.drain()
