"""What happens when the link breaks, the server restarts, or somebody else takes over."""

import asyncio
from unittest import mock

from anywire_client import Gap, OutcomeUnknown, Position, Stopped
from anywire_client import connection as connection_module

from .support import Case, Server, States, messages, token, until

ENCODINGS = ("json", "msgpack")
WAYS = (("websocket", "json"), ("websocket", "msgpack"), ("sse", "json"), ("poll", "json"))


class Recovery(Case):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.link = await self.proxy()
        self.states = States()

    async def behind_the_link(self, **options):
        return await self.client(self.link.url, on_state=self.states, **options)

    async def away(self, client):
        """Cuts the link and keeps it down."""
        self.link.up = False
        count = self.states.seen.count("waiting")
        self.link.cut()
        await self.states.until("waiting", count + 1)
        self.assertNotEqual(client.state, "connected")

    def back(self):
        self.link.up = True

    async def test_nothing_is_lost_or_doubled_over_many_cuts(self):
        for transport, codec in WAYS:
            with self.subTest(transport, codec=codec):
                name = self.channel() + transport + codec
                reader = await self.behind_the_link(transports=(transport,), codec=codec)
                room = await reader.subscribe(name)
                writer = await self.client()
                for burst in range(5):
                    for i in range(burst * 40, burst * 40 + 40):
                        if i % 40 == 20:
                            self.link.cut()
                        await writer.publish(name, i)
                    await until(room_of := _Seen(room), lambda event: event.data == i)
                    self.assertEqual([m.data for m in room_of.events], list(range(i - 39, i + 1)))
                await reader.close()

    async def test_publications_get_through_a_link_that_keeps_breaking_each_once(self):
        for transport, codec in WAYS:
            with self.subTest(transport, codec=codec):
                name = self.channel() + transport + codec
                writer = await self.behind_the_link(transports=(transport,), codec=codec)
                room = await (await self.client()).subscribe(name)
                tasks = []
                for i in range(100):
                    tasks.append(asyncio.create_task(writer.publish(name, i)))
                    if i % 25 == 24:
                        await tasks[i - 10]
                        self.link.cut()
                done = await asyncio.gather(*tasks)
                got = await messages(room, 100)
                # Those cut off may arrive after later ones; each arrives once, where it says.
                self.assertEqual(sorted(m.data for m in got), list(range(100)))
                self.assertEqual([done[m.data].position for m in got], [m.position for m in got])
                await writer.close()

    async def test_a_publication_whose_answer_was_lost_is_not_published_again(self):
        name = self.channel()
        writer = await self.behind_the_link()
        room = await (await self.client()).subscribe(name)
        self.link.mute = True
        sent = asyncio.create_task(writer.publish(name, 1))
        (first,) = await messages(room, 1)
        self.link.mute = False
        self.link.cut()
        answer = await sent
        self.assertEqual((answer.position, answer.duplicate), (first.position, True))
        await writer.publish(name, 2)
        self.assertEqual([m.data for m in await messages(room, 1)], [2])

    async def test_a_call_whose_answer_was_lost_is_not_repeated(self):
        client = await self.behind_the_link()
        self.link.mute = True
        call = asyncio.create_task(client.rpc("sum", [1]))
        await asyncio.sleep(0)
        self.link.cut()
        self.link.mute = False
        with self.assertRaises(OutcomeUnknown):
            await call

    async def test_what_is_asked_for_while_away_is_done_after_coming_back(self):
        name = self.channel()
        client = await self.behind_the_link()
        await self.away(client)
        room = asyncio.create_task(client.subscribe(name))
        sent = asyncio.create_task(client.publish(name, 1))
        entered = asyncio.create_task(client.enter(name))
        await asyncio.sleep(0)
        self.back()
        await asyncio.gather(room, sent, entered)
        self.assertEqual(sent.result().position.offset, 1)

    async def test_evicted_messages_are_told_of_and_the_rest_follows(self):
        for codec in ENCODINGS:
            with self.subTest(codec):
                name = self.channel("brief") + codec
                reader = await self.behind_the_link(codec=codec)
                room = await reader.subscribe(name)
                writer = await self.client()
                await writer.publish(name, 1)
                (first,) = await messages(room, 1)
                await self.away(reader)
                for i in range(2, 21):
                    await writer.publish(name, i)
                self.back()
                events = await until(room, lambda event: getattr(event, "data", 0) == 20)
                gap, rest = events[0], events[1:]
                epoch = first.epoch
                self.assertEqual(
                    gap, Gap("evicted", name, None, 2, 15, position=Position(epoch, 15))
                )
                self.assertEqual([m.data for m in rest], [16, 17, 18, 19, 20])
                await reader.close()

    async def test_a_channel_without_history_tells_of_what_was_missed(self):
        name = self.channel("live")
        reader, writer = await self.behind_the_link(), await self.client()
        room = await reader.subscribe(name)
        self.assertFalse(room.recoverable)
        await writer.publish(name, 1)
        await messages(room, 1)
        await self.away(reader)
        await writer.publish(name, 2)
        self.back()
        (gap,) = await until(room, lambda event: True)
        await writer.publish(name, 3)  # Sooner it could be one of those missed.
        (message,) = await messages(room, 1)
        self.assertEqual((gap.reason, gap.first, gap.last), ("evicted", 2, 2))
        self.assertEqual((message.data, message.offset), (3, 3))

    async def test_a_pattern_tells_that_it_was_away(self):
        name = self.channel("live")
        reader, writer = await self.behind_the_link(), await self.client()
        rooms = await reader.subscribe(pattern=name + "*")
        await self.away(reader)
        self.back()
        (gap,) = await until(rooms, lambda event: True)
        self.assertEqual((gap.reason, gap.pattern), ("disconnected", name + "*"))
        await writer.publish(name, 1)  # Sooner it could be one of those missed.
        (message,) = await messages(rooms, 1)
        self.assertEqual(message.data, 1)

    async def test_what_filters_leave_out_is_not_fetched_again(self):
        name = self.channel()
        reader, writer = await self.behind_the_link(), await self.client()
        room = await reader.subscribe(name, filter={"k": ["yes"]})
        for i in range(10):
            last = await writer.publish(name, i, tags={"k": "yes" if i < 3 else "no"})
        self.assertEqual([m.data for m in await messages(room, 3)], [0, 1, 2])
        async with asyncio.timeout(10):
            while room.position != last.position:
                await reader.ping()  # An `advance` is on its way.
        await self.away(reader)
        await writer.publish(name, 10, tags={"k": "yes"})
        self.back()
        self.assertEqual([m.data for m in await messages(room, 1)], [10])

    async def test_a_hundred_channels_are_recovered(self):
        reader, writer = await self.behind_the_link(), await self.client()
        names = [f"{self.channel()}/{i}" for i in range(100)]
        rooms = await asyncio.gather(*(reader.subscribe(name) for name in names))
        await self.away(reader)
        await asyncio.gather(*(writer.publish(name, name) for name in names))
        self.back()
        for name, room in zip(names, rooms):
            self.assertEqual([m.data for m in await messages(room, 1)], [name])

    async def test_a_session_is_resumed_with_its_id_and_presence(self):
        name = self.channel()
        ann = await self.behind_the_link(token=token("ann"))
        watcher = await (await self.client()).subscribe(name, presence=True)
        await ann.enter(name, {"n": 1})
        await until(watcher, lambda event: event.joined)
        before = ann.id
        await self.away(ann)
        self.back()
        await self.states.until("connected", 2)
        self.assertTrue(ann.resumed)
        self.assertEqual(ann.id, before)
        await ann.enter(name, {"n": 2})
        (event,) = await until(watcher, lambda event: True)
        self.assertEqual((event.joined, event.left, len(event.updated)), ((), (), 1))

    async def test_a_silent_server_is_taken_for_dead(self):
        # So that silence is noticed within the test's patience. Compressed frames could not be
        # rewritten, hence not WebSocket.
        self.link.rewrite = (b'"ping":25000', b'"ping":   20')
        with mock.patch.object(connection_module, "PONG_SECONDS", 0.3):
            client = await self.behind_the_link(transports=("sse",))
            self.link.mute = True
            await self.states.until("waiting")
            self.link.mute = False
            self.link.rewrite = None
            await self.states.until("connected", 2)
        self.assertTrue(client.resumed)

    async def test_a_server_that_answers_is_not(self):
        self.link.rewrite = (b'"ping":25000', b'"ping":   20')
        answered, enough = [], asyncio.Event()

        def answer(command, reply):
            answered.append(reply["type"])
            if answered.count("pong") == 5:
                enough.set()
            original(command, reply)

        original = connection_module.Command.answer
        with mock.patch.object(connection_module.Command, "answer", answer):
            await self.behind_the_link(transports=("sse",))
            await asyncio.wait_for(enough.wait(), 10)
        self.assertEqual(self.states.seen, ["connecting", "connected"])


