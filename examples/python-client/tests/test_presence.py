"""Who is there: lists kept by clients must end as the truth, whatever order things happened in."""

import asyncio
import random
import unittest

from anywire_client import CommandError, Member, MemberList, Occupancy
from anywire_client.events import Members

from .support import Case, States, token, until


class Presence(Case):
    async def test_members_come_change_and_go(self):
        name = self.channel()
        ann, bob = await self.client(token=token("ann")), await self.client(token=token("bob"))
        room = await ann.subscribe(name, presence=True)
        await bob.enter(name, {"mood": 1})
        event = (await until(room, lambda event: event.joined))[-1]
        self.assertEqual(event.joined, (Member(bob.id, "bob", {"mood": 1}),))
        self.assertEqual((event.count, event.users), (1, 1))
        await bob.enter(name, {"mood": 2})
        event = (await until(room, lambda event: event.updated))[-1]
        self.assertEqual(event.updated, (Member(bob.id, "bob", {"mood": 2}),))
        self.assertEqual(dict(room.members), {bob.id: Member(bob.id, "bob", {"mood": 2})})
        await bob.leave(name)
        event = (await until(room, lambda event: event.left))[-1]
        self.assertEqual([member.client for member in event.left], [bob.id])
        self.assertEqual((len(room.members), room.members.count), (0, 0))

    async def test_a_client_that_closes_leaves_at_once(self):
        name = self.channel()  # With a grace time longer than the test's patience.
        ann, bob = await self.client(), await self.client()
        room = await ann.subscribe(name, presence=True)
        await bob.enter(name)
        await until(room, lambda event: event.joined)
        await bob.close()
        await until(room, lambda event: event.left)

    async def test_the_same_user_as_another_client_replaces_the_one_before(self):
        name = self.channel()
        watcher = await (await self.client()).subscribe(name, presence=True)
        link = await self.proxy()
        first = await self.client(link.url, token=token("ann"))
        await first.enter(name)
        await until(watcher, lambda event: event.joined)
        link.up = False
        link.cut()
        second = await self.client(token=token("ann"))
        await second.enter(name)
        event = (await until(watcher, lambda event: event.joined))[-1]
        self.assertEqual([m.client for m in event.joined], [second.id])
        self.assertEqual([m.client for m in event.left], [first.id])

    async def test_tells_how_many_listen(self):
        name = self.channel()
        ann, bob = await self.client(), await self.client()
        room = await ann.subscribe(name, occupancy=True)
        await bob.subscribe(name)
        await bob.enter(name)
        await until(room, lambda event: event == Occupancy(name, 2, 1, 0))
        self.assertEqual(await ann.occupancy(name), Occupancy(name, 2, 1, 0))
        with self.assertRaises(CommandError) as caught:
            await ann.occupancy("live:1")
        self.assertEqual(caught.exception.code, "no_occupancy")

    async def test_members_are_read_over_several_pages(self):
        name = self.channel()
        clients = await asyncio.gather(*(self.client() for _ in range(12)))
        await asyncio.gather(*(client.enter(name, i) for i, client in enumerate(clients)))
        room = await clients[0].subscribe(name, presence=True)
        await until(room, lambda event: event.count == 12)
        page = clients[0]._members_page

        async def small_page(channel, after):
            wire = {"channel": channel, "limit": 5}
            if after is not None:
                wire["after"] = after
            return await clients[0]._command("members", wire)

        clients[0]._members_page = small_page
        small = await clients[0].members(name)
        clients[0]._members_page = page
        self.assertEqual(small, await clients[0].members(name))
        expected = {client.id: i for i, client in enumerate(clients)}
        self.assertEqual({m.client: m.info for m in small.members.values()}, expected)

    async def test_all_lists_converge_after_many_joins_and_leaves(self):
        seed = random.randrange(1 << 30)
        rng = random.Random(seed)
        name = self.channel("brief")
        states, link = States(), await self.proxy()
        ways = [{"codec": "json"}, {"codec": "msgpack"}, {"transports": ("poll",)}]
        watchers = [await self.client(**way) for way in ways]
        watchers.append(await self.client(link.url, on_state=states))
        rooms = [await watcher.subscribe(name, presence=True) for watcher in watchers]
        clients = await asyncio.gather(*(self.client() for _ in range(20)))
        inside = {}
        for step in range(400):
            client = rng.choice(clients)
            if client.id in inside and rng.random() < 0.5:
                await client.leave(name)
                del inside[client.id]
            else:
                await client.enter(name, step)
                inside[client.id] = step
            if step % 100 == 50:
                link.cut()
        with self.subTest(seed=seed):
            truth = {client: Member(client, None, info) for client, info in inside.items()}
            for room in rooms:
                if room.members != truth:
                    await until(room, lambda event: dict(room.members) == truth)
                self.assertEqual(dict(room.members), truth)
                self.assertEqual(room.members.count, len(truth))
            self.assertEqual((await watchers[0].members(name)).members, truth)


