// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// Memory that the system would not take back, until it does, or until somebody wants as much.
//
// munmap(2) can fail: where a mapping would become two and the process has as many as the system allows (65,530 by default).
// The pages then go back, all but the first, and the range waits here, in a list that runs through the ranges themselves. Each
// further call tries again with one of them.

struct UnreturnedRanges {
  struct State: ~Copyable {
    var first: UnsafeMutablePointer<Range>?
    /// Read without the lock.
    let count: Atomic<Int>
  }

  /// What a range begins with.
  struct Range {
    var next: UnsafeMutablePointer<Range>?
    /// Bytes.
    var size: Int
    /// Whether all behind this is zeros.
    var isZeroed: Bool
  }

  private let state: UnsafeMutablePointer<State>

  @_noLocks
  private init(_ storage: UnsafeMutableRawPointer) { state = storage.assumingMemoryBound(to: State.self) }

  static var shared: UnreturnedRanges { @_noLocks get { UnreturnedRanges(nest_unreturned_ranges()) } }

  var lock: Lock { @_noLocks get { Lock(nest_lock(NEST_UNRETURNED_RANGES_LOCK)) } }

  /// How many there are. Costs a load.
  var count: Int { @_noLocks get { state.pointee.count.load(ordering: .relaxed) } }

  /// Keeps a range that the system has refused. Its contents are lost.
  @_noLocks
  func keep(_ start: UnsafeMutableRawPointer, _ size: Int) {
    insert(start, size, isZeroed: nest_purge(start, size) != 0)
  }

  /// Tries to give the system one of the ranges. Returns whether it has taken it.
  @_noLocks @inline(never) @discardableResult
  func retry() -> Bool {
    lock.lock()
    let first = state.pointee.first
    if let first { remove(first, after: nil) }
    lock.unlock()
    guard let first else { return false }
    let (size, isZeroed) = (first.pointee.size, first.pointee.isZeroed)
    if nest_unmap(first, size) != 0 { return true }
    insert(UnsafeMutableRawPointer(first), size, isZeroed: isZeroed)
    return false
  }

  /// Takes `size` zeroed bytes at a multiple of `align`, both multiples of the page size; nil where no range has so much.
  @_noLocks @inline(never)
  func take(_ size: Int, align: Int) -> UnsafeMutableRawPointer? {
    lock.lock()
    var (found, start): (UnsafeMutablePointer<Range>?, UInt) = (nil, 0)
    var previous: UnsafeMutablePointer<Range>?
    var candidate = state.pointee.first
    while let range = candidate {
      // From the end: the start has been written.
      let first = UInt(bitPattern: range)
      if range.pointee.size >= size {
        start = (first + UInt(range.pointee.size - size)) & ~UInt(align - 1)
        if start >= first {
          remove(range, after: previous)
          found = range
          break
        }
      }
      (previous, candidate) = (range, range.pointee.next)
    }
    lock.unlock()
    guard let found else { return nil }
    let (whole, isZeroed) = (found.pointee.size, found.pointee.isZeroed)
    let before = Int(start - UInt(bitPattern: found))
    let taken = UnsafeMutableRawPointer(found) + before
    if before == 0 {
      nest_zero(taken, MemoryLayout<Range>.size)
    } else {
      insert(UnsafeMutableRawPointer(found), before, isZeroed: isZeroed)
    }
    if before + size < whole { insert(taken + size, whole - before - size, isZeroed: isZeroed) }
    if !isZeroed { nest_zero(taken, size) }
    return taken
  }

  /// Puts a range in, by address, and in one with those that it touches.
  @_noLocks
  private func insert(_ start: UnsafeMutableRawPointer, _ size: Int, isZeroed: Bool) {
    lock.lock()
    defer { lock.unlock() }
    var previous: UnsafeMutablePointer<Range>?
    var candidate = state.pointee.first
    while let range = candidate, UInt(bitPattern: range) < UInt(bitPattern: start) {
      (previous, candidate) = (range, range.pointee.next)
    }
    var (size, isZeroed) = (size, isZeroed)
    if let next = candidate, UnsafeMutableRawPointer(next) == start + size {
      size += next.pointee.size
      isZeroed = isZeroed && next.pointee.isZeroed
      remove(next, after: previous)
      nest_zero(next, MemoryLayout<Range>.size)
    }
    if let previous, UnsafeMutableRawPointer(previous) + previous.pointee.size == start {
      previous.pointee.isZeroed = isZeroed && previous.pointee.isZeroed
      previous.pointee.size += size
      return
    }
    let range = start.assumingMemoryBound(to: Range.self)
    range.pointee.size = size
    range.pointee.isZeroed = isZeroed
    if let previous { range.pointee.next = previous.pointee.next } else { range.pointee.next = state.pointee.first }
    if let previous { previous.pointee.next = range } else { state.pointee.first = range }
    state.pointee.count.add(1, ordering: .relaxed)
  }

  @_noLocks
  private func remove(_ range: UnsafeMutablePointer<Range>, after previous: UnsafeMutablePointer<Range>?) {
    if let previous { previous.pointee.next = range.pointee.next } else { state.pointee.first = range.pointee.next }
    state.pointee.count.subtract(1, ordering: .relaxed)
  }
}
