// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import XCTest

@testable import BenchmarkKit

final class ProcessTreeTests: XCTestCase {
  /// The exact count is there, where it may be read; else the rough one takes its place unseen.
  func testMemoryIsCountedFromThePageTables() throws {
    let before = try XCTUnwrap(ProcessTree.countedBytes(of: getpid()))
    let size = 32 << 20
    let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    defer { munmap(memory, size) }
    memset(memory, 1, size)
    let after = try XCTUnwrap(ProcessTree.countedBytes(of: getpid()))
    XCTAssertEqual(Double(after - before), Double(size), accuracy: 4e6)
    XCTAssertNil(ProcessTree.countedBytes(of: 0), "no process")
  }
}
