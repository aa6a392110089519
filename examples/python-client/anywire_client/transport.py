"""What carries frames: the interface, and WebSocket. The fallbacks are in `http_transport`."""

from __future__ import annotations

import asyncio
from typing import Protocol, Sequence
from urllib.parse import urlsplit, urlunsplit

import websockets.exceptions
from websockets.legacy.client import WebSocketClientProtocol, connect
from websockets.typing import Subprotocol

from .codec import Codec, Wire
from .errors import Blocked, Disconnected

#: HTTP statuses that say "not now" instead of "not this way".
BUSY_STATUSES = (429, 503)


class Transport(Protocol):
    """One connection, from `open` to the first `Disconnected` that any method raises.

    `send` and `receive` may run at the same time, but each only once. All may be cancelled;
    afterwards nothing but `close` is allowed.
    """

    name: str
    codec: Codec
    #: What the transport adds to a frame's messages, at most.
    frame_overhead: int

    async def open(self) -> None:
        """Raises `Blocked` when another transport may fare better than this one."""

    async def send(self, parts: Sequence[bytes]) -> None:
        """Sends encoded messages as one frame."""

    async def receive(self) -> list[Wire]:
        """The next messages; an empty list says only that the server lives."""

    async def close(self) -> None:
        """Ends the connection; never raises, may be called at any time."""


def with_scheme(url: str, websocket: bool) -> str:
    """The server's URL for WebSocket or for plain HTTP; the path is `/anywire` if it has none."""
    parts = urlsplit(url)
    secure = parts.scheme in ("https", "wss")
    scheme = ("ws" if websocket else "http") + ("s" if secure else "")
    path = parts.path.rstrip("/") or "/anywire"
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))


class WebSocketTransport:
    name = "websocket"
    frame_overhead = 16

    def __init__(self, url: str, codec: Codec) -> None:
        self.codec = codec
        self._url = with_scheme(url, websocket=True)
        self._socket: WebSocketClientProtocol | None = None

    async def open(self) -> None:
        subprotocol = Subprotocol(self.codec.subprotocol)
        try:
            # `ping` of anywire.v1 watches over the connection, and the server's frames (a page of
            # history, say) may be larger than those it takes.
            self._socket = await connect(
                self._url,
                subprotocols=[subprotocol],
                ping_interval=None,
                max_size=None,
                open_timeout=None,
                close_timeout=1,
            )
        except websockets.exceptions.InvalidStatusCode as error:
            if error.status_code in BUSY_STATUSES:
                raise Disconnected(1013, str(error)) from error
            raise Blocked(str(error)) from error
        except (websockets.exceptions.InvalidHandshake, ConnectionResetError) as error:
            raise Blocked(str(error)) from error
        except OSError as error:
            raise Disconnected(1006, str(error)) from error
        if self._socket.subprotocol != subprotocol:
            raise Blocked("the server does not speak " + self.codec.subprotocol)

    async def send(self, parts: Sequence[bytes]) -> None:
        assert self._socket is not None
        try:
            await self._socket.send(self.codec.frame(parts))
        except websockets.exceptions.ConnectionClosed as error:
            raise _disconnected(error) from error

    async def receive(self) -> list[Wire]:
        assert self._socket is not None
        try:
            return self.codec.decode(await self._socket.recv())
        except websockets.exceptions.ConnectionClosed as error:
            raise _disconnected(error) from error
        except ValueError as error:
            raise Disconnected(1006, f"the server sent no messages: {error}") from error

    async def close(self) -> None:
        if self._socket is not None:
            try:
                await asyncio.wait_for(self._socket.close(), timeout=1)
            except (asyncio.TimeoutError, OSError):
                self._socket.transport.abort()


def _disconnected(error: websockets.exceptions.ConnectionClosed) -> Disconnected:
    if error.rcvd is None:
        return Disconnected(1006, "the link broke")
    return Disconnected(error.rcvd.code, error.rcvd.reason)
