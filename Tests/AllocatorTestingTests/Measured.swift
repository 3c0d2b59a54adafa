// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// What the tests measure.
final class Session {
  var onClose: (() -> Void)?
  let values = (1, 2, 3, 4, 5, 6, 7, 8)
}

@inline(never) func makeSessions(_ count: Int) -> [Session] {
  var sessions: [Session] = []
  sessions.reserveCapacity(count)
  for _ in 0..<count { sessions.append(Session()) }
  return sessions
}

/// What the compiler cannot see through: it leaves out a block that nobody uses.
@inline(never) func keep(_ block: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  lastBlock = block
  return lastBlock
}

@inline(never) func giveBack(_ block: UnsafeMutableRawPointer?) {
  lastBlock = block
  free(lastBlock)
}

nonisolated(unsafe) private var lastBlock: UnsafeMutableRawPointer?

/// A closure that holds what holds it.
@inline(never) func leakSession() -> Unmanaged<Session> {
  let session = Session()
  let number = Int.random(in: 0...9)
  session.onClose = { precondition(session.values.0 != number + 2) }
  return Unmanaged.passUnretained(session)
}

actor Store {
  private var sessions: [Session] = []

  func add(_ count: Int) { sessions += makeSessions(count) }
}

/// A thread and a task that allocate without pause until they are told to stop: two processors are busy.
final class Noise: @unchecked Sendable {
  private let condition = NSCondition()
  private var mustStop = false
  private var running = 0

  init() {
    running = 2
    Thread { [self] in
      while !isOver { _ = makeSessions(50).count }
      end()
    }.start()
    Task.detached { [self] in
      while !isOver {
        _ = makeSessions(20).count
        await Task.yield()
      }
      end()
    }
  }

  private var isOver: Bool { condition.withLock { mustStop } }

  private func end() {
    condition.withLock {
      running -= 1
      condition.broadcast()
    }
  }

  func stop() {
    condition.withLock {
      mustStop = true
      while running > 0 { condition.wait() }
    }
  }
}