class Rules(unittest.TestCase):
    """The version rules of section 5, one by one, on pushes as the server sends them."""

    def setUp(self):
        self.list = MemberList("c")
        self.list.apply(self.push(4, 5, all=True, join=[{"client": "a"}, {"client": "b"}]))

    @staticmethod
    def push(first, version, epoch="e", **more):
        return {"epoch": epoch, "from": first, "version": version, "count": 2, "users": 0, **more}

    def test_the_next_version_is_applied(self):
        event = self.list.apply(self.push(5, 7, leave=[{"client": "a", "reason": "left"}]))
        self.assertEqual([member.client for member in event.left], ["a"])
        self.assertEqual(set(self.list), {"b"})

    def test_an_old_version_is_dropped(self):
        self.assertIsNone(self.list.apply(self.push(3, 5, leave=[{"client": "a"}])))
        self.assertEqual((set(self.list), self.list.stale), ({"a", "b"}, False))

    def test_a_hole_makes_the_list_stale_until_a_fresh_one_and_what_came_meanwhile(self):
        self.assertIsNone(self.list.apply(self.push(6, 7, join=[{"client": "x"}])))
        self.assertTrue(self.list.stale)
        self.assertIsNone(self.list.apply(self.push(7, 8, join=[{"client": "c"}])))
        self.assertIsNone(self.list.apply(self.push(8, 9, leave=[{"client": "b"}])))
        fresh = Members({"b": Member("b"), "x": Member("x")}, "e", 7, 2, 0)
        events = self.list.reset(fresh)
        self.assertEqual((set(self.list), self.list.stale), ({"x", "c"}, False))
        self.assertEqual([m.client for m in events[0].left], ["a"])

    def test_a_fresh_list_that_is_too_old_for_what_came_meanwhile_does_not_do(self):
        self.list.apply(self.push(8, 9, join=[{"client": "x"}]))
        self.list.reset(Members({}, "e", 7, 0, 0))
        self.assertTrue(self.list.stale)

    def test_another_epoch_makes_the_list_stale(self):
        self.list.apply(self.push(5, 6, epoch="f", join=[{"client": "c"}]))
        self.assertTrue(self.list.stale)

    def test_counts_alone_empty_the_list_and_a_change_after_them_asks_for_it(self):
        event = self.list.apply(self.push(5, 6, partial=True))
        self.assertEqual((event.complete, event.left, len(self.list)), (False, (), 0))
        self.list.apply(self.push(6, 7, join=[{"client": "c"}]))
        self.assertTrue(self.list.stale)

    def test_everybody_replaces_the_list_whatever_there_was(self):
        event = self.list.apply(self.push(0, 1, epoch="f", all=True, join=[{"client": "b"}]))
        self.assertEqual([member.client for member in event.left], ["a"])
        self.assertEqual((event.joined, set(self.list)), ((), {"b"}))
