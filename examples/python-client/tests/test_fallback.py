"""Where WebSocket is blocked, and once it is not any more."""

import time
from unittest import mock

from .support import Case, States, messages

WEBSOCKET, EVENTS = b"upgrade: websocket", b"/anywire/sse"


class Fallback(Case):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.link = await self.proxy()
        self.states = States()

    async def behind_the_link(self, **options):
        return await self.client(self.link.url, on_state=self.states, **options)

    async def test_takes_over_in_less_than_three_seconds(self):
        for blocked, transport in (((WEBSOCKET,), "sse"), ((WEBSOCKET, EVENTS), "poll")):
            with self.subTest(transport):
                self.link.blocked = blocked
                began = time.monotonic()
                client = await self.behind_the_link()
                self.assertEqual(client.transport, transport)
                self.assertLess(time.monotonic() - began, 3)

    # A poll is not repeated here, so that the stream is given up.
    @mock.patch("anywire_client.http_transport.TRIES", 1)
    async def test_recovers_like_websocket(self):
        for blocked in ((WEBSOCKET,), (WEBSOCKET, EVENTS)):
            with self.subTest(blocked):
                self.link.blocked = blocked
                name = f"{self.channel()}{len(blocked)}"
                reader, writer = await self.behind_the_link(), await self.client()
                before = reader.id
                room = await reader.subscribe(name)
                await writer.publish(name, 1)
                await messages(room, 1)
                connected = self.states.seen.count("connected")
                waiting = self.states.seen.count("waiting")
                self.link.up = False
                self.link.cut()
                await self.states.until("waiting", waiting + 1)
                for i in (2, 3):
                    await writer.publish(name, i)
                self.link.up = True
                await self.states.until("connected", connected + 1)
                self.assertEqual([m.data for m in await messages(room, 2)], [2, 3])
                self.assertEqual((reader.resumed, reader.id), (True, before))
                await reader.close()

    async def test_goes_back_to_websocket_without_losing_anything(self):
        self.link.blocked = (WEBSOCKET,)
        name = self.channel()
        reader, writer = await self.behind_the_link(upgrade_after=0.05), await self.client()
        room = await reader.subscribe(name)
        before = reader.id
        await writer.publish(name, 1)
        self.link.blocked = ()
        sent = 1
        while reader.transport != "websocket":
            sent += 1
            await writer.publish(name, sent)
        await reader.publish(name, sent + 1)
        got = await messages(room, sent + 1)
        self.assertEqual([m.data for m in got], list(range(1, sent + 2)))
        self.assertEqual((reader.resumed, reader.id), (True, before))

    async def test_a_broken_link_alone_is_no_reason_to_change_the_transport(self):
        client = await self.behind_the_link()
        self.link.up = False
        self.link.cut()
        await self.states.until("waiting")
        self.link.up = True
        await self.states.until("connected", 2)
        self.assertEqual(client.transport, "websocket")

    async def test_a_poll_whose_answer_was_lost_is_made_again(self):
        name = self.channel()
        reader = await self.behind_the_link(transports=("poll",))
        writer = await self.client()
        room = await reader.subscribe(name)
        self.link.mute = True
        await writer.publish(name, 1)
        self.link.cut()
        self.link.mute = False
        self.assertEqual([m.data for m in await messages(room, 1)], [1])
        self.assertEqual(self.states.seen, ["connecting", "connected"])
