// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Foundation
import Hummingbird
import NIOCore
import NIOPosix

/// A JSON service of the usual kind: `GET /items?page=N` gives 50 items, `POST /items` takes a list and answers with what it
/// adds up to.
///
/// Coding runs on a pool of threads, as work does that may block: with many threads, memory is allocated and freed on many.
public struct ItemService: Sendable {
  static let pageSize = 50

  private struct Total: Encodable {
    var count: Int
    var amount: Int
    var tags: Int
  }

  /// Serves on 127.0.0.1 until SIGTERM or SIGINT.
  ///
  /// - Parameters:
  ///   - port: the TCP port.
  ///   - threadCount: threads that do the coding, and as many again that do input and output.
  public static func serve(port: Int, threadCount: Int) async throws {
    let pool = NIOThreadPool(numberOfThreads: threadCount)
    pool.start()
    let application = Application(
      router: router(pool), configuration: .init(address: .hostname("127.0.0.1", port: port)),
      eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: threadCount)))
    try await application.runService()
    try await pool.shutdownGracefully()
  }

  static func router(_ pool: NIOThreadPool) -> Router<BasicRequestContext> {
    let router = Router()
    for path in ["memory", "metrics"] as [RouterPath] {
      router.get(path) { request, _ in
        let answer = InsightEndpoint.answer(path: request.uri.path, query: request.uri.query)
        return Response(
          status: .init(code: answer.status), headers: [.contentType: answer.contentType],
          body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.bytes)))
      }
    }
    router.get("items") { request, _ in
      let page = request.uri.queryParameters.get("page", as: Int.self) ?? 0
      return try await pool.runIfActive {
        let items = (0..<pageSize).map { Item.example(page * pageSize + $0) }
        return response(try JSONEncoder().encode(items))
      }
    }
    router.post("items") { request, _ in
      let body = try await request.body.collect(upTo: 4 << 20)
      return try await pool.runIfActive {
        let items = try JSONDecoder().decode([Item].self, from: Data(body.readableBytesView))
        let total = Total(
          count: items.count, amount: items.reduce(0) { $0 + $1.price.amount },
          tags: items.reduce(0) { $0 + $1.tags.count })
        return response(try JSONEncoder().encode(total))
      }
    }
    return router
  }

  private static func response(_ data: Data) -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
  }
}
