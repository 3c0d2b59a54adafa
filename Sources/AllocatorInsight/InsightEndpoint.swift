// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// The report for an HTTP server, whichever that is: a function from path and query to what is to be sent.
///
/// ```swift
/// router.get("memory") { request, _ in
///   let answer = InsightEndpoint.answer(path: request.uri.path, query: request.uri.query)
///   return Response(…)
/// }
/// ```
public enum InsightEndpoint {
  /// What is to be sent.
  public struct Answer: Equatable, Sendable {
    /// An HTTP status (RFC 9110).
    public var status: Int
    /// The value of the field `Content-Type`.
    public var contentType: String
    public var bytes: [UInt8]
  }

  /// Answers a request with the method GET.
  ///
  /// A path that ends in `/metrics` gets Prometheus's text format; one that ends in `/memory` the report as text, or with
  /// `format=json` or `format=prometheus` in the query as that. Nothing that a client sends changes anything.
  ///
  /// - Parameters:
  ///   - path: of the URI, with or without what the server is mounted at.
  ///   - query: of the URI, without the question mark; nil or empty where there is none.
  /// - Returns: status 404 for another path, 400 for another format.
  public static func answer(path: String, query: String? = nil) -> Answer {
    let last = path.split(separator: "/").last.map(String.init) ?? ""
    var format = "text"
    for pair in (query ?? "").split(separator: "&") where pair.hasPrefix("format=") {
      format = String(pair.dropFirst("format=".count))
    }
    switch (last, format) {
    case ("metrics", _), ("memory", "prometheus"):
      return Answer(200, "text/plain; version=0.0.4; charset=utf-8", MemoryReport.current().prometheus)
    case ("memory", "text"):
      return Answer(200, "text/plain; charset=utf-8", MemoryReport.current().description + "\n")
    case ("memory", "json"): return Answer(200, "application/json", MemoryReport.current().json + "\n")
    case ("memory", _): return Answer(400, "text/plain; charset=utf-8", "format is text, json or prometheus\n")
    default: return Answer(404, "text/plain; charset=utf-8", "there are /memory and /metrics\n")
    }
  }
}

extension InsightEndpoint.Answer {
  init(_ status: Int, _ contentType: String, _ text: String) {
    self.init(status: status, contentType: contentType, bytes: Array(text.utf8))
  }
}
