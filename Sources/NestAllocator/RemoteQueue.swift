// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// Blocks of a span that other threads have released, waiting for the owner.
//
// A stack that anyone pushes on and only the owner empties, all at once. One word holds its head, the number of blocks, and
// a suspicion:
//
//     63        48 47                          4     0
//     ┌───────────┬────────────────────────────┬─────┐
//     │  blocks   │ address of the first block │ · s │     s: some block looked free already when it was pushed
//     └───────────┴────────────────────────────┴─────┘
//
// Who pushes on an empty queue also puts the span into the inbox of its owner (a stack of spans, linked through `nextInInbox`).
// The owner takes the queue only of a span that it has found in its inbox, so a span is never in an inbox twice. The spans of
// an adopted heap may be found in the inbox of their last owner: whoever finds one sends it on.

struct RemoteQueue {
  struct Record: ~Copyable {
    var nextInInbox: Span?
    let word: Atomic<UInt>
  }

  let record: UnsafeMutablePointer<Record>

  @_noLocks
  init(of span: Span) {
    record = (UnsafeMutableRawPointer(span.record) + Chunk.remoteQueueOffset).assumingMemoryBound(to: Record.self)
  }

  private static var countShift: UInt { @_noLocks get { 48 } }
  private static var addressMask: UInt { @_noLocks get { (1 << countShift) - 16 } }

  @_noLocks
  static func first(_ word: UInt) -> FreeBlock? {
    UnsafeMutableRawPointer(bitPattern: word & addressMask).map(FreeBlock.init)
  }

  @_noLocks
  static func count(_ word: UInt) -> Int { Int(word >> countShift) }

  @_noLocks
  static func isSuspect(_ word: UInt) -> Bool { word & 1 != 0 }

  /// Pushes a list of `count` blocks. Returns whether the queue was empty.
  @_noLocks
  func push(first: FreeBlock, last: FreeBlock, count: Int, suspect: Bool) -> Bool {
    var old = record.pointee.word.load(ordering: .relaxed)
    while true {
      last.link(to: RemoteQueue.first(old))
      let flag = old & 1 | (suspect ? 1 : 0)
      let word = first.address | UInt(RemoteQueue.count(old) + count) << RemoteQueue.countShift | flag
      let (exchanged, now) = record.pointee.word.weakCompareExchange(
        expected: old, desired: word, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
      if exchanged { return old == 0 }
      old = now
    }
  }

  /// Empties the queue and returns its word. Owner's thread only.
  @_noLocks
  func take() -> UInt { record.pointee.word.exchange(0, ordering: .acquiringAndReleasing) }

  /// The word as it is. The owner may walk its blocks.
  var word: UInt { @_noLocks get { record.pointee.word.load(ordering: .acquiring) } }
}
