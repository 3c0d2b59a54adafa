// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport
import Synchronization

/// A bump allocator: one number says where free memory begins, and an allocation moves it on.
///
///     start                        next                              end of the region
///     | block | block |   | block  |  free …                         |
///
/// Memory comes back only when the last block is released, so it suits programs that end soon. Any thread may move the number;
/// there is no lock, hence nothing that a fork could find taken.
enum BumpSample: AllocatorABI {
  /// Bytes of address space. Only pages that are written take up memory.
  private static let regionSize = 64 << 30

  /// Zeros when the process begins. `next` is 0 until the region is mapped.
  private struct State: ~Copyable {
    let next: Atomic<Int>
    let end: Atomic<Int>
  }

  // Safety: the storage is zeroed, aligned, larger than the state, and used by nothing else in the artifact.
  private static var state: UnsafeMutablePointer<State> {
    @_noLocks get { allocator_storage().assumingMemoryBound(to: State.self) }
  }

  @_noLocks
  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align), size <= regionSize, align <= regionSize else { return nil }
    var next = state.pointee.next.load(ordering: .acquiring)
    if next == 0 {
      guard mapRegion() else { return nil }
      next = state.pointee.next.load(ordering: .acquiring)
    }
    while true {
      let block = (next + align - 1) & ~(align - 1)
      let end = block + usableSize(size: size, align: align)
      if end > state.pointee.end.load(ordering: .relaxed) { return nil }
      let (moved, current) = state.pointee.next.compareExchange(
        expected: next, desired: end, ordering: .acquiringAndReleasing)
      if moved { return UnsafeMutableRawPointer(bitPattern: block) }
      next = current
    }
  }

  @_noLocks
  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    let block = Int(bitPattern: pointer)
    _ = moveNext(from: block + usableSize(size: oldSize, align: align), to: block)
  }

  @_noLocks
  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard isValid(size: size, align: align) else { return nil }
    if reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align) >= size { return pointer }
    guard let moved = allocate(size: size, align: align) else { return nil }
    allocator_copy(moved, pointer, oldSize)
    return moved
  }

  @_noLocks
  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    let (old, new) = (usableSize(size: oldSize, align: align), usableSize(size: size, align: align))
    let block = Int(bitPattern: pointer)
    let fits = isValid(size: size, align: align) && new <= state.pointee.end.load(ordering: .relaxed) - block
    return fits && moveNext(from: block + old, to: block + new) ? new : old
  }

  /// The size in whole multiples of 16 bytes, at least one.
  @_noLocks
  static func usableSize(size: Int, align: Int) -> Int {
    guard isValid(size: size, align: align), size <= regionSize else { return size }
    return size == 0 ? 16 : (size + 15) & ~15
  }

  /// Where the block before `next` ends there, its end becomes the end of all blocks.
  @_noLocks
  private static func moveNext(from next: Int, to end: Int) -> Bool {
    state.pointee.next.compareExchange(expected: next, desired: end, ordering: .acquiringAndReleasing).exchanged
  }

  /// Maps the region. Of several threads that do so at once, one prevails.
  @_noLocks
  private static func mapRegion() -> Bool {
    guard let region = allocator_map(regionSize) else { return false }
    let start = Int(bitPattern: region)
    let (mapped, _) = state.pointee.end.compareExchange(
      expected: 0, desired: start + regionSize, ordering: .acquiringAndReleasing)
    if mapped {
      state.pointee.next.store(start, ordering: .releasing)
      return true
    }
    allocator_unmap(region, regionSize)
    while state.pointee.next.load(ordering: .acquiring) == 0 {}
    return true
  }
}

/// The allocator that this target exports.
typealias LinkedAllocator = BumpSample
