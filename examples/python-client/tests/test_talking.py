"""Commands and messages, over every transport and in both encodings."""

import asyncio
from unittest import mock

from anywire_client import AnywireError, Client, CommandError, Gap, HistoryChanged, Stopped
from anywire_client.subscription import State

from .support import Case, messages, token, until

WAYS = {
    "json": {"transports": ("websocket",), "codec": "json"},
    "msgpack": {"transports": ("websocket",), "codec": "msgpack"},
    "sse": {"transports": ("sse",)},
    "poll": {"transports": ("poll",)},
}


class Talking(Case):
    async def test_two_clients_talk(self):
        ann = await self.client(token=token("ann"))
        bob = await self.client(token=token("bob"))
        channel = self.channel()
        room = await ann.subscribe(channel)
        sent = await bob.publish(
            channel, {"text": "hello"}, event="chat", message_id="m1", tags={"lang": "en"}
        )
        (got,) = await messages(room, 1)
        self.assertEqual(got.data, {"text": "hello"})
        self.assertEqual((got.event, got.id, got.tags), ("chat", "m1", {"lang": "en"}))
        self.assertEqual((got.user, got.client), ("bob", bob.id))
        self.assertEqual(got.position, sent.position)
        self.assertFalse(sent.duplicate)

    async def test_every_way_meets_every_other(self):
        channel = self.channel()
        clients = {name: await self.client(**options) for name, options in WAYS.items()}
        rooms = {name: await client.subscribe(channel) for name, client in clients.items()}
        for client in clients.values():
            await client.publish(channel, {"ä": [1, 2.5, None, True, "\u0000"]})
            await client.publish(channel, text="grüße")
            await client.publish(channel, binary=bytes(range(256)))
            await client.publish(channel, None)
        seen = {name: await messages(room, 16) for name, room in rooms.items()}
        for name, got in seen.items():
            with self.subTest(name):
                self.assertEqual(got, seen["json"])
        for i in range(0, 16, 4):
            data, text, raw, null = seen["json"][i : i + 4]
            self.assertEqual(data.data, {"ä": [1, 2.5, None, True, "\u0000"]})
            self.assertEqual((text.text, text.data), ("grüße", None))
            self.assertEqual((raw.binary, raw.data), (bytes(range(256)), None))
            self.assertEqual((null.data, null.text, null.binary), (None, None, None))

    async def test_many_publications_at_once_are_more_than_a_frame_and_stay_in_order(self):
        for name, options in WAYS.items():
            with self.subTest(name):
                client = await self.client(**options)
                channel = self.channel() + name
                room = await client.subscribe(channel)
                done = await asyncio.gather(*(client.publish(channel, i) for i in range(300)))
                self.assertEqual([p.position.offset for p in done], list(range(1, 301)))
                self.assertEqual([m.data for m in await messages(room, 300)], list(range(300)))

    async def test_a_message_as_large_as_a_frame_arrives_and_a_larger_one_is_refused_here(self):
        for name, options in WAYS.items():
            with self.subTest(name):
                client = await self.client(**options)
                channel = self.channel() + name
                room = await client.subscribe(channel)
                await client.publish(channel, text="x" * 1_048_000)
                with self.assertRaises(CommandError) as caught:
                    await client.publish(channel, text="x" * 1_048_600)
                self.assertEqual(caught.exception.code, "too_large")
                (got,) = await messages(room, 1)
                self.assertEqual(len(got.text), 1_048_000)

    async def test_values_an_encoding_cannot_express_are_refused_here(self):
        for name, options in WAYS.items():
            with self.subTest(name):
                client = await self.client(**options)
                for value in (object(), "\ud800"):
                    with self.assertRaises((TypeError, ValueError)):
                        await client.publish("live:x", value)
                await client.ping()

    async def test_own_messages_and_filtered_ones_stay_away(self):
        channel = self.channel()
        ann, bob = await self.client(), await self.client()
        room = await ann.subscribe(channel, own=False, filter={"kind": ["a", "b"]})
        for kind, value in (("a", 1), ("c", 2), ("b", 3), ("d", 4)):
            await ann.publish(channel, -value, tags={"kind": kind})
            last = await bob.publish(channel, value, tags={"kind": kind})
        self.assertEqual([m.data for m in await messages(room, 2)], [1, 3])
        # The cursor gets where the stream is, without a message to move it.
        await bob.publish(channel, 5, tags={"kind": "a"})
        (got,) = await messages(room, 1)
        self.assertEqual((got.data, got.offset), (5, last.position.offset + 1))

    async def test_rewind_begins_with_the_last_messages(self):
        channel = self.channel()
        client = await self.client()
        for i in range(5):
            await client.publish(channel, i)
        room = await client.subscribe(channel, rewind=2)
        self.assertEqual([m.data for m in await messages(room, 2)], [3, 4])

    async def test_since_goes_on_behind_a_position_kept_from_earlier(self):
        channel = self.channel()
        client = await self.client()
        sent = [await client.publish(channel, i) for i in range(5)]
        room = await client.subscribe(channel, since=sent[1].position)
        self.assertEqual([m.data for m in await messages(room, 3)], [2, 3, 4])

    async def test_unsubscribing_ends_the_iteration_and_nothing_comes_after(self):
        channel = self.channel()
        client = await self.client()
        room = await client.subscribe(channel)
        await client.publish(channel, 1)
        await room.unsubscribe()
        await client.publish(channel, 2)
        self.assertEqual([event.data async for event in room], [1])
        again = await client.subscribe(channel)
        self.assertIs(again.state, State.LIVE)

    async def test_patterns_take_each_message_once_and_leave_named_channels_alone(self):
        base = self.channel("live")
        client = await self.client()
        wide = await client.subscribe(pattern=base + "*")
        narrow = await client.subscribe(pattern=base + "/?")
        await client.publish(base + "/1", 1)
        await client.publish(base + "/22", 2)
        named = await client.subscribe(base + "/1")
        await client.publish(base + "/1", 3)
        await named.unsubscribe()
        await client.publish(base + "/1", 4)
        await client.publish(base + "/2", 5)
        self.assertEqual([m.data for m in await messages(wide, 4)], [1, 2, 4, 5])
        self.assertEqual([m.data for m in await messages(narrow, 3)], [1, 4, 5])
        self.assertEqual([event.data async for event in named], [3])

    async def test_patterns_keep_to_their_own_filters(self):
        base = self.channel("live")
        ann, bob = await self.client(), await self.client()
        foreign = await ann.subscribe(pattern=base + "*", own=False)
        tagged = await ann.subscribe(pattern=base + "?", filter={"k": ["a", "b"], "l": ["x"]})
        tags = [{"k": "a", "l": "x"}, {"k": "c", "l": "x"}, {"k": "b"}, {"k": "b", "l": "x"}, {}]
        for i, some in enumerate(tags):
            await ann.publish(base + "1", -i, tags=some)
            await bob.publish(base + "1", i, tags=some)
        self.assertEqual([m.data for m in await messages(foreign, 5)], [0, 1, 2, 3, 4])
        self.assertEqual([m.data for m in await messages(tagged, 4)], [0, 0, -3, 3])

    async def test_numbers_messagepack_has_not_come_as_json_has_them(self):
        name = self.channel("live")
        client = await self.client(codec="msgpack")
        room = await client.subscribe(name)
        late = {"type": "message", "channel": name, "offset": 1, "time": 1}
        client.on_push({**late, "text": "[1e400]", "json": True})
        (got,) = await messages(room, 1)
        self.assertEqual((got.data, got.text), ([float("inf")], None))

    async def test_a_hole_in_the_offsets_is_filled_from_history(self):
        name = self.channel()
        client = await self.client()
        room = await client.subscribe(name)
        await client.publish(name, 1)
        await messages(room, 1)
        # As if 2 and 3 had been lost on the way.
        client.on_push({"type": "message", "channel": name, "offset": 4, "time": 1, "data": 4})
        self.assertIs(room.state, State.MUTED)
        await asyncio.gather(*(client.publish(name, i) for i in (2, 3, 4, 5)))
        self.assertEqual([m.data for m in await messages(room, 4)], [2, 3, 4, 5])

    async def test_what_a_newer_server_may_say_is_ignored(self):
        client = await self.client()
        client.on_push({"type": "weather", "channel": "live:1", "sun": True})
        client.on_push({"type": "presence", "channel": "never:subscribed"})
        await client.ping()

    async def test_an_idempotency_key_publishes_once(self):
        channel = self.channel()
        client = await self.client()
        first = await client.publish(channel, 1, idempotency_key="k")
        again = await client.publish(channel, 1, idempotency_key="k")
        self.assertEqual((again.position, again.duplicate), (first.position, True))
        with self.assertRaises(CommandError) as caught:
            await client.publish(channel, 2, idempotency_key="k")
        self.assertEqual(caught.exception.code, "idempotency_conflict")

    async def test_an_application_that_is_far_behind_gets_everything_from_history(self):
        channel = self.channel()
        client = await self.client()
        with mock.patch("anywire_client.subscription.QUEUE_MAX", 10):
            room = await client.subscribe(channel)
            await asyncio.gather(*(client.publish(channel, i) for i in range(200)))
            self.assertFalse(room.wanted)
            self.assertEqual([m.data for m in await messages(room, 200)], list(range(200)))

    async def test_an_application_that_is_far_behind_a_pattern_is_told_of_the_gap(self):
        channel = self.channel()
        client = await self.client()
        with mock.patch("anywire_client.subscription.QUEUE_MAX", 10):
            rooms = await client.subscribe(pattern=channel + "*")
            for i in range(50):
                await client.publish(channel, i)
            await client.ping()
            got = await messages(rooms, 10)
            self.assertEqual([m.data for m in got], list(range(10)))
            (gap,) = await until(rooms, lambda event: isinstance(event, Gap))
            self.assertEqual((gap.reason, gap.pattern, gap.missed), ("slow", channel + "*", 40))


