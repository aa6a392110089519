#include "tls/engine.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include "tls/testing.h"

namespace anywire::tls {
namespace {

using testing::Client;
using testing::ClientOptions;
using testing::shared_context;

std::string output_of(Engine& engine) {
  const BufferRef output = engine.take_output();
  return output ? std::string(as_text(output->bytes())) : std::string();
}

// Reads everything there is; `room` bytes at a time.
std::string read_all(Engine& engine, std::string_view ciphertext, std::size_t room = 64 * 1024) {
  std::vector<std::uint8_t> into(room);
  std::string all;
  EngineRead result = engine.read(as_bytes(ciphertext), into);
  while (result.status == EngineStatus::kData) {
    all.append(as_text({into.data(), result.bytes}));
    result = engine.read({}, into);
  }
  return all;
}

// Runs the handshake; what the engine answered last.
EngineStatus shake(Engine& engine, Client& client) {
  EngineStatus status = EngineStatus::kWantInput;
  for (int i = 0; i < 10 && status == EngineStatus::kWantInput; ++i) {
    client.feed({});
    status = engine.handshake(as_bytes(client.take()));
    client.feed(output_of(engine));
  }
  return status;
}

std::string hello_of(const ClientOptions& options) {
  Client client(options);
  client.feed({});
  return client.take();
}

TEST(Engine, SpeaksTls12And13) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Engine engine(shared_context());
    Client client({.version = version});
    ASSERT_EQ(shake(engine, client), EngineStatus::kDone);
    EXPECT_TRUE(client.established());
    EXPECT_EQ(engine.version(), client.version());
    EXPECT_EQ(engine.handshake({}), EngineStatus::kDone);
  }
}

TEST(Engine, RefusesOlderVersionsWithAnAlert) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    Engine engine(shared_context());
    Client client({.version = version});
    EXPECT_EQ(shake(engine, client), EngineStatus::kFailed);
    EXPECT_STREQ(engine.failure(), "unsupported protocol");
    EXPECT_NE(client.problem.find("protocol version"), std::string::npos) << client.problem;
  }
}

TEST(Engine, RefusesTls12WhenToldTo) {
  const auto strict = testing::make_context("strict", MinVersion::kTls13);
  Engine old_engine(strict);
  Client old_client({.version = TLS1_2_VERSION});
  EXPECT_EQ(shake(old_engine, old_client), EngineStatus::kFailed);
  Engine engine(strict);
  Client client;
  EXPECT_EQ(shake(engine, client), EngineStatus::kDone);
}

TEST(Engine, UsesForwardSecretAeadCiphersOnly) {
  Engine engine(shared_context());
  Client client({.version = TLS1_2_VERSION});
  // What the client may offer for its part does not matter.
  ASSERT_EQ(SSL_set_cipher_list(client.native(), "ALL:@SECLEVEL=0"), 1);
  ASSERT_EQ(shake(engine, client), EngineStatus::kDone);
  EXPECT_EQ(client.cipher().rfind("ECDHE-ECDSA-", 0), 0u) << client.cipher();

  for (const char* weak :
       {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"}) {
    Engine strict(shared_context());
    Client weak_client({.version = TLS1_2_VERSION});
    ASSERT_EQ(SSL_set_cipher_list(weak_client.native(), weak), 1);
    EXPECT_EQ(shake(strict, weak_client), EngineStatus::kFailed) << weak;
  }
}

TEST(Engine, SelectsHttp11ByAlpn) {
  struct Case {
    std::vector<std::string> offered;
    EngineStatus expected;
    std::string selected;
  };
  const Case cases[] = {
      {{}, EngineStatus::kDone, ""},
      {{"http/1.1"}, EngineStatus::kDone, "http/1.1"},
      {{"h2", "http/1.1"}, EngineStatus::kDone, "http/1.1"},
      {{"http/1.1", "h2"}, EngineStatus::kDone, "http/1.1"},
      {{"h2"}, EngineStatus::kFailed, ""},
      {{"http/1.0", "http/1.10", "http/1."}, EngineStatus::kFailed, ""},
  };
  for (const Case& c : cases) {
    Engine engine(shared_context());
    Client client({.alpn = c.offered});
    EXPECT_EQ(shake(engine, client), c.expected);
    EXPECT_EQ(client.alpn(), c.selected);
  }
}

TEST(Engine, HandshakeSurvivesByteByByteDelivery) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Engine engine(shared_context());
    Client client({.version = version});
    while (!engine.established()) {
      client.feed({});
      for (const char byte : client.take()) {
        ASSERT_NE(engine.handshake(as_bytes({&byte, 1})), EngineStatus::kFailed);
      }
      client.feed(output_of(engine));
    }
    EXPECT_TRUE(client.established());
  }
}