class Takeover(Case):
    async def test_the_old_connection_stops_with_4409(self):
        for transport, codec in WAYS:
            with self.subTest(transport, codec=codec):
                options = {"transports": (transport,), "codec": codec, "token": token("ann")}
                old = await self.client(**options)
                room = await old.subscribe(self.channel() + transport + codec)
                new = await self.client(**options, session=old.session)
                self.assertTrue(new.resumed)
                self.assertEqual(new.id, old.id)
                with self.assertRaises(Stopped) as caught:
                    await until(room, lambda event: False)
                self.assertEqual(caught.exception.code, 4409)
                self.assertEqual((old.state, new.state), ("closed", "connected"))

    async def test_somebody_elses_session_is_not_resumed(self):
        ann = await self.client(token=token("ann"))
        bob = await self.client(token=token("bob"), session=ann.session)
        self.assertFalse(bob.resumed)
        self.assertNotEqual(bob.id, ann.id)
        self.assertEqual(await ann.ping() > 0, ann.state == "connected")


class Restart(Case):
    async def test_everything_goes_on_after_a_restart_and_the_new_epoch_is_told_of(self):
        server = Server()
        self.addCleanup(server.stop)
        link = await self.proxy()
        link.target = server.port
        for codec in ENCODINGS:
            with self.subTest(codec):
                states = States()
                ann = await self.client(link.url, on_state=states, codec=codec, token=token())
                room = await ann.subscribe("room:1", presence=True)
                await ann.enter("room:1")
                await until(room, lambda event: getattr(event, "joined", ()))
                for i in (1, 2, 3):
                    await ann.publish("room:1", i)
                before = (await until(room, lambda event: getattr(event, "data", 0) == 3))[-1]
                server.kill()
                await states.until("waiting")
                sent = asyncio.create_task(ann.publish("room:1", "after"))
                server.start()
                link.target = server.port
                answer = await sent
                self.assertNotEqual(answer.position.epoch, before.epoch)
                self.assertFalse(ann.resumed)
                events = await until(room, lambda event: getattr(event, "data", 0) == "after")
                gaps = [event for event in events if isinstance(event, Gap)]
                self.assertEqual([gap.reason for gap in gaps], ["epoch"])
                self.assertEqual((gaps[0].first, gaps[0].last), (before.offset + 1, 0))
                self.assertEqual(events[-1].position, answer.position)
                # It has entered again, without being asked to.
                if ann.id not in room.members:
                    await until(room, lambda event: ann.id in room.members)
                await ann.close()


class _Seen:
    """A subscription that keeps what it gave."""

    def __init__(self, subscription):
        self.events = []
        self._subscription = subscription

    def __aiter__(self):
        return self

    async def __anext__(self):
        event = await self._subscription.__anext__()
        self.events.append(event)
        return event
