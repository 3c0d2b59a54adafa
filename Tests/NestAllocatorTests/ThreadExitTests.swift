// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestTestSupport
import NestAllocator
import XCTest

/// Destructors of thread-local values run after the thread has given its cache back, and allocate.
final class ThreadExitTests: XCTestCase {
  nonisolated(unsafe) static var key: pthread_key_t = 0

  func testDestructorsThatAllocate() throws {
    // Its destructor is one of them, and instrumented code that runs after it crashes.
    try XCTSkipIf(is_thread_sanitized() != 0, "skipped: the Thread Sanitizer ends with the thread")
    // In a process of its own: what other tests leave does not count.
    let (status, text) = MisuseTests.report { ThreadExitTests.exercise() }
    XCTAssertEqual(status, 0, "(2: chunks are left, 3: caches are left) \(text)")
  }

  private static func exercise() {
    // The allocator's own key is made first, and so its destructor runs first.
    PatternedBlock(size: 100).unsafelyUnwrapped.release()
    pthread_key_create(&Self.key) { value in
      guard let value else { return }
      NestAllocator.deallocate(value)
      PatternedBlock(size: 3000).unsafelyUnwrapped.release()
      // Another round, until the system has had enough of them: the thread's last block is lost, as it would be with any
      // allocator.
      let rounds = value.load(as: Int.self)
      guard rounds > 0, let next = NestAllocator.allocate(size: 64, align: 16) else { return }
      next.storeBytes(of: rounds - 1, as: Int.self)
      pthread_setspecific(ThreadExitTests.key, next)
    }
    let before = (NestAllocator.chunkCount, NestAllocator.cacheCount)
    for _ in 0..<300 {
      StressTests.onThreads(2) { _ in
        let blocks = (0..<100).map { PatternedBlock(size: 16 * $0).unsafelyUnwrapped }
        let value = NestAllocator.allocate(size: 64, align: 16).unsafelyUnwrapped
        value.storeBytes(of: 2, as: Int.self)
        pthread_setspecific(ThreadExitTests.key, value)
        blocks.forEach { $0.release() }
      }
    }
    if NestAllocator.chunkCount - before.0 >= 3 { exit(2) }
    // That of a thread that has just ended may still be there.
    if NestAllocator.cacheCount - before.1 > 4 { exit(3) }
  }
}
