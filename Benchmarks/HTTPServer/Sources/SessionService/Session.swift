// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Somebody who is logged in.
final class Session: @unchecked Sendable {
  let user: Int
  /// What a token is checked with.
  let key: InlineArray<24, UInt64>
  var requests = 0
  /// What is to be done when the session is over.
  var onExpire: (() -> Void)?

  init(user: Int) {
    self.user = user
    key = InlineArray { UInt64(user) &* 0x9e37_79b9_7f4a_7c15 &+ UInt64($0) }
  }

  func close() { onExpire = nil }
}

/// The sessions that are open.
actor SessionStore {
  private var sessions: [Int: Session] = [:]

  var count: Int { sessions.count }

  func insert(_ session: Session) { sessions[session.user] = session }

  func remove(_ user: Int) { sessions[user] = nil }
}

/// Knows who may log in.
actor Directory {
  func isKnown(_ user: Int) async -> Bool {
    await Task.yield()
    return user >= 0
  }
}
