// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Glibc
import Synchronization

#if canImport(Testing)
  import Testing
#endif
#if canImport(XCTest)
  import XCTest
#endif

/// A place in the source of a test, at which the test fails.
struct SourcePlace {
  var fileID: StaticString
  var filePath: StaticString
  var line: UInt
  var column: UInt

  /// Has the test fail that runs, by the framework that runs it.
  func fail(_ message: String) {
    #if canImport(Testing)
      let location = SourceLocation(
        fileID: "\(fileID)", filePath: "\(filePath)", line: Int(line), column: Int(column))
      if Test.current != nil {
        Issue.record(Comment(rawValue: message), sourceLocation: location)
        return
      }
    #endif
    // Of the two calls, the one for the framework that does not run has no effect.
    #if canImport(XCTest)
      XCTFail(message, file: filePath, line: line)
    #endif
    #if canImport(Testing)
      Issue.record(Comment(rawValue: message), sourceLocation: location)
    #endif
  }

  /// Says that nothing could be measured. Under a sanitizer that is no failure of the test.
  func fail(_ reason: AllocationScope.Unavailable) {
    guard reason.isSanitizer else { return fail("allocations cannot be seen here: \(reason)") }
    if !Self.hasSaidSo.exchange(true, ordering: .relaxed) {
      let line = Array("AllocatorTesting checks nothing: \(reason)\n".utf8)
      _ = write(STDERR_FILENO, line, line.count)
    }
  }

  private static let hasSaidSo = Atomic(false)
}
