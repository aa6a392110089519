#include "front/front.h"

#include <utility>

namespace anywire::front {

Front::Front(net::FlushQueue& queue, const FrontOptions& options) {
  if (!options.files.empty()) {
    files_ = std::make_unique<Files>(queue.loop(), options.files, options.send_timeout);
  }
  if (options.proxy) proxy_ = std::make_unique<Proxy>(queue, *options.proxy);
}

bool Front::serve(http::Connection& connection, const http::RequestHead& head,
                  http::Response& response, std::shared_ptr<void> lease) {
  if (files_ && !head.upgrades_to_websocket && serve_file(connection, head, response)) return true;
  if (proxy_) {
    proxy_->serve(connection, head, response, std::move(lease));
    return true;
  }
  const bool reads = head.method == http::Method::kGet || head.method == http::Method::kHead;
  return reads && files_ && !head.upgrades_to_websocket && files_->serve_not_found(connection);
}

bool Front::serve_file(http::Connection& connection, const http::RequestHead& head,
                       http::Response& response) {
  if (head.method == http::Method::kGet || head.method == http::Method::kHead) {
    return files_->serve(connection, head);
  }
  // The application's server may know what to do with it.
  if (proxy_ || !files_->has(head)) return false;
  const bool asks = head.method == http::Method::kOptions;
  response.status = asks ? 204 : 405;
  response.headers.push_back({"Allow", "GET, HEAD, OPTIONS"});
  if (!asks) {
    response.content_type = "text/plain; charset=utf-8";
    response.body = "a file is for GET and HEAD\n";
  }
  return true;
}

std::size_t Front::descriptors() const {
  return (files_ ? files_->open_files() : 0) + (proxy_ ? proxy_->sockets() : 0);
}

void Front::drain() {
  if (proxy_) proxy_->drain();
}

}  // namespace anywire::front