TEST(Engine, RecordsSurviveEverySplit) {
  Engine engine(shared_context());
  Client client;
  ASSERT_EQ(shake(engine, client), EngineStatus::kDone);
  const std::size_t length = client.encrypt("one").size() + client.encrypt("two").size();
  // Those two were never delivered, so a fresh pair is needed for each cut.
  for (std::size_t cut = 0; cut <= length; ++cut) {
    Engine fresh(shared_context());
    Client sender;
    ASSERT_EQ(shake(fresh, sender), EngineStatus::kDone);
    std::string wire = sender.encrypt("one");
    wire += sender.encrypt("two");
    ASSERT_EQ(wire.size(), length);
    std::string got = read_all(fresh, std::string_view(wire).substr(0, cut));
    got += read_all(fresh, std::string_view(wire).substr(cut));
    ASSERT_EQ(got, "onetwo") << cut;
  }
}

TEST(Engine, EveryRoomForPlaintextGivesTheSameBytes) {
  for (std::size_t room = 1; room < 64; ++room) {
    Engine engine(shared_context());
    Client client;
    ASSERT_EQ(shake(engine, client), EngineStatus::kDone);
    std::string wire;
    std::string text;
    for (std::size_t i = 1; i < 40; i += 3) {
      const std::string part(i, static_cast<char>('a' + i % 26));
      wire += client.encrypt(part);
      text += part;
    }
    EXPECT_EQ(read_all(engine, wire, room), text) << room;
    EXPECT_FALSE(engine.has_buffered());
  }
}

TEST(Engine, TellsWhetherPlaintextIsLeft) {
  Engine engine(shared_context());
  Client client;
  ASSERT_EQ(shake(engine, client), EngineStatus::kDone);
  EXPECT_FALSE(engine.has_buffered());
  const std::string wire = client.encrypt("abc");
  std::uint8_t byte = 0;
  EXPECT_EQ(engine.read(as_bytes(wire), {&byte, 1}).bytes, 1u);
  EXPECT_TRUE(engine.has_buffered());
  EXPECT_EQ(read_all(engine, {}), "bc");
  EXPECT_FALSE(engine.has_buffered());
}

