"""What the tests stand on: a real server, a link that can be cut, and waiting for events."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest
from typing import Any, Callable
from unittest import mock

from anywire_client import Client, Message, Subscription, connection
from anywire_client.tokens import sign

SECRET = "only-for-tests-only-for-tests-only-for-tests"
TIMEOUT = 10.0

ANYONE = """
subscribe = "anyone"
publish = "anyone"
history_access = "anyone"
presence_access = "anyone"
"""

CONFIG = f"""
[server]
listen = ["127.0.0.1:0"]
loops = 2
[auth]
anonymous = true
hs256_secret = "{SECRET}"
leeway = "0s"
expiry_grace = "0s"
[log]
format = "json"
[[channels]]
pattern = "room:*"
history_messages = 10000
history_bytes_max = "64MiB"
presence = true
presence_grace = "1m"
occupancy = true
{ANYONE}
[[channels]]
pattern = "brief:*"
history_messages = 5
presence = true
presence_grace = "0s"
{ANYONE}
[[channels]]
pattern = "live:*"
{ANYONE}
[[channels]]
pattern = "private:*"
history_messages = 100
presence = true
"""


def binary() -> str:
    path = os.environ.get("ANYWIRE_BIN", "")
    if not os.access(path, os.X_OK):
        raise RuntimeError("ANYWIRE_BIN must name the server's binary")
    return path


class Server:
    """An Anywire server of one's own, on a port of the system's choice."""

    def __init__(self, config: str = CONFIG) -> None:
        self._folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self._folder.name, "anywire.toml")
        path.write_text(config)
        self._command = [binary(), "serve", "--config", str(path)]
        self.start()

    def start(self) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("ANYWIRE_")}
        self._process = subprocess.Popen(
            self._command, stderr=subprocess.PIPE, env=clean, text=True
        )
        assert self._process.stderr is not None
        log = []
        for line in self._process.stderr:
            log.append(line)
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("msg") == "listening":
                self.port = int(event["address"].rpartition(":")[2])
                break
        else:
            raise RuntimeError("the server did not start:\n" + "".join(log))
        # Nobody reads the rest, but somebody must take it.
        self._drain = threading.Thread(target=self._process.stderr.read, daemon=True)
        self._drain.start()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._drain.join()
        self._process.stderr.close()

    def stop(self) -> None:
        self.kill()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/anywire"


class Proxy:
    """A TCP link to a server that can be cut, silenced, and taught to block WebSocket."""

    def __init__(self, port: int) -> None:
        self.target = port
        #: False: connections are closed as soon as they are made.
        self.up = True
        #: True: what the server says is lost.
        self.mute = False
        #: What the first line and headers of a request must not contain.
        self.blocked: tuple[bytes, ...] = ()
        #: Replaced in what the server says; both must have the same length.
        self.rewrite: tuple[bytes, bytes] | None = None
        self._links: set[asyncio.StreamWriter] = set()

    async def start(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 22)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/anywire"
        return self

    def cut(self) -> None:
        """Cuts every link there is, without a word to either side."""
        for writer in list(self._links):
            writer.transport.abort()

    async def stop(self) -> None:
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if any(word in head.lower() for word in self.blocked):
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            if not self.up:
                return
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self.target)
            self._links.add(onward)
            onward.write(head)
            await asyncio.gather(
                self._pump(reader, onward), self._pump(onward_reader, writer, from_server=True)
            )
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._links.discard(writer)
            writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, from_server: bool = False
    ) -> None:
        try:
            while chunk := await reader.read(1 << 16):
                if from_server and self.rewrite is not None:
                    chunk = chunk.replace(*self.rewrite)
                if not (from_server and self.mute):
                    writer.write(chunk)
                    await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            self._links.discard(writer)


class States:
    """Records a client's states, so that a test can wait for the next of a kind."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._changed = asyncio.Event()

    def __call__(self, state: str) -> None:
        self.seen.append(state)
        self._changed.set()

    async def until(self, state: str, count: int = 1) -> None:
        async with asyncio.timeout(TIMEOUT):
            while self.seen.count(state) < count:
                self._changed.clear()
                await self._changed.wait()


class Case(unittest.IsolatedAsyncioTestCase):
    """A server for the class, and clients and links for each test. Nobody waits for long before
    it reconnects."""

    server: Server

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        patch = mock.patch.object(connection, "BACK_OFF_MAX", 0.05)
        patch.start()
        cls.addClassCleanup(patch.stop)

    async def asyncSetUp(self) -> None:
        asyncio.get_running_loop().set_debug(False)  # It slows down, and tells of slow steps.

    async def client(self, url: str | None = None, **options: Any) -> Client:
        client = Client(url or self.server.url, **options)
        self.addAsyncCleanup(client.close)
        async with asyncio.timeout(TIMEOUT):
            await client.connect()
        return client

    async def proxy(self) -> Proxy:
        proxy = await Proxy(self.server.port).start()
        self.addAsyncCleanup(proxy.stop)
        return proxy

    def channel(self, prefix: str = "room") -> str:
        """A channel nobody else has."""
        return f"{prefix}:{self.id()}"


def token(user: str = "ann", lifetime: float = 3600, **claims: Any) -> str:
    claims.setdefault("capability", {"*": ["*"]})
    return sign(SECRET, sub=user, lifetime=lifetime, **claims)


async def until(subscription: Subscription, test: Callable[[Any], bool]) -> list[Any]:
    """Events up to and including the first that passes."""
    events: list[Any] = []
    async with asyncio.timeout(TIMEOUT):
        async for event in subscription:
            events.append(event)
            if test(event):
                return events
    raise AssertionError(f"the subscription ended after {events}")


async def messages(subscription: Subscription, count: int) -> list[Message]:
    """The next events, all of which must be messages."""
    got: list[Message] = []
    async with asyncio.timeout(TIMEOUT):
        while len(got) < count:
            event = await subscription.__anext__()
            if not isinstance(event, Message):
                raise AssertionError(f"not a message: {event}")
            got.append(event)
    return got
