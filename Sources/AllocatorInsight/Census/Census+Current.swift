// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight

extension Census {
  /// Counts what is alive now.
  ///
  /// No thread is stopped. What is alive, or free, for all of the time that it takes is counted rightly; what is allocated or
  /// released meanwhile may be in it or not. Allocates some KiB, which are in it. May be called by any thread.
  ///
  /// Takes some 50 ns for each live block where all are looked at (see ``isExact``), and no lock of the allocator's for
  /// longer than a few dozen microseconds; as an estimate, a microsecond for each live sample. A type costs some 20 µs the first time.
  ///
  /// - Throws: ``Failure`` where the allocator cannot tell which blocks are live and no profile is under way, where the
  ///   system forbids the process to read its own memory with care, and where Swift's runtime lays out objects in another
  ///   way than that of Swift 6.
  public static func current() throws(Failure) -> Census {
    // What this allocates is no part of a profile.
    let left = insight_profile_leave_out()
    defer { insight_profile_take_in(left) }
    let start = monotonicSeconds()
    let counter = CensusCounter()
    if let refusal = counter.refusal { throw Failure(description: refusal) }
    var census: Census
    if let exact = counter.countAllBlocks() {
      census = exact
    } else if HeapProfiler.isRunning {
      census = counter.countSamples(HeapProfiler.state)
      census.profileStart = HeapProfiler.startTime
    } else {
      throw Failure(description: refusalWithoutProfile)
    }
    census.allocator = ProcessAllocator.current.name
    census.time = monotonicSeconds()
    census.seconds = census.time - start
    return census
  }

  /// Whether the allocator that answers `malloc` can tell which blocks are live.
  static var canBeExact: Bool {
    var walk = allocator_walk()
    var block = allocator_block()
    return insight_walk_blocks(&walk, &block, 1) >= 0
  }

  static var refusalWithoutProfile: String {
    "the allocator (\(ProcessAllocator.current.name)) cannot tell which blocks are live, and no heap profile is under way whose samples "
      + "could be counted instead: a census needs one, or Nest"
  }
}