TEST(Engine, EncryptsIntoOneBufferWhenToldTheSize) {
  Engine engine(shared_context());
  Client client;
  ASSERT_EQ(shake(engine, client), EngineStatus::kDone);
  const std::string text(50'000, 't');
  engine.reserve_output(text.size());
  ASSERT_TRUE(engine.write(as_bytes(std::string_view(text).substr(0, 20'000))));
  ASSERT_TRUE(engine.write(as_bytes(std::string_view(text).substr(20'000))));
  client.feed(output_of(engine));
  EXPECT_EQ(client.received, text);
  EXPECT_FALSE(engine.take_output());
}

TEST(Engine, CloseNotifyEndsOneDirectionOnly) {
  Engine engine(shared_context());
  Client client;
  ASSERT_EQ(shake(engine, client), EngineStatus::kDone);
  std::string wire = client.encrypt("bye");
  wire += client.close_notify();
  wire += "ignored, whatever it is";
  std::uint8_t into[16];
  EXPECT_EQ(engine.read(as_bytes(wire), into).bytes, 3u);
  EXPECT_TRUE(engine.has_buffered());
  EXPECT_EQ(engine.read({}, into).status, EngineStatus::kClosed);
  EXPECT_EQ(engine.read({}, into).status, EngineStatus::kClosed);
  ASSERT_TRUE(engine.write(as_bytes("not yet")));
  engine.close_notify();
  client.feed(output_of(engine));
  EXPECT_TRUE(client.peer_closed());
}

TEST(Engine, RefusesRenegotiation) {
  Engine engine(shared_context());
  Client client({.version = TLS1_2_VERSION});
  ASSERT_EQ(shake(engine, client), EngineStatus::kDone);
  ASSERT_EQ(SSL_renegotiate(client.native()), 1);
  SSL_do_handshake(client.native());
  std::uint8_t into[16];
  const EngineRead result = engine.read(as_bytes(client.take()), into);
  EXPECT_NE(result.status, EngineStatus::kData);
  // The warning "no_renegotiation" goes out; the handshake does not start again.
  client.feed(output_of(engine));
  EXPECT_EQ(client.problem, "no renegotiation");
}

struct BadStart {
  const char* name;
  std::string bytes;
  const char* failure;
  bool alert;
};

TEST(Engine, RefusesWhatCannotBeAClientHello) {
  const std::string hello = hello_of({});
  const auto patched = [&hello](std::size_t at, std::uint8_t value) {
    std::string copy = hello;
    copy[at] = static_cast<char>(value);
    return copy;
  };
  const BadStart cases[] = {
      {"http", "GET / HTTP/1.1\r\n\r\n", "not TLS", false},
      {"ssh", "SSH-2.0-x\r\n", "not TLS", false},
      {"sslv2", std::string("\x80\x2e\x01\x03\x01", 5), "not TLS", false},
      {"proxy", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "not TLS", false},
      {"version", patched(1, 2), "not TLS", false},
      {"server hello", patched(5, 2), "first message is not a ClientHello", true},
      {"huge claim", patched(6, 1), "ClientHello too long", true},
      {"tiny record", std::string("\x16\x03\x01\0\x01\x01\x16\x03\x01", 9),
       "ClientHello in too small pieces", true},
  };
  for (const BadStart& c : cases) {
    for (const bool split : {false, true}) {
      Engine engine(shared_context());
      EngineStatus status = EngineStatus::kWantInput;
      if (split) {
        for (const char byte : c.bytes) {
          status = engine.handshake(as_bytes({&byte, 1}));
          if (status == EngineStatus::kFailed) break;
        }
      } else {
        status = engine.handshake(as_bytes(c.bytes));
      }
      EXPECT_EQ(status, EngineStatus::kFailed) << c.name;
      EXPECT_STREQ(engine.failure(), c.failure) << c.name;
      EXPECT_EQ(!output_of(engine).empty(), c.alert) << c.name;
      EXPECT_EQ(engine.handshake(as_bytes(hello)), EngineStatus::kFailed) << c.name;
    }
  }
}

TEST(Engine, EveryDamagedByteOfAClientHelloIsSurvived) {
  const std::string hello = hello_of({.alpn = {"http/1.1"}});
  for (std::size_t i = 0; i < hello.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = hello;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      Engine engine(shared_context());
      engine.handshake(as_bytes(damaged));
      engine.take_output();
    }
  }
}

TEST(Engine, EveryDamagedByteOfARecordIsRefused) {
  const std::size_t length = 22 + 5;
  for (std::size_t i = 0; i < length; ++i) {
    Engine engine(shared_context());
    Client client;
    ASSERT_EQ(shake(engine, client), EngineStatus::kDone);
    std::string record = client.encrypt("truth");
    ASSERT_EQ(record.size(), length);
    record[i] = static_cast<char>(record[i] ^ 1);
    std::uint8_t into[64];
    const EngineRead result = engine.read(as_bytes(record), into);
    EXPECT_NE(result.status, EngineStatus::kData) << i;
    if (result.status == EngineStatus::kFailed) {
      EXPECT_FALSE(output_of(engine).empty()) << "no alert for byte " << i;
      EXPECT_FALSE(engine.write(as_bytes("x")));
      EXPECT_EQ(engine.read({}, into).status, EngineStatus::kFailed);
    }
  }
}

TEST(Engine, ASilentOrStalledPeerCostsLittle) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers count memory differently";
#endif
  constexpr int kPeers = 200;
  const std::string hello = hello_of({});
  const auto cost = [&](std::size_t bytes_sent) {
    std::vector<std::unique_ptr<Engine>> engines;
    engines.reserve(kPeers);
    const std::size_t before = ::mallinfo2().uordblks;
    for (int i = 0; i < kPeers; ++i) {
      engines.push_back(std::make_unique<Engine>(shared_context()));
      engines.back()->handshake(as_bytes(std::string_view(hello).substr(0, bytes_sent)));
    }
    return (::mallinfo2().uordblks - before) / kPeers;
  };
  EXPECT_LT(cost(0), 256u);
  EXPECT_LT(cost(8), 256u);
  EXPECT_LT(cost(9), 96u * 1024);
  EXPECT_LT(cost(hello.size() - 1), 96u * 1024);
}

TEST(Engine, AnIdleConnectionHoldsNoRecordBuffers) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers count memory differently";
#endif
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    constexpr std::size_t kPeers = 100;
    std::vector<std::unique_ptr<Engine>> engines;
    std::vector<std::unique_ptr<Client>> clients;
    engines.reserve(kPeers);
    std::size_t total = 0;
    for (std::size_t i = 0; i < kPeers; ++i) {
      Client client({.version = version});
      const std::size_t before = ::mallinfo2().uordblks;
      engines.push_back(std::make_unique<Engine>(shared_context()));
      std::size_t in_client = 0;
      // Only what the engine's own calls allocate is counted.
      const auto count_client = [&](auto&& work) {
        const std::size_t start = ::mallinfo2().uordblks;
        work();
        in_client += ::mallinfo2().uordblks - start;
      };
      std::string wire;
      while (!engines.back()->established()) {
        count_client([&] {
          client.feed({});
          wire = client.take();
        });
        engines.back()->handshake(as_bytes(wire));
        const BufferRef output = engines.back()->take_output();
        count_client([&] { client.feed(output ? as_text(output->bytes()) : ""); });
      }
      count_client([&] { wire = client.encrypt(std::string(10'000, 'x')); });
      read_all(*engines.back(), wire);
      ASSERT_TRUE(engines.back()->write(as_bytes(std::string(10'000, 'x'))));
      engines.back()->take_output();
      wire = {};
      total += ::mallinfo2().uordblks - before - in_client;
    }
    RecordProperty(version == TLS1_2_VERSION ? "bytes_idle_tls12" : "bytes_idle_tls13",
                   static_cast<int>(total / kPeers));
    std::printf("idle %s: %zu bytes\n", engines[0]->version(), total / kPeers);
    EXPECT_LT(total / kPeers, 16u * 1024);
  }
}

}  // namespace
}  // namespace anywire::tls
