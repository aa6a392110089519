"""Tokens: expiry, refresh, and what a new one takes away or brings."""

from anywire_client import CommandError, Stopped
from anywire_client.tokens import sign

from .support import CONFIG, Case, Server, States, messages, token, until


class Tokens(Case):
    async def test_a_token_is_refreshed_before_it_ends(self):
        states, given = States(), []

        async def provider():
            given.append(token("ann", lifetime=2 if not given else 3600))
            return given[-1]

        ann = await self.client(token=provider, on_state=states)
        # A witness that the first one has ended: the same token, without a refresh.
        witness = await self.client(token=given[0])
        room = await witness.subscribe("room:witness")
        with self.assertRaises(Stopped) as caught:
            await until(room, lambda event: False)
        self.assertEqual(caught.exception.code, 4452)
        await ann.ping()
        self.assertEqual(len(given), 2)
        self.assertEqual(states.seen, ["connecting", "connected"])

    async def test_a_token_that_ended_is_replaced_and_the_session_goes_on(self):
        states, given = States(), []

        def provider():
            # The refresh fails, so that the server has to end the connection.
            given.append(len(given))
            if len(given) == 2:
                raise ConnectionError("no token today")
            return token("ann", lifetime=2 if len(given) == 1 else 3600)

        name = self.channel()
        with self.assertLogs("anywire", "WARNING"):
            ann = await self.client(token=provider, on_state=states)
            room = await ann.subscribe(name)
            await states.until("connected", 2)
        self.assertTrue(ann.resumed)
        self.assertEqual(len(given), 3)
        await ann.publish(name, 1)
        await messages(room, 1)

    async def test_a_refused_token_is_replaced(self):
        given = []

        def provider():
            given.append(1)
            return "not.a.token" if len(given) < 3 else token("ann")

        for transports in (("websocket",), ("sse",), ("poll",)):
            with self.subTest(transports):
                given.clear()
                ann = await self.client(token=provider, transports=transports)
                self.assertEqual((ann.user, len(given)), ("ann", 3))

    async def test_a_provider_that_fails_is_asked_again(self):
        calls = []

        def provider():
            calls.append(1)
            if len(calls) == 1:
                raise OSError("the application's server is away")
            return token("ann")

        with self.assertLogs("anywire", "WARNING"):
            ann = await self.client(token=provider)
        self.assertEqual((ann.user, len(calls)), ("ann", 2))

    async def test_where_nobody_is_anonymous_a_client_without_a_token_stops(self):
        server = Server(CONFIG.replace("anonymous = true", "anonymous = false"))
        self.addCleanup(server.stop)
        with self.assertRaises(Stopped) as caught:
            await self.client(server.url)
        self.assertEqual(caught.exception.code, 4450)

    async def test_another_users_token_is_no_refresh(self):
        users = iter(("ann", "bob"))
        ann = await self.client(token=lambda: token(next(users)))
        with self.assertRaises(CommandError) as caught:
            await ann.refresh()
        self.assertEqual(caught.exception.code, "user_mismatch")
        self.assertEqual(ann.user, "ann")

    async def test_a_new_token_can_end_a_subscription(self):
        capabilities = iter(({"private:*": ["subscribe"]}, {}))
        ann = await self.client(token=lambda: token(capability=next(capabilities)))
        room = await ann.subscribe("private:1")
        await ann.refresh()
        with self.assertRaises(CommandError) as caught:
            await until(room, lambda event: False)
        self.assertEqual(caught.exception.code, "forbidden")
        self.assertEqual(ann.subscriptions, [])

    async def test_a_token_can_make_a_subscription(self):
        name = self.channel("private")
        ann = await self.client(token=token("ann", channels=[name], capability={}))
        bob = await self.client(token=token("bob"))
        room = await ann.subscribe(name)
        self.assertEqual(ann.subscriptions, [room])
        await bob.publish(name, 1)
        (message,) = await messages(room, 1)
        self.assertEqual((message.data, message.user), (1, "bob"))

    async def test_a_subscription_made_by_the_token_recovers_what_it_missed(self):
        name = self.channel("private")
        link, states = await self.proxy(), States()
        jwt = token("ann", channels=[name], capability={})
        ann = await self.client(link.url, token=jwt, on_state=states)
        bob = await self.client(token=token("bob"))
        room = await ann.subscribe(name)
        await bob.publish(name, 1)
        await messages(room, 1)
        link.up = False
        link.cut()
        await states.until("waiting")
        await bob.publish(name, 2)
        link.up = True
        await states.until("connected", 2)
        await ann.ping()  # The token's subscriptions are made before any command.
        await bob.publish(name, 3)
        self.assertEqual([m.data for m in await messages(room, 2)], [2, 3])

    async def test_a_subscription_made_by_the_token_can_be_made_anew_with_options(self):
        name = self.channel("private")
        ann = await self.client(token=token("ann", channels=[name], capability={}))
        bob = await self.client(token=token("bob"))
        await ann.ping()
        (made,) = ann.subscriptions
        await bob.publish(name, 1, tags={"k": "a"})
        await messages(made, 1)
        room = await ann.subscribe(name, filter={"k": ["b"]})
        self.assertIs(room, made)
        for i, tag in enumerate("abab", 2):
            await bob.publish(name, i, tags={"k": tag})
        self.assertEqual([m.data for m in await messages(room, 2)], [3, 5])

    async def test_who_may_not_enter_again_after_a_reconnect_is_not_present(self):
        link, states = await self.proxy(), States()
        tokens = [token("bob", capability={}), token("ann")]
        ann = await self.client(link.url, token=tokens.pop, on_state=states)
        await ann.enter("private:1")
        link.up = False
        link.cut()
        await states.until("waiting")
        ann.token_refused()  # The next one is another user's, so that the session is not resumed.
        with self.assertLogs("anywire", "WARNING"):
            link.up = True
            await states.until("connected", 2)
            await ann.ping()
        self.assertEqual((ann.user, ann.resumed, ann.entered), ("bob", False, []))

    async def test_a_new_token_can_end_being_present(self):
        name = self.channel("private")
        capabilities = iter(({"private:*": ["presence"]}, {}))
        ann = await self.client(token=lambda: token(capability=next(capabilities)))
        watcher = await (await self.client(token=token("bob"))).subscribe(name, presence=True)
        await ann.enter(name)
        await until(watcher, lambda event: event.joined)
        self.assertEqual(ann.entered, [name])
        with self.assertLogs("anywire", "WARNING"):
            await ann.refresh()
            await until(watcher, lambda event: event.left)
            await ann.ping()
        self.assertEqual(ann.entered, [])

    async def test_a_signed_token_has_the_claims_it_was_given(self):
        jwt = sign("s" * 32, sub="ann", lifetime=60)
        self.assertEqual(jwt.count("."), 2)
        self.assertNotIn("=", jwt)
        with self.assertRaises(Stopped):
            await self.client(token=jwt)  # Another secret than the server's.
