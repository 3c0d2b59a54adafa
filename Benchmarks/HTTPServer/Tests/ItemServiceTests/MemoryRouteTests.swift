// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import Hummingbird
import HummingbirdTesting
import NIOPosix
import XCTest

@testable import ItemService

/// The report on memory, asked of a real server by HTTP.
final class MemoryRouteTests: XCTestCase {
  func testReportsAndMetrics() async throws {
    let pool = NIOThreadPool(numberOfThreads: 1)
    pool.start()
    let application = Application(
      router: ItemService.router(pool), configuration: .init(address: .hostname("127.0.0.1", port: 0)))
    try await application.test(.live) { client in
      try await client.execute(uri: "/metrics", method: .get) { response in
        XCTAssertEqual(response.status, .ok)
        XCTAssertEqual(response.headers[.contentType], "text/plain; version=0.0.4; charset=utf-8")
        let lines = String(buffer: response.body).split(separator: "\n")
        let resident = try XCTUnwrap(lines.first { $0.hasPrefix("memory_process_resident_bytes ") })
        XCTAssertGreaterThan(try XCTUnwrap(Int(resident.split(separator: " ")[1])), 1 << 20)
      }
      try await client.execute(uri: "/memory?format=json", method: .get) { response in
        let object = try JSONSerialization.jsonObject(with: Data(buffer: response.body)) as? [String: Any]
        XCTAssertNotNil((object?["verdict"] as? [String: Any])?["sentence"])
      }
      try await client.execute(uri: "/memory", method: .get) { response in
        XCTAssertTrue(String(buffer: response.body).contains("resident"))
      }
      try await client.execute(uri: "/memory?format=xml", method: .get) { response in
        XCTAssertEqual(response.status, .badRequest)
      }
    }
    try await pool.shutdownGracefully()
  }
}
