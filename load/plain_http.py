"""Ask an HTTP server over connections that are kept, as cheaply as Python can."""

import asyncio
from typing import NamedTuple, Self


class Answer(NamedTuple):
    """What a request was answered."""

    status: int
    body: bytes


class Connection:
    """One connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self._writer, self._head = reader, writer, b""

    @classmethod
    async def to(cls, port: int, secret: str) -> Self:
        """Return a connection to this port of loopback, which asks with this API key."""
        made = cls(*await asyncio.open_connection("127.0.0.1", port))
        made._head = f" HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {secret}\r\n".encode()
        return made

    async def ask(self, method: bytes, path: str, body: bytes = b"") -> Answer:
        """Return the answer to one request."""
        self.send(method, path, body)
        status, length = await self.head()
        return Answer(status, await self.reader.readexactly(length))

    def send(self, method: bytes, path: str, body: bytes = b"") -> None:
        """Send a request whose answer is read piece by piece."""
        length = f"content-length: {len(body)}\r\n\r\n".encode()
        self._writer.write(method + b" " + path.encode() + self._head + length + body)

    async def head(self) -> tuple[int, int]:
        """Return the status of an answer, and the bytes of its body (0 if it does not say)."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        _, said, found = head.partition(b"content-length:")
        length = int(found.partition(b"\r\n")[0]) if said else 0
        return int(head[9:12]), length

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()
