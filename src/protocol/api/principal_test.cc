#include "protocol/api/principal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/jwt.h"
#include "auth/testing/signer.h"
#include "base/clock.h"
#include "codec/base64.h"

namespace anywire::protocol::api {
namespace {

using auth::Operation;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kOldSecret = "fedcba9876543210fedcba9876543210";

auth::Capability capability(std::string_view json) { return *auth::Capability::parse(json); }

auth::Key small_key() {
  auth::Key small = *auth::Key::hs256("small", kSecret);
  small.set_rights(capability(R"({"room:*":["publish"],"mine:{sub}":["publish"]})"),
                   capability(R"({"all":["subscribe"]})"));
  return small;
}

// "web" may do everything, "small" only some, "old" has another secret and another algorithm,
// "public" has no secret, and one key has no name.
auth::KeySet keys(const auth::Signer& signer) {
  auth::KeySet set;
  std::vector<auth::Key> all;
  all.push_back(*auth::Key::hs256("web", kSecret));
  all.push_back(small_key());
  all.push_back(*auth::Key::symmetric("old", auth::Algorithm::kHs512, kOldSecret));
  all.push_back(*auth::Key::hs256("", kOldSecret));
  all.push_back(signer.public_key("public"));
  for (auth::Key& key : all) EXPECT_TRUE(set.add(std::move(key)));
  return set;
}

class PrincipalTest : public ::testing::Test {
 protected:
  using Identified = std::expected<Principal, Problem>;

  Identified identify(std::string_view authorization) {
    return api::identify(authorization, authority, auth::wall_time(wall.unix_ms()));
  }
  static std::string basic(std::string_view pair) {
    return "Basic " + codec::base64_encode(as_bytes(pair));
  }
  static std::string pair(std::string_view name, std::string_view secret = kSecret) {
    return std::string(name).append(":").append(secret);
  }
  std::string token(std::string_view claims, std::string_view key = "web") {
    return *auth::sign_hs256(*authority.keys.keys()->find(key), claims);
  }
  Principal bearer(std::string_view claims, std::string_view key = "web") {
    auto principal = identify("Bearer " + token(claims, key));
    EXPECT_TRUE(principal);
    return principal ? *std::move(principal) : Principal();
  }
  Principal key(std::string_view name) {
    auto principal = identify(basic(pair(name)));
    EXPECT_TRUE(principal);
    return principal ? *std::move(principal) : Principal();
  }
  // The text of the refusal; it is the same code and nothing else in each.
  std::string refusal(std::string_view authorization) {
    const Identified principal = identify(authorization);
    EXPECT_FALSE(principal) << authorization;
    if (principal) return "none";
    EXPECT_EQ(principal.error(), (Problem{.code = Code::kUnauthorized,
                                          .message = principal.error().message}));
    return principal.error().message;
  }

