// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// What has been done already. A failure is not remembered.
final class Once: @unchecked Sendable {
  private let lock = NSLock()
  private var done: Set<String> = []

  func once(_ name: String, _ body: () throws -> Void) throws {
    lock.lock()
    defer { lock.unlock() }
    if done.contains(name) { return }
    try body()
    done.insert(name)
  }
}
