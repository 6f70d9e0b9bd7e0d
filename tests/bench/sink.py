"""An SMTP server that takes everything and keeps nothing, quicker than any sender: `python -m tests.bench.sink PORT`.

It looks for the end of the data and no more: no parsing, no disk.
"""

import asyncio
import sys

GREETING = b"220 sink\r\n"
EXTENSIONS = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 33554432\r\n"
END = b"\r\n.\r\n"
COUNTED = {"mails": 0, "bytes": 0}  # told by NOOP


class Sink(asyncio.Protocol):
    """One connection: commands line by line, then data up to the lone dot."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._held, self._in_data = transport, b"", False
        transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        self._held += data
        answers = []
        while (answer := self._next()) is not None:
            answers.append(answer)
        if answers:
            self._transport.write(b"".join(answers))
        if answers and answers[-1].startswith(b"221"):
            self._transport.close()

    def _next(self) -> bytes | None:
        """Take one command, or one message's data, off what was received; its answer, None when it is not whole."""
        end = self._held.find(END) if self._in_data else self._held.find(b"\r\n")
        if end < 0:
            return None
        if self._in_data:
            COUNTED["mails"] += 1
            COUNTED["bytes"] += end
            self._held, self._in_data = self._held[end + len(END) :], False
            return b"250 2.0.0 taken\r\n"
        line, self._held = self._held[:end].upper(), self._held[end + 2 :]
        if line.startswith(b"DATA"):
            self._in_data = True
            return b"354 go on\r\n"
        if line.startswith(b"EHLO"):
            return EXTENSIONS
        if line.startswith(b"NOOP"):
            return b"250 %d %d\r\n" % (COUNTED["mails"], COUNTED["bytes"])
        return b"221 2.0.0 bye\r\n" if line.startswith(b"QUIT") else b"250 2.0.0 ok\r\n"


async def serve(port: int) -> None:
    """Listen on loopback until killed."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
