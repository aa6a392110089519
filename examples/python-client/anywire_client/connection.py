"""Stays connected: transports in turn, back-off, the close code table, and what happens to
commands when a connection goes."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Mapping

from .codec import Codec, JsonCodec, MessagePackCodec
from .errors import Action, AnywireError, Blocked, CommandError, Disconnected, OutcomeUnknown
from .errors import Stopped, action_for
from .http_transport import EventStreamTransport, LongPollTransport
from .transport import Transport, WebSocketTransport

if TYPE_CHECKING:
    from .client import Client

log = logging.getLogger("anywire")

#: Messages in a frame, and commands that wait for an answer: well below what servers take.
FRAME_MESSAGES_MAX = 64
IN_FLIGHT_MAX = 128
#: Until `connected` says it.
FRAME_BYTES_MAX = 1 << 20
#: After this long a command is not repeated: servers remember idempotency keys for 5 minutes.
REPEAT_SECONDS = 240.0
#: From opening a connection to `connected`, where no other transport is left to try.
CONNECT_SECONDS = 10.0
#: Silence after a `ping` that means the connection is dead.
PONG_SECONDS = 10.0
#: Failures in a row that make a transport that used to work look blocked.
FAILURES_MAX = 3
BACK_OFF_FIRST, BACK_OFF_MAX = 0.25, 20.0

CODECS: dict[str, type[Codec]] = {"json": JsonCodec, "msgpack": MessagePackCodec}

_ids = itertools.count(1)


class Command:
    """A message that waits for its answer.

    With `repeat` it is sent again on the next connection. Without, `future` fails when the
    connection goes while it waits. One that is `internal` ends with its connection: the next one
    begins without what it was about. So does `connect`, whose error somebody wants to see.
    """

    def __init__(
        self,
        message: Mapping[str, Any],
        *,
        repeat: bool = False,
        internal: bool = False,
        connect: bool = False,
        on_reply: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self.id = next(_ids)
        self.message = {**message, "id": self.id}
        self.repeat = repeat
        self.internal = internal
        self.connect = connect
        #: Called before anything that came behind the reply is looked at; `future` is later.
        self.on_reply = on_reply
        self.future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.first_sent: float | None = None

    def answer(self, reply: dict[str, Any]) -> None:
        if self.on_reply is not None:
            self.on_reply(reply)
        if reply["type"] == "error" and not self.internal:
            self.fail(CommandError.from_wire(reply))
        elif not self.future.done():
            self.future.set_result(reply)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # Not a warning: perhaps nobody waits for it any more.


class Link:
    """The client's connection, whichever it is at the moment."""

    def __init__(
        self,
        client: Client,
        url: str,
        codec: str,
        transports: tuple[str, ...],
        fallback_after: float,
        upgrade_after: float,
    ) -> None:
        make: dict[str, Callable[[], Transport]] = {
            "websocket": lambda: WebSocketTransport(url, CODECS[codec]()),
            "sse": lambda: EventStreamTransport(url),
            "poll": lambda: LongPollTransport(url),
        }
        self._make = [make[name] for name in transports]
        self._client = client
        self._fallback_after = fallback_after
        self._upgrade_after = upgrade_after
        self._index = 0
        self._worked: set[int] = set()
        self._upgraded: Transport | None = None
        self.state = "idle"
        self.transport_name: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._first: asyncio.Future[None] | None = None
        self._outbox: deque[Command] = deque()
        self._sent: dict[int, Command] = {}
        self._wake = asyncio.Event()
        self._heard = 0.0
        self._ping_seconds = 25.0
        self._frame_bytes_max = FRAME_BYTES_MAX
        self._stopped: Stopped | None = None

    def check(self) -> None:
        """Raises what a command that is given now would wait for in vain."""
        if self._stopped is not None:
            raise self._stopped
        if self._task is None:
            raise AnywireError("the client was not started: use `async with`, or `connect`")

    async def connected(self) -> None:
        if self._stopped is not None:
            raise self._stopped
        if self._task is None:
            self._first = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._run(), name="anywire link")
        assert self._first is not None
        await asyncio.shield(self._first)

    async def close(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._upgraded is not None:
            await self._upgraded.close()
        self._stop(Stopped(1000, "closed by the application"))

    def put(self, command: Command) -> None:
        if self._stopped is not None:
            command.fail(self._stopped)
            return
        self._outbox.append(command)
        self._wake.set()

    def drop(self, command: Command) -> None:
        """Nobody waits for it any more. If it was sent its id stays taken until it is answered."""
        if command.id not in self._sent and command in self._outbox:
            self._outbox.remove(command)

    # The life of a client: connections, one after the other.

    async def _run(self) -> None:
        failures = 0
        while True:
            transport, was_connected = None, False
            self._set_state("connecting")
            try:
                transport = await self._open(failures)
                was_connected, failures = True, 0
                await self._serve(transport)
                raise AssertionError("unreachable")
            except Disconnected as error:
                end = error
            except AnywireError as error:
                return self._stop(Stopped(4400, str(error)))
            except Exception as error:  # The token provider's, or a defect.
                log.warning("connecting failed: %r", error)
                end = Disconnected(1006, repr(error))
            finally:
                self.transport_name = None
                self._lost()
            failures += 0 if was_connected else 1
            delay = self._after(end, was_connected, failures)
            if delay is None:
                return self._stop(Stopped(end.code, end.reason))
            log.info("disconnected (%s), next attempt in %.2f s", end, delay)
            self._set_state("waiting")
            await asyncio.sleep(delay)

    def _after(self, end: Disconnected, was_connected: bool, failures: int) -> float | None:
        """Seconds to wait before the next attempt, or None to stop."""
        if self._upgraded is not None:
            return 0.0
        action = action_for(end.code)
        if action is Action.STOP:
            return None
        if action in (Action.TOKEN, Action.TOKEN_NOW) and not self._client.token_refused():
            return None
        if isinstance(end, Blocked) and not was_connected:
            used_to_work = self._index in self._worked
            if not used_to_work or failures % FAILURES_MAX == 0:
                self._index = (self._index + 1) % len(self._make)
                if self._index != 0 and not used_to_work:
                    return 0.0
        if action is Action.TOKEN_NOW and (was_connected or failures == 1):
            return 0.0
        return random.uniform(0, min(BACK_OFF_MAX, BACK_OFF_FIRST * 2 ** min(failures, 10)))

    async def _open(self, failures: int) -> Transport:
        transport, self._upgraded = self._upgraded, None
        if transport is not None:
            self._index = 0
        else:
            transport = self._make[self._index]()
        alone = self._index == len(self._make) - 1 or self._index in self._worked
        limit = CONNECT_SECONDS if alone else self._fallback_after
        try:
            commands = await self._client.greeting()
            async with asyncio.timeout(limit):
                await transport.open()
                await self._greet(transport, commands)
        except TimeoutError:
            await transport.close()
            raise Blocked(f"{transport.name}: no answer in {limit} s") from None
        except BaseException:
            await transport.close()
            raise
        self._worked.add(self._index)
        self.transport_name = transport.name
        self._set_state("connected")
        assert self._first is not None
        if not self._first.done():
            self._first.set_result(None)
        return transport

    async def _greet(self, transport: Transport, commands: list[Command]) -> None:
        """Sends `connect` and what fits beside it; reads until it is answered."""
        connect = commands[0]
        self._outbox.extendleft(reversed(commands))
        await transport.send(self._next_frame(transport, len(commands)))
        while not connect.future.done():
            self._handle(await transport.receive())
        try:
            reply = connect.future.result()
        except CommandError as error:
            if error.retry:
                raise Disconnected(1013, str(error)) from error
            raise
        self._ping_seconds = reply["ping"] / 1000
        self._frame_bytes_max = reply["messageBytesMax"]

    async def _serve(self, transport: Transport) -> None:
        """Runs a connection until it ends, which raises `Disconnected`."""
        reader = asyncio.create_task(self._read(transport))
        tasks = [reader, asyncio.create_task(self._write(transport))]
        tasks.append(asyncio.create_task(self._watch()))
        if self._index != 0:
            tasks.append(asyncio.create_task(self._upgrade()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if reader not in done and self._upgraded is None:
                # Sending failed perhaps because of an end whose code is still to be read.
                await asyncio.wait([reader], timeout=0.5)
            first = reader if reader.done() else done.pop()
            first.result()
        finally:
            for task in tasks:
                task.cancel()
            await transport.close()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, transport: Transport) -> None:
        while True:
            self._handle(await transport.receive())

    async def _write(self, transport: Transport) -> None:
        while True:
            self._wake.clear()
            while frame := self._next_frame(transport):
                await transport.send(frame)
            await self._wake.wait()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            silence = loop.time() - self._heard
            if silence < self._ping_seconds:
                await asyncio.sleep(self._ping_seconds - silence)
                continue
            heard = self._heard
            ping = Command({"type": "ping"}, internal=True)
            self.put(ping)
            await asyncio.wait([ping.future], timeout=PONG_SECONDS)
            if self._heard == heard:
                raise Disconnected(1006, "the server is silent")

    async def _upgrade(self) -> None:
        """From a fallback back to the first choice, which may be unblocked by now."""
        while True:
            await asyncio.sleep(self._upgrade_after)
            transport = self._make[0]()
            try:
                async with asyncio.timeout(self._fallback_after):
                    await transport.open()
            except (Disconnected, TimeoutError):
                await transport.close()
                continue
            except BaseException:
                await transport.close()
                raise
            self._upgraded = transport
            raise Disconnected(1000, "changing the transport")

    # Messages.

    def _handle(self, messages: list[dict[str, Any]]) -> None:
        self._heard = asyncio.get_running_loop().time()
        for message in messages:
            number = message.get("id")
            if not isinstance(number, int):
                # A push. The `id` that a `message` may have is its publisher's, and a string.
                self._client.on_push(message)
            elif command := self._sent.pop(number, None):
                command.answer(message)
                self._wake.set()

    def _next_frame(self, transport: Transport, count: int = FRAME_MESSAGES_MAX) -> list[bytes]:
        """Moves commands from the outbox into a frame: as many as it, and the server, takes."""
        parts: list[bytes] = []
        count = min(count, FRAME_MESSAGES_MAX)
        room = self._frame_bytes_max - transport.frame_overhead
        if len(self._sent) + count > IN_FLIGHT_MAX:
            return []  # Until answers have made room for a whole frame.
        while self._outbox and len(parts) < count:
            command = self._outbox[0]
            try:
                part = transport.codec.encode(command.message)
            except (ValueError, TypeError, OverflowError) as error:
                command.fail(error)
                self._outbox.popleft()
                continue
            if len(part) > self._frame_bytes_max - transport.frame_overhead:
                command.fail(CommandError("too_large", "larger than a frame may be"))
                self._outbox.popleft()
                continue
            room -= len(part) + 1
            if room < 0 and parts:
                break
            self._outbox.popleft()
            if command.first_sent is None:
                command.first_sent = time.monotonic()
            self._sent[command.id] = command
            parts.append(part)
        return parts

    def _lost(self) -> None:
        """The connection is gone: sorts out what was sent and not answered."""
        again: list[Command] = []
        for command in [*self._sent.values(), *self._outbox]:
            sent = command.first_sent
            if command.internal or command.connect:
                if not command.future.done():
                    command.future.set_result({})
            elif sent is None or (command.repeat and time.monotonic() - sent < REPEAT_SECONDS):
                if not command.future.done():
                    again.append(command)
            else:
                kind = command.message["type"]
                command.fail(OutcomeUnknown(f"the connection was lost during {kind!r}"))
        self._sent.clear()
        self._outbox = deque(again)

    def _stop(self, error: Stopped) -> None:
        if self._stopped is not None:
            return
        self._stopped = error
        for command in [*self._sent.values(), *self._outbox]:
            command.fail(error)
        self._sent.clear()
        self._outbox.clear()
        if self._first is not None and not self._first.done():
            self._first.set_exception(error)
            self._first.exception()
        self._client.on_stopped(error)
        self._set_state("closed")

    def _set_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._client.on_state(state)