class History(Case):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.ann = await self.client()
        self.name = self.channel()
        for i in range(1, 26):
            await self.ann.publish(self.name, i)

    async def read(self, **query):
        return [message.data async for message in self.ann.history(self.name, page=4, **query)]

    async def test_is_read_page_by_page_in_both_directions(self):
        self.assertEqual(await self.read(), list(range(1, 26)))
        self.assertEqual(await self.read(order="backward"), list(range(25, 0, -1)))

    async def test_keeps_to_exclusive_offsets(self):
        self.assertEqual(await self.read(after=3, before=20), list(range(4, 20)))
        backward = await self.read(order="backward", after=3, before=20)
        self.assertEqual(backward, list(range(19, 3, -1)))
        self.assertEqual(await self.read(after=25), [])

    async def test_keeps_to_inclusive_times(self):
        page = await self.ann.history_page(self.name)
        times = [message.time for message in page.messages]
        found = await self.read(from_=times[5], to=times[-3])
        self.assertEqual(found, [i for i, t in enumerate(times, 1) if times[5] <= t <= times[-3]])

    async def test_a_page_says_where_history_begins_and_ends(self):
        page = await self.ann.history_page(self.name, limit=5)
        self.assertEqual((page.oldest, page.top, page.more, len(page.messages)), (1, 25, True, 5))
        page = await self.ann.history_page(self.name, after=20)
        self.assertEqual((page.more, len(page.messages)), (False, 5))

    async def test_eviction_between_two_pages_is_not_passed_over(self):
        name = self.channel("brief")
        for i in range(5):
            await self.ann.publish(name, i)
        got = []
        with self.assertRaises(HistoryChanged):
            async for message in self.ann.history(name, page=2):
                got.append(message.data)
                if message.data == 1:
                    for i in range(5, 10):
                        await self.ann.publish(name, i)
        self.assertEqual(got, [0, 1])

    async def test_goes_over_into_a_subscription_without_a_hole(self):
        page = await self.ann.history_page(self.name, order="backward", limit=3)
        await self.ann.publish(self.name, 26)
        room = await self.ann.subscribe(self.name, since=page.messages[0].position)
        await self.ann.publish(self.name, 27)
        self.assertEqual([m.data for m in await messages(room, 2)], [26, 27])


