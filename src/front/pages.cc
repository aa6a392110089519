#include "front/pages.h"

#include <string>

namespace anywire::front {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kText = "text/plain; charset=utf-8";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string_view title(UpstreamFailure failure) {
  return failure == UpstreamFailure::kTimeout ? "The application does not answer"
                                              : "The application cannot be reached";
}

// What happened and what to do, for the person in front of `anywire dev`.
std::string advice(UpstreamFailure failure, std::string_view upstream, std::string_view detail) {
  std::string text;
  switch (failure) {
    case UpstreamFailure::kUnreachable:
      text.append("Nothing answers at ").append(upstream).append(". Is Next.js running? Start it ");
      text.append("with \"npx next dev\", or say with --front.upstream where it is.");
      break;
    case UpstreamFailure::kTimeout:
      text.append(upstream).append(" has not answered in time. Is it busy compiling? ");
      text.append("Its terminal tells; front.upstream_timeout is how long Anywire waits.");
      break;
    case UpstreamFailure::kStale:
    case UpstreamFailure::kBroken:
      text.append(upstream).append(" ended the connection before it had answered. ");
      text.append("Its terminal may tell why.");
      break;
    case UpstreamFailure::kGarbage:
      text.append(upstream).append(" does not answer as an HTTP server does");
      if (!detail.empty()) text.append(" (").append(detail).append(")");
      text.append(". Is something else listening there?");
      break;
  }
  return text;
}

std::string html_page(std::string_view heading, std::string_view text, bool reload) {
  std::string page = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">";
  // In development the page that was asked for appears as soon as there is one.
  if (reload) page += "<meta http-equiv=\"refresh\" content=\"2\">";
  page += "<meta name=\"viewport\" content=\"width=device-width\"><title>";
  page.append(heading).append("</title><style>body{font:16px/1.5 system-ui,sans-serif;");
  page += "max-width:40rem;margin:15vh auto;padding:0 1rem}</style></head><body><h1>";
  page.append(heading).append("</h1><p>").append(escaped(text)).append("</p></body></html>\n");
  return page;
}

}  // namespace

std::string_view describe(UpstreamFailure failure) {
  switch (failure) {
    case UpstreamFailure::kUnreachable: return "no connection";
    case UpstreamFailure::kStale: return "a resting connection was dead";
    case UpstreamFailure::kBroken: return "it ended the connection";
    case UpstreamFailure::kGarbage: return "not an HTTP response";
    case UpstreamFailure::kTimeout: return "no answer in time";
  }
  return "";
}

http::Response failure_page(UpstreamFailure failure, std::string_view detail,
                            const PageOptions& options) {
  const std::string text = options.explain ? advice(failure, options.upstream, detail)
                                           : "Please try again in a moment.";
  http::Response response;
  response.status = failure == UpstreamFailure::kTimeout ? 504 : 502;
  response.headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  if (options.html) {
    response.content_type = kHtml;
    response.body = html_page(title(failure), text, options.explain);
  } else {
    response.content_type = kText;
    response.body.append(title(failure)).append(". ").append(text).append("\n");
  }
  return response;
}

http::Response busy_page() {
  http::Response response;
  response.status = 503;
  response.content_type = kText;
  response.headers = {{"Retry-After", "1"}, {"Cache-Control", "no-store"}};
  response.body = "The application has as many requests as it may have. Please try again.\n";
  return response;
}

}  // namespace anywire::front
