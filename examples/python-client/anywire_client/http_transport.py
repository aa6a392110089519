"""The same protocol where WebSocket is blocked: Server-Sent Events and long-polling
(docs/protocol.md, section 9).

Requests are made with `http.client`, which blocks, so each transport has two threads: one reads
the stream, one sends. Closing shuts their sockets down, which ends whatever they wait for.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Sequence, TypeVar
from urllib.parse import urlsplit

from .codec import Codec, JsonCodec, Wire
from .errors import Blocked, Disconnected
from .transport import BUSY_STATUSES, with_scheme

T = TypeVar("T")

#: Longer than any silence of a healthy stream: 15 s for events, 25 s for polls.
READ_TIMEOUT = 40.0
#: A connection that rested longer may be closed by the server just when it is used again.
REUSE_SECONDS = 5.0
NEVER = float("-inf")
#: Repetitions of a poll that got no answer, and of a request the server had no room for.
TRIES = 5


class _Line:
    """One connection for one request at a time. Its methods block, except `abort`, and run on
    the transport's threads with `lock` held."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        assert parts.hostname is not None
        self._connection = kind(parts.hostname, parts.port, timeout=READ_TIMEOUT)
        self._socket: socket.socket | None = None
        self._response: http.client.HTTPResponse | None = None
        self._used = NEVER
        self._path = parts.path
        self._aborted = False
        self.lock = threading.Lock()

    def request(
        self, method: str, verb: str, body: bytes | None = None
    ) -> http.client.HTTPResponse:
        if time.monotonic() - self._used > REUSE_SECONDS:
            self._connection.close()
            self._connection.connect()
            # The connection forgets its socket when an answer is to end with it.
            self._socket = self._connection.sock
        if self._aborted:
            raise ConnectionAbortedError
        self._used = NEVER  # Until all of the answer is there.
        headers = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, f"{self._path}/{verb}", body, headers)
        self._response = self._connection.getresponse()
        return self._response

    def post(self, verb: str, body: bytes) -> tuple[int, Any, float]:
        """Status, decoded body or None, and the seconds of `Retry-After`."""
        response = self.request("POST", verb, body)
        content = response.read()
        if not response.will_close:
            self._used = time.monotonic()
        try:
            value = json.loads(content) if content else None
        except ValueError:
            value = None
        delay = response.getheader("Retry-After", "1")
        return response.status, value, float(delay) if delay.isdigit() else 1.0

    def abort(self) -> None:
        """From any thread: ends the request under way and all later ones with an OSError."""
        self._aborted = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # It was not connected any more.

    def close(self) -> None:
        self._connection.close()
        if self._response is not None:
            self._response.close()
        if self._socket is not None:
            self._socket.close()


def _locked(line: _Line, function: Callable[..., T], *arguments: Any) -> T:
    with line.lock:
        return function(*arguments)


class _HttpTransport:
    """What both have in common: the stream's id, sending, and closing."""

    name = ""
    frame_overhead = 256

    def __init__(self, url: str) -> None:
        self.codec: Codec = JsonCodec()
        address = with_scheme(url, websocket=False)
        self._down, self._up = _Line(address), _Line(address)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="anywire-" + self.name)
        self._stream: str | None = None

    async def open(self) -> None:
        pass

    async def send(self, parts: Sequence[bytes]) -> None:
        head = b'{"stream":%s,"messages":[' % json.dumps(self._stream).encode()
        await self._post(self._up, "send", head + b",".join(parts) + b"]}")

    async def close(self) -> None:
        for line in (self._down, self._up):
            line.abort()
            self._threads.submit(_locked, line, line.close)
        self._threads.shutdown(wait=False)

    async def _post(self, line: _Line, verb: str, body: bytes) -> Any:
        for _ in range(TRIES):
            status, value, delay = await self._blocking(line, line.post, verb, body)
            if status in (200, 204):
                return value
            if status != 503:
                break
            await asyncio.sleep(delay)
        reason = value.get("message", "") if isinstance(value, dict) else f"HTTP status {status}"
        if status in (400, 415):
            raise Disconnected(4400, reason)
        if status == 413:
            raise Disconnected(1009, reason)
        if status in BUSY_STATUSES:
            raise Disconnected(1013, reason)
        if status == 404 and self._stream is not None:
            raise Disconnected(1006, reason)
        raise Blocked(reason)

    async def _blocking(self, line: _Line, function: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, _locked, line, function, *arguments)
        except ConnectionRefusedError as error:
            raise Disconnected(1006, str(error)) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Blocked(f"{self.name}: {error}") from error


class EventStreamTransport(_HttpTransport):
    name = "sse"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._response: http.client.HTTPResponse | None = None

    async def open(self) -> None:
        self._response = await self._blocking(self._down, self._down.request, "GET", "sse")
        if self._response.status in BUSY_STATUSES:
            raise Disconnected(1013, f"HTTP status {self._response.status}")
        kind = self._response.getheader("Content-Type", "")
        if self._response.status != 200 or not kind.startswith("text/event-stream"):
            raise Blocked(f"HTTP status {self._response.status}, {kind}")
        event, data = await self._blocking(self._down, self._event)
        if event != "open":
            raise Blocked("the event stream does not begin with its id")
        self._stream = json.loads(data)["stream"]

    async def receive(self) -> list[Wire]:
        event, data = await self._blocking(self._down, self._event)
        if event == "close":
            raise _ended(json.loads(data))
        # Events with other names are a newer server's.
        return _decoded(self.codec, data) if event == "" and data else []

    def _event(self) -> tuple[str, str]:
        """Blocks until the next event (name, data), or until a comment, which is ("", "")."""
        assert self._response is not None
        event, data = "", []
        while line := self._response.readline():
            field, _, value = line.decode().rstrip("\r\n").partition(":")
            if field == "event":
                event = value.removeprefix(" ")
            elif field == "data":
                data.append(value.removeprefix(" "))
            elif field == "" and (data or line.startswith(b":")):
                return event, "\n".join(data)
        raise ConnectionResetError("the event stream broke")


def _decoded(codec: Codec, data: str) -> list[Wire]:
    try:
        return codec.decode(data)
    except ValueError as error:
        raise Disconnected(1006, f"the server sent no messages: {error}") from error


def _ended(close: dict[str, Any]) -> Disconnected:
    return Disconnected(close["code"], close.get("reason", ""))


class LongPollTransport(_HttpTransport):
    name = "poll"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._ack = 0
        self._first: list[Wire] = []
        self._end: Disconnected | None = None

    async def send(self, parts: Sequence[bytes]) -> None:
        if self._stream is not None:
            return await super().send(parts)
        # The first frame opens the stream.
        body = b'{"messages":[' + b",".join(parts) + b"]}"
        answer = await self._post(self._down, "poll", body)
        self._stream = answer["stream"]
        self._first = self._take(answer)

    async def receive(self) -> list[Wire]:
        if self._first:
            first, self._first = self._first, []
            return first
        if self._end is not None:
            raise self._end
        body = json.dumps({"stream": self._stream, "ack": self._ack}).encode()
        for attempt in range(1, TRIES + 1):
            try:
                return self._take(await self._post(self._down, "poll", body))
            except Blocked:
                # No answer came. The server gives it again until `ack` names it.
                if attempt == TRIES:
                    raise
                await asyncio.sleep(0.1 * 2**attempt)
        raise AssertionError("unreachable")

    def _take(self, answer: dict[str, Any]) -> list[Wire]:
        self._ack = answer["seq"]
        messages: list[Wire] = answer["messages"]
        if "close" in answer:
            # What came with the end is handled before it.
            self._end = _ended(answer["close"])
        return messages