class Refusals(Case):
    async def refused(self, code, awaitable):
        with self.assertRaises(CommandError) as caught:
            await awaitable
        self.assertEqual(caught.exception.code, code)
        self.assertFalse(caught.exception.retry)

    async def test_each_has_its_code_and_the_connection_lives(self):
        for name, options in WAYS.items():
            with self.subTest(name):
                ann = await self.client(token=token(capability={}), **options)
                await self.refused("forbidden", ann.subscribe("private:1"))
                await self.refused("forbidden", ann.publish("private:1", 1))
                await self.refused("forbidden", ann.history_page("private:1"))
                await self.refused("forbidden", ann.enter("private:1"))
                await self.refused("forbidden", ann.subscribe(pattern="*"))
                await self.refused("no_history", ann.history_page("live:1"))
                await self.refused("no_presence", ann.enter("live:1"))
                await self.refused("no_presence", ann.members("live:1"))
                await self.refused("no_presence", ann.subscribe("live:1", presence=True))
                await self.refused("not_present", ann.leave("room:1"))
                await self.refused("bad_channel", ann.subscribe("room:\n"))
                await self.refused("bad_channel", ann.publish("x" * 256, 1))
                await self.refused("bad_message", ann.publish("room:1", 1, text="both"))
                await self.refused("bad_message", ann.history_page("room:1", limit=1001))
                await self.refused("too_large", ann.publish("room:1", 1, event="x" * 256))
                await self.refused("too_large", ann.enter("room:1", "x" * 4097))
                await self.refused("no_handler", ann.rpc("sum", [1, 2]))
                self.assertEqual(ann.state, "connected")
                await ann.publish("room:1", 1)

    async def test_a_channel_is_subscribed_to_once(self):
        ann = await self.client()
        await ann.subscribe("room:1")
        await self.refused("already_subscribed", ann.subscribe("room:1"))

    async def test_no_more_channels_than_a_connection_may_have(self):
        ann = await self.client()
        await asyncio.gather(*(ann.subscribe(f"live:{i}") for i in range(128)))
        await self.refused("too_many_channels", ann.subscribe("live:128"))

    async def test_a_token_that_is_not_accepted_stops_a_client_that_has_no_other(self):
        for name, options in WAYS.items():
            with self.subTest(name), self.assertRaises(Stopped) as caught:
                await self.client(token="not.a.token", **options)
            self.assertEqual(caught.exception.code, 4451)

    async def test_a_client_that_was_closed_says_so(self):
        ann = await self.client()
        await ann.close()
        for asked in (ann.publish("room:1", 1), ann.subscribe("room:1"), ann.connect()):
            with self.assertRaises(Stopped):
                await asked

    async def test_a_client_that_was_not_started_says_so(self):
        ann = Client(self.server.url)
        for asked in (ann.publish("room:1", 1), ann.subscribe("room:1")):
            with self.assertRaises(AnywireError):
                await asked

    async def test_a_subscription_nobody_waits_for_any_more_is_none(self):
        ann = await self.client()
        name = self.channel()
        waiting = asyncio.create_task(ann.subscribe(name))
        await asyncio.sleep(0)
        waiting.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await waiting
        self.assertEqual(ann.subscriptions, [])
        room = await ann.subscribe(name)
        await ann.publish(name, 1)
        await messages(room, 1)

