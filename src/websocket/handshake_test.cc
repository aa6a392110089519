#include "websocket/handshake.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace anywire::ws {
namespace {

constexpr DeflateOffer kShared{.mode = DeflateMode::kShared};
constexpr DeflateOffer kDedicated{.mode = DeflateMode::kDedicated};
constexpr DeflateOffer kOff{.mode = DeflateMode::kOff};

// The response header's value; "none" without an agreement, "malformed" for a 400.
std::string answer(std::string_view extensions, const DeflateOffer& offer = kDedicated) {
  const auto negotiated = negotiate_deflate(extensions, offer);
  if (!negotiated) return "malformed";
  return *negotiated ? deflate_response(**negotiated) : "none";
}

std::string selected(std::string_view offered) {
  static constexpr std::array<std::string_view, 3> kSupported = {"chat", "anywire.1.json", "v2"};
  const auto result = select_subprotocol(offered, kSupported);
  return result ? std::string(*result) : "malformed";
}

TEST(AcceptKey, MatchesTheExampleOfTheRfc) {
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(AcceptKey, GivesTheSameAnswerEachTimeAndWritesNoMoreThanItSays) {
  std::array<char, kAcceptKeyBytes + 1> out;
  out.fill('#');
  for (int i = 0; i < 3; ++i) {
    accept_key_to("dGhlIHNhbXBsZSBub25jZQ==", out.data());
    EXPECT_EQ(std::string_view(out.data(), out.size()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=#");
  }
}

TEST(IsValidKey, WantsTheBase64OfSixteenBytes) {
  EXPECT_TRUE(is_valid_key("dGhlIHNhbXBsZSBub25jZQ=="));
  EXPECT_TRUE(is_valid_key("AAAAAAAAAAAAAAAAAAAAAA=="));
  EXPECT_TRUE(is_valid_key("/+/+/+/+/+/+/+/+/+/+/+=="));  // stray bits are tolerated
  for (const std::string_view key :
       {"", "AAAA", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQA=",
        "dGhlIHNhbXBsZSBub25jZQAA", "dGhlIHNhbXBsZSBub25jZQ== ", " dGhlIHNhbXBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZ-==", "dGhlIHNhbXBsZSBub25j\xC3\xA4==", "dGhlIHNhbXBsZSBub25jZ==="}) {
    EXPECT_FALSE(is_valid_key(key)) << key;
  }
}

TEST(SelectSubprotocol, TakesTheClientsFirstThatIsSupported) {
  EXPECT_EQ(selected("chat"), "chat");
  EXPECT_EQ(selected("v2, chat"), "v2");
  EXPECT_EQ(selected("unknown,v2 ,\tchat"), "v2");
  EXPECT_EQ(selected("  anywire.1.json  "), "anywire.1.json");
}

TEST(SelectSubprotocol, TakesNoneWhenNoneIsSupportedOrOffered) {
  EXPECT_EQ(selected(""), "");
  EXPECT_EQ(selected("Chat, cha, chatt"), "");
  EXPECT_EQ(select_subprotocol("chat", {}), std::string_view());
}

TEST(SelectSubprotocol, ReturnsAViewOfTheServersOwnList) {
  static constexpr std::array<std::string_view, 1> kSupported = {"chat"};
  const std::string offered = "chat";
  const auto result = select_subprotocol(offered, kSupported);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->data(), kSupported[0].data());
}

TEST(SelectSubprotocol, SkipsEmptyElements) {
  EXPECT_EQ(selected(", ,v2,,"), "v2");
  EXPECT_EQ(selected(","), "");
}

TEST(SelectSubprotocol, RefusesWhatIsNoListOfDistinctTokens) {
  const std::string_view cases[] = {
      "chat v2", "chat;v2", "\"chat\"", "chat, chat", "chat,v2,x,v2", "ch\xC3\xA4t", "chat\r\n",
      "chat=1", "chat,(v2)", "a/b", {"chat\0", 5}};
  for (const std::string_view offered : cases) {
    EXPECT_EQ(selected(offered), "malformed") << offered;
  }
}

TEST(SelectSubprotocol, RefusesMoreNamesThanItsLimit) {
  std::string offered = "v2";
  for (std::size_t i = 1; i < kSubprotocolsMax; ++i) offered += ", p" + std::to_string(i);
  EXPECT_EQ(selected(offered), "v2");
  EXPECT_EQ(selected(offered + ","), "v2");
  EXPECT_EQ(selected(offered + ", one-more"), "malformed");
}

TEST(NegotiateDeflate, AcceptsAPlainOffer) {
  EXPECT_EQ(answer("permessage-deflate"), "permessage-deflate");
  EXPECT_EQ(answer("permessage-deflate", kShared),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
}

TEST(NegotiateDeflate, AcceptsTheOffersOfCommonClients) {
  // Browsers, npm ws, and a client that names all it has.
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits"), "permessage-deflate");
  EXPECT_EQ(answer("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=10; client_max_window_bits=11"),
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11");
}

TEST(NegotiateDeflate, AgreesToNothingWhenOffOrNotOffered) {
  EXPECT_EQ(answer("permessage-deflate", kOff), "none");
  EXPECT_EQ(answer(""), "none");
  EXPECT_EQ(answer("x-webkit-deflate-frame; no_context_takeover"), "none");
  EXPECT_EQ(answer("Permessage-Deflate"), "none");
  EXPECT_EQ(answer("permessage-deflatex, permessage-deflat"), "none");
}

TEST(NegotiateDeflate, ReportsWhatWasAgreedOn) {
  const auto negotiated = negotiate_deflate(
      "permessage-deflate; server_max_window_bits=12; client_max_window_bits=9;"
      "client_no_context_takeover", kDedicated);
  ASSERT_TRUE(negotiated && *negotiated);
  EXPECT_EQ(**negotiated, (DeflateParams{.server_no_context_takeover = false,
                                         .client_no_context_takeover = true,
                                         .server_max_window_bits = 12,
                                         .client_max_window_bits = 9,
                                         .answer_server_max_window_bits = true}));
}

TEST(NegotiateDeflate, AnswersABoundOnTheServersWindowEvenWhenItIsTheLargest) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=15"),
            "permessage-deflate; server_max_window_bits=15");
}

TEST(NegotiateDeflate, KeepsTheServersOwnBounds) {
  const DeflateOffer small{.mode = DeflateMode::kDedicated,
                           .server_max_window_bits = 11,
                           .client_max_window_bits = 10};
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits", small),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10");
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=9; server_max_window_bits=13",
                   small),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=9");
  // A client that did not offer the parameter may not be given it.
  EXPECT_EQ(answer("permessage-deflate", small), "permessage-deflate; server_max_window_bits=11");
}

TEST(NegotiateDeflate, AcceptsEveryWindowOfTheRfcExceptAServersOfEightBits) {
  for (int bits = 0; bits <= 40; ++bits) {
    const std::string number = std::to_string(bits);
    const bool valid = bits >= 8 && bits <= 15;
    const std::string server = "permessage-deflate; server_max_window_bits=" + number;
    EXPECT_EQ(answer(server), valid && bits != 8 ? server : "none");
    const std::string client = "permessage-deflate; client_max_window_bits=" + number;
    EXPECT_EQ(answer(client), !valid ? "none" : bits == 15 ? "permessage-deflate" : client);
  }
}

TEST(NegotiateDeflate, PassesOverAnOfferWithAnUnknownRepeatedOrInvalidParameter) {
  for (const std::string_view parameters :
       {"unknown", "unknown=1", "server_no_context_takeover=1", "server_no_context_takeover=\"1\"",
        "client_no_context_takeover=true", "server_max_window_bits", "server_max_window_bits=7",
        "server_max_window_bits=16", "server_max_window_bits=09", "server_max_window_bits=\"08\"",
        "server_max_window_bits=1e1", "server_max_window_bits=+9", "server_max_window_bits=100",
        "server_max_window_bits=1000000000000000000000", "client_max_window_bits=0",
        "client_max_window_bits=-9", "client_max_window_bits=x", "client_max_window_bits=\"10000\"",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits=10; client_max_window_bits=10",
        "server_max_window_bits=10; server_max_window_bits=9", "Server_No_Context_Takeover"}) {
    const std::string offer = "permessage-deflate; " + std::string(parameters);
    EXPECT_EQ(answer(offer), "none") << offer;
    EXPECT_EQ(answer(offer + ", permessage-deflate; server_no_context_takeover"),
              "permessage-deflate; server_no_context_takeover")
        << offer;
  }
}

TEST(NegotiateDeflate, GivesUpContextsOnlyWhereSharingOrTheClientAsks) {
  const std::string_view server_only = "permessage-deflate; server_no_context_takeover";
  const std::string_view client_only = "permessage-deflate; client_no_context_takeover";
  EXPECT_EQ(answer(server_only), server_only);
  EXPECT_EQ(answer(client_only), client_only);
  for (const std::string_view offer : {server_only, client_only}) {
    EXPECT_EQ(answer(offer, kShared),
              "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  }
}

TEST(NegotiateDeflate, KeepsWindowBoundsWhenSharing) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=9; client_max_window_bits=8",
                   kShared),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=9; client_max_window_bits=8");
}

TEST(NegotiateDeflate, LeavesAResponseThatWouldNegotiateToItself) {
  for (const std::string_view offer :
       {"permessage-deflate", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=15; client_max_window_bits=15",
        "permessage-deflate; client_max_window_bits=8; server_max_window_bits=9"}) {
    for (const DeflateOffer& server : {kShared, kDedicated}) {
      const std::string response = answer(offer, server);
      EXPECT_EQ(answer(response, server), response);
    }
  }
}

TEST(NegotiateDeflateDeathTest, RefusesAServerBoundZlibCannotKeep) {
  const DeflateOffer offer{.server_max_window_bits = 8};
  EXPECT_DEATH((void)negotiate_deflate("", offer), "server_max_window_bits");
}

TEST(NegotiateDeflate, TakesTheFirstOfSeveralOffersItCan) {
  EXPECT_EQ(answer("foo; a=b; c, permessage-deflate; server_max_window_bits=8, "
                   "permessage-deflate; server_max_window_bits=9, permessage-deflate"),
            "permessage-deflate; server_max_window_bits=9");
}

TEST(NegotiateDeflate, ReadsQuotedValues) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=\"10\""),
            "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=\"\\1\\0\""),
            "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(answer("foo; bar=\"b\\az\", permessage-deflate"), "permessage-deflate");
}

