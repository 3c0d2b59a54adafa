// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// Does something with each element, on several threads at a time. The results are in the order of the elements; where one fails, the
/// others are done all the same.
///
/// - Parameter most: how many at a time, as many as there are processors if nothing else is said. For what waits it may be more.
@discardableResult
public func concurrently<Element: Sendable, Output: Sendable>(
  _ elements: [Element], most: Int = ProcessInfo.processInfo.activeProcessorCount,
  _ body: @escaping @Sendable (Element) throws -> Output
) throws -> [Output] {
  let work = Work<Output>(elements.count)
  @Sendable func run() {
    while let index = work.next() { work.set(index, Result { try body(elements[index]) }) }
  }
  let group = DispatchGroup()
  for _ in 1..<max(1, min(most, elements.count)) {
    group.enter()
    Thread {
      run()
      group.leave()
    }.start()
  }
  // This thread does its part: what it does not start, nobody waits for.
  run()
  group.wait()
  return try work.all()
}

/// What several threads take, and what they have made of it.
private final class Work<Output: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var taken = 0
  private var results: [Result<Output, any Error>?]

  init(_ count: Int) { results = Array(repeating: nil, count: count) }

  func next() -> Int? {
    lock.withLock {
      defer { taken += 1 }
      return taken < results.count ? taken : nil
    }
  }

  func set(_ index: Int, _ result: Result<Output, any Error>) {
    lock.withLock { results[index] = result }
  }

  func all() throws -> [Output] { try results.compactMap { try $0?.get() } }
}