  ManualWallClock wall;
  const auth::Signer signer{auth::Algorithm::kEs256};
  auth::Authority authority{auth::VerifyOptions{.expiry_required = false}, keys(signer)};
};

// What a Problem says, or "none".
std::string said(const std::optional<Problem>& problem) {
  if (!problem) return "none";
  EXPECT_EQ(*problem, (Problem{.code = Code::kForbidden, .message = problem->message}));
  return problem->message;
}

std::string said(const Principal& principal, Operation operation, std::string_view channel,
                 const hub::ChannelRule& rule = {}) {
  return said(may(principal, operation, channel, rule));
}

// ---- Basic ----

TEST_F(PrincipalTest, IsAKeyByItsSecret) {
  const Principal web = key("web");
  EXPECT_TRUE(web.is_key);
  EXPECT_EQ(web.key, "web");
  EXPECT_EQ(web.user, "");
  EXPECT_TRUE(web.capability.allows(Operation::kPublish, "anything"));
  EXPECT_TRUE(web.capability.allows(Operation::kManage, "anything"));
}

TEST_F(PrincipalTest, OfSeveralKeysIsTheOneThatIsNamed) {
  EXPECT_EQ(identify(basic(pair("old", kOldSecret)))->key, "old");
  EXPECT_EQ(identify(basic(pair("small")))->key, "small");
  EXPECT_EQ(identify(basic(pair("", kOldSecret)))->key, "") << "one may be without a name";
  // Another key's secret is none.
  EXPECT_THAT(refusal(basic(pair("old", kSecret))), HasSubstr("no such key"));
  EXPECT_THAT(refusal(basic(pair("", kSecret))), HasSubstr("no such key"));
}

// `{sub}` is a user's, and a key has none; what the key grants to its tokens is not its own.
TEST_F(PrincipalTest, AKeyMayDoWhatItMayGrantAndNoMore) {
  const Principal small = key("small");
  EXPECT_TRUE(small.capability.allows(Operation::kPublish, "room:1"));
  EXPECT_FALSE(small.capability.allows(Operation::kSubscribe, "room:1"));
  EXPECT_FALSE(small.capability.allows(Operation::kPublish, "news"));
  EXPECT_FALSE(small.capability.allows(Operation::kPublish, "mine:"));
  EXPECT_FALSE(small.capability.allows(Operation::kPublish, "mine:{sub}"));
  EXPECT_FALSE(small.capability.allows(Operation::kSubscribe, "all"));
  EXPECT_FALSE(small.capability.allows(Operation::kManage, "room:1"));
}

TEST_F(PrincipalTest, ASecretMayHaveColons) {
  const std::string colons = "a:b:c:0123456789abcdef0123456789";
  auth::KeySet set;
  ASSERT_TRUE(set.add(*auth::Key::hs256("colons", colons)));
  authority.keys.set_configured(set);
  EXPECT_EQ(identify(basic(pair("colons", colons)))->key, "colons");
}

TEST_F(PrincipalTest, RefusesWhatIsNoPairInBase64) {
  const std::string shape = "Basic takes base64 of the key's name, a colon and its secret";
  const std::string good = codec::base64_encode(as_bytes(pair("web")));
  EXPECT_EQ(refusal("Basic !!!"), shape);
  EXPECT_EQ(refusal("Basic " + good.substr(1)), shape) << "cut off";
  EXPECT_EQ(refusal("Basic " + good + "="), shape) << "too much padding";
  EXPECT_EQ(refusal("Basic " + good + " " + good), shape);
  EXPECT_EQ(refusal("Basic " + good.substr(0, 8) + " " + good.substr(8)), shape);
  EXPECT_EQ(refusal(basic("web")), shape) << "no colon";
  EXPECT_EQ(refusal("Basic " + pair("web")), shape) << "as it is";
}

TEST_F(PrincipalTest, RefusesEveryOtherSecret) {
  const std::string none = "there is no such key with this secret";
  const std::string secret(kSecret);
  for (const std::string& wrong :
       {std::string(), secret.substr(1), secret.substr(0, 31), secret + "0", " " + secret,
        "0" + secret.substr(0, 31), std::string(32, 'x'), std::string(8192, 'x')}) {
    EXPECT_EQ(refusal(basic(pair("web", wrong))), none) << wrong;
  }
  EXPECT_EQ(refusal(basic(pair("nobody"))), none);
  EXPECT_EQ(refusal(basic(pair("WEB"))), none);
  EXPECT_EQ(refusal(basic(pair("web "))), none);
  EXPECT_EQ(refusal(basic(pair("public"))), none) << "a public key is no secret";
  EXPECT_EQ(refusal(basic(pair("public", signer.public_pem()))), none);
  EXPECT_EQ(refusal(basic(pair("public", ""))), none);
}

// ---- Bearer ----

TEST_F(PrincipalTest, IsTheUserOfAToken) {
  const Principal ann =
      bearer(R"({"sub":"ann","capability":{"news":["publish"],"room:*":["subscribe"]}})");
  EXPECT_FALSE(ann.is_key);
  EXPECT_EQ(ann.user, "ann");
  EXPECT_TRUE(ann.capability.allows(Operation::kPublish, "news"));
  EXPECT_FALSE(ann.capability.allows(Operation::kPublish, "room:1"));
  const Principal nobody = bearer("{}");
  EXPECT_EQ(nobody.user, "");
  EXPECT_TRUE(nobody.capability.empty());
}

TEST_F(PrincipalTest, ATokenIsCutDownToItsKey) {
  const Principal ann = bearer(R"({"sub":"ann","capability":{"*":["*","manage"]}})", "small");
  EXPECT_EQ(ann.key, "small");
  EXPECT_TRUE(ann.capability.allows(Operation::kPublish, "room:1"));
  EXPECT_TRUE(ann.capability.allows(Operation::kPublish, "mine:ann"));
  EXPECT_TRUE(ann.capability.allows(Operation::kSubscribe, "all"));
  EXPECT_FALSE(ann.capability.allows(Operation::kPublish, "mine:bob"));
  EXPECT_FALSE(ann.capability.allows(Operation::kManage, "room:1"));
}

TEST_F(PrincipalTest, SaysWhyATokenIsRefused) {
  EXPECT_THAT(refusal("Bearer x"), StartsWith("malformed: "));
  EXPECT_THAT(refusal("Bearer " + std::string(auth::kTokenBytesMax + 1, 'x')),
              StartsWith("too_large: "));
  EXPECT_THAT(refusal("Bearer " + token(R"({"exp":1})")), StartsWith("expired: "));
  EXPECT_THAT(refusal("Bearer " + token(R"({"nbf":1900000000})")), StartsWith("not_yet_valid: "));
  EXPECT_THAT(refusal("Bearer " + token(R"({"sub":7})")), StartsWith("invalid_claim: "));
  std::string forged = token("{}");
  forged[forged.size() - 5] = forged[forged.size() - 5] == 'A' ? 'B' : 'A';
  EXPECT_THAT(refusal("Bearer " + forged), StartsWith("bad_signature: "));
  const std::string revoked = token(R"({"jti":"one"})");
  ASSERT_TRUE(authority.revocations.add({.kind = auth::Revocation::Kind::kToken, .name = "one"},
                                        auth::wall_time(wall.unix_ms())));
  EXPECT_THAT(refusal("Bearer " + revoked), StartsWith("revoked: "));
}

TEST_F(PrincipalTest, LooksForTheKeyOfATokenThatNobodyKnows) {
  struct Source final : auth::KeySource {
    bool look_again(Task) override {
      ++asked;
      return true;
    }
    int asked = 0;
  } source;
  authority.keys.set_source(&source);
  auth::KeySet web;  // a key without a name might be any token's
  ASSERT_TRUE(web.add(*auth::Key::hs256("web", kSecret)));
  authority.keys.set_configured(std::move(web));
  const std::string header = R"({"alg":"ES256","kid":"new"})";
  const std::string unknown = "Bearer " + signer.token(header, "{}");
  EXPECT_THAT(refusal(unknown), StartsWith("unknown_key: "));
  EXPECT_EQ(source.asked, 1);
  // Not for what no new key could have signed.
  EXPECT_THAT(refusal("Bearer x"), StartsWith("malformed"));
  EXPECT_THAT(refusal("Bearer " + token(R"({"exp":1})")), StartsWith("expired"));
  EXPECT_EQ(source.asked, 1);
  auth::KeySet found;
  ASSERT_TRUE(found.add(signer.public_key("new")));
  authority.keys.set_fetched(std::move(found));
  EXPECT_EQ(identify(unknown)->key, "new") << "the next time";
  authority.keys.set_source(nullptr);
}

// ---- The header ----

TEST_F(PrincipalTest, TheSchemeIsWrittenAnyWay) {
  const std::string encoded = codec::base64_encode(as_bytes(pair("web")));
  for (const char* scheme : {"Basic ", "basic ", "BASIC ", "bAsIc ", "Basic   "}) {
    EXPECT_TRUE(identify(scheme + encoded)) << scheme;
  }
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER ", "Bearer \t"}) {
    EXPECT_TRUE(identify(scheme + token("{}"))) << scheme;
  }
}

TEST_F(PrincipalTest, RefusesEveryOtherHeader) {
  EXPECT_THAT(refusal(""), HasSubstr("the API needs \"Authorization: Basic\""));
  const std::string encoded = codec::base64_encode(as_bytes(pair("web")));
  const std::string other = "Authorization is \"Basic\" or \"Bearer\" and credentials";
  for (const std::string& header :
       {std::string("Basic"), std::string("Basic "), std::string("Bearer"), std::string("Bearer  "),
        "Basic" + encoded, "Basic\t" + encoded, "Basics " + encoded, "Digest " + encoded, encoded,
        token("{}"), " Basic " + encoded}) {
    EXPECT_EQ(refusal(header), other) << header;
  }
}

// Each text is read by whoever holds the log of the caller.
TEST_F(PrincipalTest, NoRefusalRepeatsWhatWasShown) {
  const std::string shown = "sesame-0123456789abcdef-0123456789";
  const std::string claims = R"({"exp":1,"sub":"sesame-0123456789abcdef-0123456789"})";
  for (const std::string& header :
       {shown, "Basic " + shown, basic(shown), basic("web:" + shown), basic(shown + ":x"),
        basic(pair(shown)), "Bearer " + shown, "Bearer " + shown + "." + shown + "." + shown,
        "Bearer " + token(claims), "Digest " + shown}) {
    EXPECT_THAT(refusal(header), Not(HasSubstr("sesame"))) << header;
    EXPECT_THAT(refusal(header), Not(HasSubstr("0123456789"))) << header;
  }
}

// ---- Channels ----

TEST_F(PrincipalTest, AKeyGoesByItsCapabilityAlone) {
  hub::ChannelRule open;
  open.publish = hub::Access::kAnyone;
  open.subscribe = hub::Access::kAnyone;
  open.protocols = {"raw"};
  EXPECT_EQ(said(key("small"), Operation::kPublish, "room:1", open), "none");
  EXPECT_EQ(said(key("small"), Operation::kPublish, "news", open),
            "this key may not publish to \"news\"");
  EXPECT_EQ(said(key("small"), Operation::kSubscribe, "room:1", open),
            "this key may not subscribe to \"room:1\"");
}

TEST_F(PrincipalTest, ATokenMayWhatTheRuleGivesItsUser) {
  hub::ChannelRule users;
  users.publish = hub::Access::kUsers;
  users.history_access = hub::Access::kAnyone;
  users.protocols = {"raw"};  // which are about connections
  const Principal ann = bearer(R"({"sub":"ann"})");
  const Principal nobody = bearer("{}");
  EXPECT_EQ(said(ann, Operation::kPublish, "news", users), "none");
  EXPECT_EQ(said(nobody, Operation::kPublish, "news", users),
            "this token may not publish to \"news\"");
  EXPECT_EQ(said(nobody, Operation::kHistory, "news", users), "none");
  EXPECT_EQ(said(ann, Operation::kSubscribe, "news", users),
            "this token may not subscribe to \"news\"");
}

TEST_F(PrincipalTest, ATokenMayWhatItsCapabilitySaysWhateverTheRule) {
  const Principal ann = bearer(R"({"sub":"ann","capability":{"news":["history","presence"]}})");
  EXPECT_EQ(said(ann, Operation::kHistory, "news"), "none");
  EXPECT_EQ(said(ann, Operation::kPresence, "news"), "none");
  EXPECT_EQ(said(ann, Operation::kPublish, "news"), "this token may not publish to \"news\"");
  EXPECT_EQ(said(ann, Operation::kHistory, "olds"),
            "this token may not read the history of \"olds\"");
  EXPECT_EQ(said(ann, Operation::kPresence, "olds"), "this token may not see who is in \"olds\"");
  EXPECT_EQ(said(ann, Operation::kRpc, "sum"), "this token may not call \"sum\"");
}

// To them only who has it in its capability may publish.
TEST_F(PrincipalTest, APersonalChannelIsReadByItsUserAlone) {
  hub::ChannelRule open;
  open.publish = open.subscribe = open.history_access = hub::Access::kAnyone;
  const Principal ann = bearer(R"({"sub":"ann","capability":{"*":["subscribe","history"]}})");
  EXPECT_EQ(said(ann, Operation::kHistory, "$user:ann", open), "none");
  EXPECT_THAT(said(ann, Operation::kHistory, "$user:bob", open), StartsWith("this token may not"));
  EXPECT_THAT(said(ann, Operation::kHistory, "$user:an", open), StartsWith("this token may not"));
  EXPECT_THAT(said(ann, Operation::kPublish, "$user:ann", open), StartsWith("this token may not"));
  const Principal writer = bearer(R"({"sub":"w","capability":{"$user:*":["publish"]}})");
  EXPECT_EQ(said(writer, Operation::kPublish, "$user:ann", open), "none");
  EXPECT_THAT(said(writer, Operation::kSubscribe, "$user:ann", open), StartsWith("this token"));
  const Principal nobody = bearer(R"({"capability":{"*":["*"]}})");
  EXPECT_THAT(said(nobody, Operation::kHistory, "$user:", open), StartsWith("this token may not"));
  EXPECT_EQ(said(key("web"), Operation::kHistory, "$user:ann", open), "none");
  EXPECT_THAT(said(key("small"), Operation::kPublish, "$user:ann", open), StartsWith("this key"));
}

TEST_F(PrincipalTest, OtherNamesOfTheServersOwnAreNobodys) {
  hub::ChannelRule open;
  open.publish = open.subscribe = hub::Access::kAnyone;
  const Principal all = bearer(R"({"sub":"ann","capability":{"*":["*","manage"]}})");
  for (const char* channel : {"$", "$server", "$users:ann", "$USER:ann", "$user"}) {
    for (const Operation operation : {Operation::kPublish, Operation::kSubscribe}) {
      EXPECT_THAT(said(key("web"), operation, channel, open), StartsWith("this key")) << channel;
      EXPECT_THAT(said(all, operation, channel, open), StartsWith("this token")) << channel;
    }
  }
}

TEST_F(PrincipalTest, ListsNoMoreThanItMaySubscribeTo) {
  const auto listing = [](const Principal& principal, std::string_view pattern) {
    return said(may_list(principal, *auth::Glob::parse(pattern)));
  };
  const Principal rooms = bearer(R"({"capability":{"room:*":["subscribe"],"news":["publish"]}})");
  EXPECT_EQ(listing(rooms, "room:*"), "none");
  EXPECT_EQ(listing(rooms, "room:a*"), "none");
  EXPECT_EQ(listing(rooms, "*"),
            "this token may not subscribe to all channels that \"*\" takes");
  EXPECT_THAT(listing(rooms, "news"), StartsWith("this token may not"));
  EXPECT_EQ(listing(key("web"), "*"), "none");
  EXPECT_THAT(listing(key("small"), "room:*"), StartsWith("this key may not"));
}

TEST_F(PrincipalTest, SeesPersonalChannelsOfItsOwn) {
  const Principal ann = bearer(R"({"sub":"ann","capability":{"*":["*"]}})");
  EXPECT_TRUE(sees(ann, "news"));
  EXPECT_TRUE(sees(ann, "$user:ann"));
  EXPECT_FALSE(sees(ann, "$user:bob"));
  EXPECT_FALSE(sees(bearer("{}"), "$user:"));
  EXPECT_TRUE(sees(key("small"), "$user:bob"));
}

// ---- Managing ----

TEST_F(PrincipalTest, ManagesAUserByThePatternOfItsChannel) {
  const Principal one = bearer(R"({"capability":{"$user:ann":["manage"]}})");
  EXPECT_EQ(said(may_manage(one, "ann")), "none");
  EXPECT_EQ(said(may_manage(one, "bob")), "this token may not \"manage\" this user");
  EXPECT_EQ(said(may_manage(one, "")), "this token may not \"manage\" all clients");
  const Principal users = bearer(R"({"capability":{"$user:*":["manage"]}})");
  EXPECT_EQ(said(may_manage(users, "bob")), "none");
  EXPECT_EQ(said(may_manage(users, "*")), "none");
  EXPECT_THAT(said(may_manage(users, "")), HasSubstr("all clients"))
      << "nobody knows of which user a client is";
  // A user of that name is no pattern.
  EXPECT_THAT(said(may_manage(one, "*")), HasSubstr("this user"));
}

TEST_F(PrincipalTest, ManagesEverybodyWhereThePatternTakesEveryName) {
  const Principal all = bearer(R"({"capability":{"*":["manage"]}})");
  EXPECT_EQ(said(may_manage(all, "")), "none");
  EXPECT_EQ(said(may_manage(all, "ann")), "none");
  EXPECT_EQ(said(may_manage(key("web"), "")), "none");
  EXPECT_EQ(said(may_manage(key("small"), "")), "this key may not \"manage\" all clients");
}

TEST_F(PrincipalTest, EverythingIsNotToManage) {
  const Principal star = bearer(R"({"sub":"ann","capability":{"*":["*"]}})");
  EXPECT_THAT(said(may_manage(star, "")), HasSubstr("all clients"));
  EXPECT_THAT(said(may_manage(star, "ann")), HasSubstr("this user")) << "nor itself";
}

TEST_F(PrincipalTest, HandsOnNoMoreThanItHas) {
  const Principal rooms =
      bearer(R"({"capability":{"room:*":["publish","manage"],"room:1":["subscribe"]}})");
  const auto handing = [&](std::string_view json) {
    return said(may_hand_on(rooms, capability(json)));
  };
  EXPECT_EQ(handing("{}"), "none");
  EXPECT_EQ(handing(R"({"room:*":["publish"]})"), "none");
  EXPECT_EQ(handing(R"({"room:1":["subscribe","publish","manage"]})"), "none");
  EXPECT_EQ(handing(R"({"room:*":["publish","manage"],"room:1":["subscribe"]})"), "none");
  const std::string more = "the \"capability\" is more than this token has";
  EXPECT_EQ(handing(R"({"room:*":["subscribe"]})"), more);
  EXPECT_EQ(handing(R"({"room:2":["subscribe"]})"), more);
  EXPECT_EQ(handing(R"({"*":["publish"]})"), more);
  EXPECT_EQ(handing(R"({"room:1":["*"]})"), more);
  EXPECT_EQ(handing(R"({"room:1":["publish"],"news":["publish"]})"), more);
  EXPECT_EQ(said(may_hand_on(key("web"), capability(R"({"*":["*","manage"]})"))), "none");
  EXPECT_EQ(said(may_hand_on(key("small"), capability(R"({"*":["publish"]})"))),
            "the \"capability\" is more than this key has");
}

}  // namespace
}  // namespace anywire::protocol::api
