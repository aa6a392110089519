// Transfer: one request under way, as libcurl's easy interface sees it. Internal to fetch/.
//
// Thread: the loop's. Lifetime: at a fixed address from `prepare` until it is finished; the easy
// handle is reset and used again by the next one.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "fetch/client.h"

namespace anywire::fetch {

struct EasyCloser {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using EasyHandle = std::unique_ptr<CURL, EasyCloser>;

struct ListCloser {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

class Transfer {
 public:
  Transfer(EasyHandle easy, Request request, Done done);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Fills the easy handle in. The error says what is wrong with the request.
  std::expected<void, Error> prepare(const ClientOptions& options);
  CURL* easy() const { return easy_.get(); }

  // After libcurl has finished with it.
  Outcome outcome(CURLcode result);
  Done take_done() { return std::move(done_); }
  EasyHandle take_easy() { return std::move(easy_); }

 private:
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_send(char* into, std::size_t size, std::size_t count, void* self);
  static int on_rewind(void* self, curl_off_t offset, int origin);

  bool take_header(std::string_view line);
  bool set_headers();
  void set_method_and_body();
  bool was_sent() const;

  EasyHandle easy_;
  std::unique_ptr<curl_slist, ListCloser> list_;
  Request request_;
  Response response_;
  Done done_;
  std::size_t body_sent_ = 0;
  std::size_t head_bytes_ = 0;
  bool too_large_ = false;
  std::array<char, CURL_ERROR_SIZE> problem_{};
};

}  // namespace anywire::fetch