TEST(NegotiateDeflate, AllowsWhiteSpaceAroundSeparatorsAndEmptyElements) {
  EXPECT_EQ(answer(" , permessage-deflate ;\tserver_max_window_bits = 10 , "),
            "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(answer(" , ,\t"), "none");
}

TEST(NegotiateDeflate, RefusesBrokenGrammarEvenBehindAGoodOffer) {
  const std::string_view cases[] = {
      ";", "=", "permessage-deflate;", "permessage-deflate; ;a", "permessage-deflate; =1",
      "permessage-deflate; a=", "permessage-deflate; a=\"", "permessage-deflate; a=\"b",
      "permessage-deflate; a=\"\"", "permessage-deflate; a=\"b c\"", "permessage-deflate; a=\"b\\",
      "permessage-deflate; a=\"b,c\"", "permessage-deflate; a=\"b\"c", "permessage-deflate; a=b=c",
      "permessage-deflate foo", "permessage-deflate; a b", "\"permessage-deflate\"",
      "permessage-deflate\r\n", "permessage/deflate", "(comment)", "p\xC3\xA9", {"a\0b", 3}};
  for (const std::string_view text : cases) {
    EXPECT_EQ(answer(text), "malformed") << text;
    EXPECT_EQ(answer("permessage-deflate, " + std::string(text)), "malformed") << text;
    EXPECT_EQ(answer(text, kOff), "malformed") << text;
  }
}

// A quadratic reader would need minutes for these; the bound is far above a linear one's need.
TEST(NegotiateDeflate, ReadsEndlessHeadersInLinearTime) {
  constexpr std::size_t kSize = 4 << 20;
  const auto repeated = [](std::string_view unit) {
    std::string text;
    while (text.size() < kSize) text += unit;
    return text;
  };
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(answer(repeated("permessage-deflate; x, ")), "none");
  EXPECT_EQ(answer("a" + repeated("; a=\"\\a\"")), "none");
  EXPECT_EQ(answer(repeated(", \t")), "none");
  EXPECT_EQ(answer("a;b=\"" + repeated("\\a")), "malformed");
  EXPECT_EQ(selected(repeated(" ")), "");
  EXPECT_EQ(selected(repeated("a")), "");
  EXPECT_EQ(selected(repeated(",")), "");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace anywire::ws
