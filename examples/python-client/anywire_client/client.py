"""The client: commands and subscriptions over whatever connection there is at the moment."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import uuid
from typing import Any, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Union

from .connection import Command, Link
from .errors import AnywireError, CommandError, HistoryChanged, Stopped
from .events import HistoryPage, Member, Members, Message, Occupancy, Position, Published
from .subscription import State, Subscription, ended_by_server

log = logging.getLogger("anywire")

TokenProvider = Callable[[], Union[str, None, Awaitable[Union[str, None]]]]

#: "Not given", where None is a value.
UNSET: Any = object()
#: Waiting before a subscription that was refused for the moment is asked for again.
RETRY_SECONDS = 1.0


class Client:
    """Speaks anywire.v1 and stays connected.

        async with Client("ws://localhost:3001", token=provider) as client:
            room = await client.subscribe("room:1")
            await client.publish("room:1", {"text": "hello"})
            async for event in room:
                ...

    `token` is a JWT or a function (plain or async) that gets one; only with a function can the
    client go on when a token ends. `codec` is "json" or "msgpack". `transports` are tried from
    left to right. `session` is another client's, which this one takes over. Everything happens
    on the event loop that entered the context.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | TokenProvider | None = None,
        codec: str = "json",
        transports: Iterable[str] = ("websocket", "sse", "poll"),
        session: str | None = None,
        agent: str = "anywire-python-example/1",
        on_state: Callable[[str], None] | None = None,
        fallback_after: float = 2.0,
        upgrade_after: float = 30.0,
    ) -> None:
        self._provider: TokenProvider | None = token if callable(token) else None
        self._token: str | None = None if callable(token) else token
        self._agent = agent
        self._on_state = on_state
        #: The secret that resumes the session. Keep it in memory only.
        self.session = session
        self._subscriptions: dict[tuple[bool, str], Subscription] = {}
        self._entered: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._link = Link(self, url, codec, tuple(transports), fallback_after, upgrade_after)
        #: Public id of the session; other clients see it in messages and presence.
        self.id: str | None = None
        #: Whom the token speaks for.
        self.user: str | None = None
        #: Whether the last connection took the session before it over.
        self.resumed = False

    async def __aenter__(self) -> Client:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def state(self) -> str:
        """"idle", "connecting", "connected", "waiting" (to reconnect) or "closed"."""
        return self._link.state

    @property
    def transport(self) -> str | None:
        """What the connection there is now runs over: "websocket", "sse" or "poll"."""
        return self._link.transport_name

    @property
    def subscriptions(self) -> list[Subscription]:
        """All there are, with those the token made."""
        return list(self._subscriptions.values())

    @property
    def entered(self) -> list[str]:
        """The channels this client is present in, or will be when it is connected."""
        return list(self._entered)

    async def connect(self) -> None:
        """Starts the client if necessary and waits until it is connected; raises `Stopped`."""
        await self._link.connected()

    async def close(self) -> None:
        """Ends everything; leaves channels entered, so that nobody waits for the grace time."""
        if self.state == "connected" and self._entered:
            leaves = [self.leave(channel) for channel in list(self._entered)]
            try:
                await asyncio.wait_for(asyncio.gather(*leaves, return_exceptions=True), timeout=1)
            except asyncio.TimeoutError:
                pass  # Then the grace time must do.
        for task in self._tasks:
            task.cancel()
        await self._link.close()

    # Channels.

    async def subscribe(
        self,
        channel: str | None = None,
        *,
        pattern: str | None = None,
        since: Position | None = None,
        rewind: int | None = None,
        presence: bool = False,
        occupancy: bool = False,
        own: bool = True,
        filter: Mapping[str, list[str]] | None = None,
    ) -> Subscription:
        """Subscribes to a channel, or to all that match a pattern; raises `CommandError`.

        For a channel the token has subscribed to already, this is that subscription, made anew
        where there are options.
        """
        self._link.check()
        name = channel if channel is not None else pattern
        if name is None or (channel is not None and pattern is not None):
            raise ValueError("either a channel or a pattern")
        key = (pattern is not None, name)
        options: dict[str, Any] = {}
        if rewind is not None:
            options["rewind"] = rewind
        if presence:
            options["presence"] = True
        if occupancy:
            options["occupancy"] = True
        if not own:
            options["own"] = False
        if filter is not None:
            options["filter"] = {tag: list(values) for tag, values in filter.items()}
        subscription = self._subscriptions.get(key)
        if subscription is None:
            subscription = Subscription(self, name, pattern is not None, options)
            subscription.position = since
            self._subscriptions[key] = subscription
        elif not subscription.made_by_token:
            raise CommandError("already_subscribed", "this client is subscribed to it already")
        elif options or since is not None:
            subscription.made_by_token = False
            subscription.renew(options, since)
        else:
            return subscription
        if self.state == "connected":
            self._link.put(self._subscribe_command(subscription))
        try:
            await asyncio.shield(subscription.ready)
        except asyncio.CancelledError:
            self._forget(subscription, None)
            if self.state == "connected":
                self._leave_channel(subscription)
            raise
        return subscription

    async def publish(
        self,
        channel: str,
        data: Any = UNSET,
        *,
        text: str | None = None,
        binary: bytes | None = None,
        event: str | None = None,
        message_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        conflation_key: str | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Publishes once, however often the connection breaks meanwhile.

        Raises `CommandError` when the server refuses, and `OutcomeUnknown` when no answer could
        be had for so long that the server may have forgotten the idempotency key.
        """
        message: dict[str, Any] = {"channel": channel}
        if data is not UNSET:
            message["data"] = data
        optional = {
            "text": text,
            "binary": binary,
            "event": event,
            "messageId": message_id,
            "tags": None if tags is None else dict(tags),
            "conflationKey": conflation_key,
            "idempotencyKey": idempotency_key or uuid.uuid4().hex,
        }
        message.update((name, value) for name, value in optional.items() if value is not None)
        reply = await self._command("publish", message)
        position = Position(reply["epoch"], reply["offset"])
        return Published(position, reply.get("duplicate", False))

    async def history_page(
        self,
        channel: str,
        order: str = "forward",
        after: int | None = None,
        before: int | None = None,
        from_: int | None = None,
        to: int | None = None,
        limit: int | None = None,
        epoch: str | None = None,
    ) -> HistoryPage:
        """One page: exclusive offsets, inclusive times; with `epoch` only of that stream."""
        query = {
            "order": order,
            "after": after,
            "before": before,
            "from": from_,
            "to": to,
            "limit": limit,
            "epoch": epoch,
        }
        wire = {name: value for name, value in query.items() if value is not None}
        try:
            reply = await self._command("history", {"channel": channel, **wire})
        except CommandError as error:
            if error.code == "epoch_changed":
                raise HistoryChanged(f"{channel!r} began anew") from error
            raise
        messages = [Message.from_wire(m, channel, reply["epoch"]) for m in reply["messages"]]
        return HistoryPage(messages, reply["epoch"], reply["top"], reply["oldest"], reply["more"])

    async def history(
        self,
        channel: str,
        *,
        order: str = "forward",
        after: int | None = None,
        before: int | None = None,
        from_: int | None = None,
        to: int | None = None,
        page: int | None = None,
    ) -> AsyncIterator[Message]:
        """All messages between the bounds, page by page; raises `HistoryChanged` rather than
        leave something out."""
        epoch: str | None = None
        last: int | None = None
        while True:
            got = await self.history_page(
                channel, order, after, before, from_, to, page, epoch
            )
            if last is not None and order == "forward" and got.oldest > last + 1:
                raise HistoryChanged(f"{channel!r} has lost messages before {got.oldest}")
            for message in got.messages:
                yield message
            if not got.more or not got.messages:
                return
            epoch, last = got.epoch, got.messages[-1].offset
            if order == "forward":
                after = last
            else:
                before = last

    # Presence.

    async def enter(self, channel: str, info: Any = UNSET) -> None:
        """Makes this session a member, or replaces its info; kept up over reconnects."""
        wire = {"channel": channel} if info is UNSET else {"channel": channel, "info": info}
        await self._command("enter", wire)
        self._entered[channel] = wire

    async def leave(self, channel: str) -> None:
        self._entered.pop(channel, None)
        await self._command("leave", {"channel": channel})

    async def members(self, channel: str) -> Members:
        """Everybody in a channel. Pages of different versions do not belong together; then it
        begins again, which a very busy and very large channel may do for ever."""
        while True:
            members: dict[str, Member] = {}
            first = reply = await self._members_page(channel, None)
            while True:
                page = [Member.from_wire(wire) for wire in reply["members"]]
                members.update((member.client, member) for member in page)
                if not reply["more"] or not page:
                    numbers = (first[name] for name in ("epoch", "version", "count", "users"))
                    return Members(members, *numbers)
                reply = await self._members_page(channel, page[-1].client)
                if (reply["epoch"], reply["version"]) != (first["epoch"], first["version"]):
                    break

    async def occupancy(self, channel: str) -> Occupancy:
        """How many subscribe to a channel."""
        return Occupancy.from_wire(await self._command("occupancy", {"channel": channel}), channel)

    async def _members_page(self, channel: str, after: str | None) -> dict[str, Any]:
        wire = {"channel": channel, "limit": 1000}
        return await self._command("members", wire if after is None else {**wire, "after": after})

    # Other commands.

    async def rpc(self, method: str, data: Any = UNSET) -> Any:
        """Calls the application's method. Not repeated: raises `OutcomeUnknown` if the connection
        is lost between the question and the answer."""
        wire = {"method": method} if data is UNSET else {"method": method, "data": data}
        reply = await self._command("rpc", wire, repeat=False)
        return json.loads(reply["text"]) if reply.get("json") else reply.get("data")

    async def ping(self) -> int:
        """The server's time, in Unix milliseconds."""
        time_ms: int = (await self._command("ping", {}))["time"]
        return time_ms

    async def refresh(self) -> None:
        """Gets another token and shows it to the server; happens by itself before one ends."""
        await self._command("auth", {"token": await self.token(renew=True)}, repeat=False)

    async def _command(
        self, type: str, members: Mapping[str, Any], repeat: bool = True
    ) -> dict[str, Any]:
        self._link.check()
        command = Command({"type": type, **members}, repeat=repeat)
        self._link.put(command)
        try:
            return await command.future
        finally:
            self._link.drop(command)

    # What follows is for `Subscription`.

    async def unsubscribe(self, subscription: Subscription) -> None:
        asked = subscription.asked
        self._forget(subscription, None)
        if asked and self.state == "connected":
            await self._leave_channel(subscription).future

    def resubscribe(self, subscription: Subscription) -> None:
        """Something is missing: leave, and come back with the cursor, in one frame."""
        subscription.state = State.MUTED
        self._leave_channel(subscription)
        self._link.put(self._subscribe_command(subscription))

    def pause(self, subscription: Subscription) -> None:
        """The application does not keep up: what comes now is fetched from history later."""
        subscription.wanted, subscription.state = False, State.MUTED
        self._leave_channel(subscription)

    def _leave_channel(self, subscription: Subscription) -> Command:
        def on_reply(_: Mapping[str, Any]) -> None:
            if not subscription.wanted:
                subscription.state = State.DETACHED

        wire = {"type": "unsubscribe", **subscription.wire_name}
        command = Command(wire, internal=True, on_reply=on_reply)
        self._link.put(command)
        return command

    def resume(self, subscription: Subscription) -> None:
        subscription.wanted = True
        if self.state == "connected":
            self._link.put(self._subscribe_command(subscription))

    def ask_for_members(self, subscription: Subscription) -> None:
        """Once at a time for each list, until it has caught up."""
        self._spawn(self._synchronize(subscription), name=f"members {subscription.channel}")

    async def _synchronize(self, subscription: Subscription) -> None:
        members = subscription.members
        while members is not None and members.stale and subscription.channel is not None:
            try:
                subscription.put_presence(members.reset(await self.members(subscription.channel)))
            except CommandError as error:
                if not error.retry:
                    log.warning("members of %r: %s", subscription.channel, error)
                    return
                await asyncio.sleep(RETRY_SECONDS)

    def _spawn(self, work: Any, name: str) -> None:
        if any(task.get_name() == name for task in self._tasks):
            work.close()
            return
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What follows is for `Link`.

    async def token(self, renew: bool = False) -> str | None:
        if self._provider is not None and (renew or self._token is None):
            got = self._provider()
            self._token = await got if inspect.isawaitable(got) else got
        return self._token

    def token_refused(self) -> bool:
        """Whether another token can be had."""
        if self._provider is not None:
            self._token = None
        return self._provider is not None

    async def greeting(self) -> list[Command]:
        """What a connection begins with: `connect`, and all subscriptions with their cursors."""
        connect: dict[str, Any] = {"type": "connect", "agent": self._agent}
        token = await self.token()
        if token is not None:
            connect["token"] = token
        if self.session is not None:
            connect["session"] = self.session
        commands = [Command(connect, connect=True, on_reply=self._on_connected)]
        for subscription in self._subscriptions.values():
            if subscription.wanted:
                commands.append(self._subscribe_command(subscription))
        return commands

    def on_state(self, state: str) -> None:
        for subscription in self._subscriptions.values():
            if state != "connected":
                subscription.state, subscription.asked = State.DETACHED, False
            elif subscription.wanted and not subscription.asked:
                # It was added after the greeting had been sent.
                self._link.put(self._subscribe_command(subscription))
        if self._on_state is not None:
            self._on_state(state)

    def on_stopped(self, error: Stopped) -> None:
        for subscription in list(self._subscriptions.values()):
            self._forget(subscription, None if error.code == 1000 else error)

    def on_push(self, wire: Mapping[str, Any]) -> None:
        """A message without an id. Types it does not know are a newer server's."""
        kind = wire.get("type")
        if kind == "message":
            self._on_message(wire)
        elif kind == "expiring" and self._provider is not None:
            self._spawn(self._refresh(), name="refresh")
        elif kind == "error":
            log.warning("the server reports %s: %s", wire.get("code"), wire.get("message"))
        elif kind == "subscribed" and "channel" in wire:
            self._on_subscribed_by_token(wire)
        elif kind == "left":
            self._on_left(wire)
        subscription = self._find(wire)
        if subscription is None:
            return
        if kind == "advance":
            subscription.on_advance(wire)
        elif kind == "gap":
            subscription.on_gap(wire)
        elif kind == "presence":
            subscription.on_presence(wire)
        elif kind == "occupancy":
            subscription.on_occupancy(wire)
        elif kind == "unsubscribed":
            self._forget(subscription, ended_by_server(wire))

    def _on_connected(self, reply: Mapping[str, Any]) -> None:
        if reply["type"] != "connected":
            return
        self.id, self.user, self.resumed = reply["client"], reply.get("user"), reply["resumed"]
        self.session = reply["session"]
        if not self.resumed:
            # With a session that was resumed the server sees to it.
            for wire in self._entered.values():
                self._enter_again(wire)

    def _enter_again(self, wire: Mapping[str, Any]) -> None:
        def on_reply(reply: Mapping[str, Any]) -> None:
            if reply["type"] == "error":
                self._on_left({**wire, "message": reply.get("message")})

        self._link.put(Command({"type": "enter", **wire}, internal=True, on_reply=on_reply))

    def _on_left(self, wire: Mapping[str, Any]) -> None:
        self._entered.pop(wire["channel"], None)
        log.warning("not present in %r any more: %s", wire["channel"], wire.get("message"))

    def _on_subscribed_by_token(self, wire: Mapping[str, Any]) -> None:
        subscription = self._find(wire)
        if subscription is None:
            subscription = Subscription(self, wire["channel"], False, {})
            subscription.made_by_token = subscription.asked = True
            self._subscriptions[False, wire["channel"]] = subscription
            subscription.on_subscribed(wire)
        elif not subscription.wanted:
            self.pause(subscription)
        elif not subscription.asked:
            self.resubscribe(subscription)
        # Else the answer to our own `subscribe`, with the cursor, is still to come.

    def _on_message(self, wire: Mapping[str, Any]) -> None:
        subscription = self._subscriptions.get((False, wire["channel"]))
        if subscription is not None and subscription.state is not State.DETACHED:
            return subscription.on_message(wire)
        for subscription in list(self._subscriptions.values()):
            if subscription.matches(wire):
                subscription.on_message(wire)

    def _subscribe_command(self, subscription: Subscription) -> Command:
        request = subscription.request()
        subscription.asked = True

        def on_reply(reply: Mapping[str, Any]) -> None:
            if self._find(subscription.wire_name) is not subscription:
                return
            if reply["type"] == "subscribed":
                subscription.on_subscribed(reply)
                if not subscription.wanted:
                    self.pause(subscription)
                return
            error = CommandError.from_wire(reply)
            if error.code == "not_subscribed":
                pass  # It was left again before it had begun.
            elif error.retry:
                self._spawn(self._retry(subscription), name=f"retry {subscription.wire_name}")
            else:
                self._forget(subscription, error)

        return Command(request, internal=True, on_reply=on_reply)

    async def _retry(self, subscription: Subscription) -> None:
        await asyncio.sleep(RETRY_SECONDS)
        if subscription.state is not State.LIVE and self.state == "connected":
            self._link.put(self._subscribe_command(subscription))

    async def _refresh(self) -> None:
        try:
            await self.refresh()
        except Exception as error:
            # The server closes with 4452 then, which gets another one.
            log.warning("the token could not be refreshed: %s", error)

    def _find(self, wire: Mapping[str, Any]) -> Subscription | None:
        if "pattern" in wire:
            return self._subscriptions.get((True, wire["pattern"]))
        return self._subscriptions.get((False, wire.get("channel", "")))

    def _forget(self, subscription: Subscription, error: AnywireError | None) -> None:
        for key, value in list(self._subscriptions.items()):
            if value is subscription:
                del self._subscriptions[key]
        subscription.end(error)
