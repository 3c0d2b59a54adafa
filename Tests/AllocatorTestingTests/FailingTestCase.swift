// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import XCTest

/// A test case that can look at its own failures.
class FailingTestCase: XCTestCase {
  struct Failure: Equatable {
    var message: String
    var file: String
    var line: Int
  }

  private let lock = NSLock()
  private var caught: [Failure]?

  /// The failures that `body` has, which are none of the test then.
  func failures(_ body: () throws -> Void) rethrows -> [Failure] {
    lock.withLock { caught = [] }
    defer { lock.withLock { caught = nil } }
    try body()
    return lock.withLock { caught ?? [] }
  }

  func failures(_ body: () async throws -> Void) async rethrows -> [Failure] {
    lock.withLock { caught = [] }
    defer { lock.withLock { caught = nil } }
    try await body()
    return lock.withLock { caught ?? [] }
  }

  override func recordFailure(
    withDescription description: String, inFile filePath: String, atLine lineNumber: Int, expected: Bool
  ) {
    let wasCaught = lock.withLock {
      caught?.append(Failure(message: description, file: filePath, line: lineNumber))
      return caught != nil
    }
    guard !wasCaught else { return }
    super.recordFailure(withDescription: description, inFile: filePath, atLine: lineNumber, expected: expected)
  }
}
