// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorTesting
import Testing

/// The same under Swift Testing, several at a time.
@Suite struct SwiftTestingTests {
  @Test(arguments: 0..<8) func holdsBesideOtherTests(_ number: Int) async {
    for _ in 0..<25 {
      // A yield makes a job of its own.
      await expectAllocations(atMost: 102) {
        await Task.yield()
        _ = makeSessions(100).count
      }
      await expectNoLeaks {
        _ = makeSessions(100).count
        await Task.yield()
      }
    }
  }

  @Test func failsAtTheLineOfTheCall() async {
    let line = #line + 2
    withKnownIssue {
      expectAllocations(atMost: 100) { _ = makeSessions(100).count }
    } matching: { issue in
      issue.sourceLocation?.line == line && issue.sourceLocation?.fileName == "SwiftTestingTests.swift"
        && issue.comments.contains { "\($0)".contains("101 allocations of ") && "\($0)".contains("makeSessions") }
    }
    let session = Kept()
    await withKnownIssue {
      await expectNoLeaks(within: 0.01) {
        await Task.yield()
        session.value = leakSession()
      }
    } matching: { issue in
      issue.comments.contains { "\($0)".contains("1 × AllocatorTestingTests.Session") }
    }
    session.value?.takeUnretainedValue().onClose = nil
  }
}

private final class Kept: @unchecked Sendable {
  var value: Unmanaged<Session>?
}
