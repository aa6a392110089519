// A folder as a web site, asked over real sockets.
#include "front/files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "front/testing/site.h"
#include "front/testing/stage.h"
#include "http/date.h"

namespace anywire::front {
namespace {

class FilesTest : public Stage {
 protected:
  FilesTest() { use({.files = site.folder().string(), .send_timeout = Duration{10'000}}); }

  // The whole answer; the connection ends behind it.
  std::string ask(std::string_view target, std::string_view fields = {},
                  std::string_view method = "GET") {
    Peer client = connect();
    client.say(std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" +
               std::string(fields) + "Connection: close\r\n\r\n");
    EXPECT_TRUE(until_ended(client)) << target;
    return client.take_heard();
  }
  static std::string body_of(const std::string& answer) {
    const std::size_t end = answer.find("\r\n\r\n");
    return end == std::string::npos ? "no answer" : answer.substr(end + 4);
  }
  static std::string status_of(const std::string& answer) { return answer.substr(9, 3); }
  static std::string field(const std::string& answer, std::string_view name) {
    const std::string start = "\r\n" + std::string(name) + ": ";
    const std::size_t at = answer.find(start);
    if (at == std::string::npos || at > answer.find("\r\n\r\n")) return "absent";
    const std::size_t value = at + start.size();
    return answer.substr(value, answer.find("\r\n", value) - value);
  }

  Site site;
};

TEST_F(FilesTest, SendsAFileWithWhatIsKnownOfIt) {
  site.put("app.js", "let x = 1;");
  const std::string answer = ask("/app.js?v=1");
  EXPECT_EQ(status_of(answer), "200");
  EXPECT_EQ(body_of(answer), "let x = 1;");
  EXPECT_EQ(field(answer, "Content-Length"), "10");
  EXPECT_EQ(field(answer, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(field(answer, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(field(answer, "Accept-Ranges"), "bytes");
  EXPECT_EQ(field(answer, "Cache-Control"), "public, max-age=0, must-revalidate");
  EXPECT_TRUE(field(answer, "ETag").starts_with("W/\"a-")) << answer;
  EXPECT_NE(field(answer, "Last-Modified"), "absent");
}

TEST_F(FilesTest, HeadSaysTheSameWithoutTheBody) {
  site.put("a.txt", "12345");
  const std::string answer = ask("/a.txt", {}, "HEAD");
  EXPECT_EQ(field(answer, "Content-Length"), "5");
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(FilesTest, AnEmptyFileIsAnAnswer) {
  site.put("empty.txt", "");
  const std::string answer = ask("/empty.txt");
  EXPECT_EQ(status_of(answer), "200");
  EXPECT_EQ(field(answer, "Content-Length"), "0");
  EXPECT_EQ(body_of(answer), "");
  EXPECT_EQ(status_of(ask("/empty.txt", "Range: bytes=0-\r\n")), "416") << "it has no parts";
}

TEST_F(FilesTest, NamesThatChangeWithTheirContentAreKept) {
  site.put("_next/static/x.css", "a{}");
  EXPECT_EQ(field(ask("/_next/static/x.css"), "Cache-Control"),
            "public, max-age=31536000, immutable");
}

TEST_F(FilesTest, PagesHaveTheirNamesWithoutTheEnding) {
  site.put("index.html", "home");
  site.put("about.html", "about");
  site.put("blog/index.html", "blog");
  EXPECT_EQ(body_of(ask("/")), "home");
  EXPECT_EQ(body_of(ask("/about")), "about");
  EXPECT_EQ(body_of(ask("/about.html")), "about");
  EXPECT_EQ(body_of(ask("/blog/")), "blog");
  EXPECT_EQ(body_of(ask("/%61bout")), "about");
}

TEST_F(FilesTest, WhoAsksForTheOtherSlashIsSentThere) {
  site.put("about.html", "about");
  site.put("blog/index.html", "blog");
  std::string answer = ask("/blog?a=b");
  EXPECT_EQ(status_of(answer), "308");
  EXPECT_EQ(field(answer, "Location"), "/blog/?a=b");
  answer = ask("/about/");
  EXPECT_EQ(status_of(answer), "308");
  EXPECT_EQ(field(answer, "Location"), "/about");
}

TEST_F(FilesTest, ARedirectionLeadsToNoOtherHost) {
  site.put("evil.example/index.html", "x");
  for (const char* target : {"//evil.example", "//evil.example/", "/\\evil.example"}) {
    const std::string answer = ask(target);
    EXPECT_EQ(field(answer, "Location"), "absent") << target;
    EXPECT_NE(status_of(answer), "308") << target;
  }
}

TEST_F(FilesTest, WhatIsNotThereHasAPage) {
  EXPECT_EQ(status_of(ask("/none")), "404");
  site.put("404.html", "nothing here");
  const std::string answer = ask("/none", "Range: bytes=0-1\r\nIf-None-Match: *\r\n");
  EXPECT_EQ(status_of(answer), "404");
  EXPECT_EQ(body_of(answer), "nothing here");
  EXPECT_EQ(body_of(ask("/none", {}, "HEAD")), "");
}

TEST_F(FilesTest, NothingOutsideAndNothingHiddenIsSent) {
  site.put("../secret.txt", "outside");
  site.put(".env", "SECRET=1");
  site.put("a/.git/config", "hidden");
  site.put(".well-known/security.txt", "mail us");
  site.link("link.txt", site.outside() / "secret.txt");
  for (const char* target : {"/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
                             "/a/../../secret.txt", "/link.txt", "/.env", "/%2eenv", "//secret.txt",
                             "/a/.git/config", "/./.env", "/.env/"}) {
    const std::string answer = ask(target);
    EXPECT_TRUE(status_of(answer) == "404" || status_of(answer) == "400") << target << answer;
    EXPECT_EQ(answer.find("outside"), std::string::npos) << target;
    EXPECT_EQ(answer.find("SECRET"), std::string::npos) << target;
  }
  EXPECT_EQ(body_of(ask("/.well-known/security.txt")), "mail us");
}

TEST_F(FilesTest, FoldersAreNotListed) {
  site.put("folder/x.txt", "x");
  EXPECT_EQ(status_of(ask("/folder/")), "404");
  EXPECT_EQ(status_of(ask("/folder")), "404");
  EXPECT_EQ(status_of(ask("/")), "404");
}

TEST_F(FilesTest, WhatTheClientHasIsNotSentAgain) {
  site.put("a.txt", "12345");
  const std::string first = ask("/a.txt");
  const std::string tag = field(first, "ETag");
  const std::string since = "If-Modified-Since: " + field(first, "Last-Modified") + "\r\n";
  for (const std::string& fields : {"If-None-Match: " + tag + "\r\n", since}) {
    const std::string answer = ask("/a.txt", fields);
    EXPECT_EQ(status_of(answer), "304") << fields;
    EXPECT_EQ(field(answer, "ETag"), tag);
    EXPECT_EQ(field(answer, "Content-Type"), "absent");
    EXPECT_EQ(body_of(answer), "");
  }
  EXPECT_EQ(status_of(ask("/a.txt", "If-Match: \"other\"\r\n")), "412");
}

TEST_F(FilesTest, PartsOfAFile) {
  site.put("a.txt", "0123456789");
  std::string answer = ask("/a.txt", "Range: bytes=2-4\r\n");
  EXPECT_EQ(status_of(answer), "206");
  EXPECT_EQ(field(answer, "Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(body_of(answer), "234");
  EXPECT_EQ(body_of(ask("/a.txt", "Range: bytes=-3\r\n")), "789");
  answer = ask("/a.txt", "Range: bytes=20-\r\n");
  EXPECT_EQ(status_of(answer), "416");
  EXPECT_EQ(field(answer, "Content-Range"), "bytes */10");
}

TEST_F(FilesTest, SeveralPartsOfAFile) {
  site.put("a.txt", "0123456789");
  const std::string answer = ask("/a.txt", "Range: bytes=0-1,8-\r\n");
  EXPECT_EQ(status_of(answer), "206");
  const std::string type = field(answer, "Content-Type");
  const std::string_view kType = "multipart/byteranges; boundary=";
  ASSERT_TRUE(type.starts_with(kType)) << type;
  const std::string line = "\r\n--" + type.substr(kType.size());
  const std::string part = "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes ";
  EXPECT_EQ(body_of(answer), line + part + "0-1/10\r\n\r\n01" + line + part + "8-9/10\r\n\r\n89" +
                                 line + "--\r\n");
  EXPECT_EQ(field(answer, "Content-Length"), std::to_string(body_of(answer).size()));
}

TEST_F(FilesTest, PackedSiblingsGoToWhoTakesThem) {
  site.put("app.js", "plain");
  site.put("app.js.br", "brotli");
  site.put("app.js.gz", "gzip");
  site.put("x.png", "image");
  site.put("x.png.gz", "never");
  std::string answer = ask("/app.js", "Accept-Encoding: gzip, br\r\n");
  EXPECT_EQ(body_of(answer), "brotli");
  EXPECT_EQ(field(answer, "Content-Encoding"), "br");
  EXPECT_EQ(field(answer, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(body_of(ask("/app.js", "Accept-Encoding: gzip, br;q=0\r\n")), "gzip");
  answer = ask("/app.js");
  EXPECT_EQ(body_of(answer), "plain");
  EXPECT_EQ(field(answer, "Vary"), "Accept-Encoding") << "a cache must know";
  EXPECT_EQ(body_of(ask("/app.js", "Accept-Encoding: br\r\nRange: bytes=0-1\r\n")), "pl");
  EXPECT_EQ(body_of(ask("/x.png", "Accept-Encoding: gzip\r\n")), "image");
}

TEST_F(FilesTest, OtherMethodsAreRefusedWhereThereIsAFile) {
  site.put("a.txt", "x");
  std::string answer = ask("/a.txt", "Content-Length: 0\r\n", "POST");
  EXPECT_EQ(status_of(answer), "405");
  EXPECT_EQ(field(answer, "Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(status_of(ask("/a.txt", {}, "OPTIONS")), "204");
  EXPECT_EQ(status_of(ask("/none", "Content-Length: 0\r\n", "POST")), "404");
}

TEST_F(FilesTest, ANewBuildMayTakeThePlaceOfTheFolder) {
  site.put("a.txt", "old");
  EXPECT_EQ(body_of(ask("/a.txt")), "old");
  std::filesystem::remove_all(site.folder());
  EXPECT_EQ(status_of(ask("/a.txt")), "404");
  site.put("a.txt", "new");
  EXPECT_EQ(body_of(ask("/a.txt")), "new");
}

TEST_F(FilesTest, ALargeFileIsSentAsFastAsItIsTaken) {
  const std::size_t size = 30 << 20;
  std::string content(size, '\0');
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 + i / 65'521);
  site.put("large.bin", content);
  Peer client = connect();
  client.say("GET /large.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(until_heard(client, "\r\n\r\n"));
  settle();
  EXPECT_EQ(front->descriptors(), 1u) << "it waits for the client";
  ASSERT_TRUE(until_ended(client));
  EXPECT_TRUE(body_of(client.hear()) == content);
  EXPECT_EQ(front->descriptors(), 0u);
}

TEST_F(FilesTest, AClientThatTakesNothingIsGivenUp) {
  site.put("large.bin", std::string(30 << 20, 'x'));
  Peer client = connect();
  client.say("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(until([&] { return front->descriptors() == 1; }));
  settle();
  pass(Duration{9'000});
  EXPECT_EQ(front->descriptors(), 1u);
  pass(Duration{12'000});
  EXPECT_EQ(front->descriptors(), 0u);
  ASSERT_TRUE(until_ended(client));
  EXPECT_LT(client.hear().size(), std::size_t{30} << 20);
}

TEST_F(FilesTest, AClientThatLeavesFreesItsFile) {
  site.put("large.bin", std::string(30 << 20, 'x'));
  Peer client = connect();
  client.say("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(until([&] { return front->descriptors() == 1; }));
  client.hang_up();
  EXPECT_TRUE(until([&] { return front->descriptors() == 0; }));
}

TEST_F(FilesTest, AFileThatShrinksBreaksTheAnswer) {
  const std::size_t size = 30 << 20;
  site.put("large.bin", std::string(size, 'x'));
  Peer client = connect();
  client.say("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(until([&] { return front->descriptors() == 1; }));
  settle();
  std::filesystem::resize_file(site.folder() / "large.bin", 1'000);
  ASSERT_TRUE(until_ended(client));
  EXPECT_LT(client.hear().size(), size) << "never a part for the whole";
  EXPECT_EQ(front->descriptors(), 0u);
}

TEST_F(FilesTest, AFolderThatIsNotThereIsSaidAtTheStart) {
  EXPECT_TRUE(Files::check(site.folder().string()));
  const auto checked = Files::check("/nowhere/at/all");
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find("/nowhere/at/all"), std::string::npos);
}

// --- files and an application's server together ---

class FrontTest : public FilesTest {
 protected:
  FrontTest() {
    ProxyOptions proxy;
    proxy.upstream = upstream();
    use({.files = site.folder().string(), .proxy = proxy});
  }
};

TEST_F(FrontTest, FilesComeFirstAndTheRestGoesOn) {
  site.put("a.txt", "file");
  site.put("404.html", "the site's");
  EXPECT_EQ(body_of(ask("/a.txt")), "file");
  Peer client = connect();
  client.say("GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
  Peer app = next_request("GET /none");
  app.say("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\napp's");
  EXPECT_TRUE(until_heard(client, "\r\n\r\napp's")) << "it says what is not there";
}

TEST_F(FrontTest, MethodsThatAFileHasNotGoOn) {
  site.put("a.txt", "file");
  Peer client = connect();
  client.say("DELETE /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
  Peer app = next_request("DELETE /a.txt");
  app.say("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE(until_heard(client, "HTTP/1.1 204"));
}

}  // namespace
}  // namespace anywire::front
