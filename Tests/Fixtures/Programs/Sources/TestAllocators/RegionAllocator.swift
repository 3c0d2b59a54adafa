// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport
import Synchronization

/// Memory from one region of 64 MiB, which is used up and never reused. The size of a block stands in front of it.
public enum RegionAllocator: MallocABI, OwnershipTesting {
  @usableFromInline
  struct State: ~Copyable {
    /// The region, or 0 before the first request.
    @usableFromInline let start: Atomic<Int>
    @usableFromInline let used: Atomic<Int>
  }

  @inlinable
  static var state: UnsafeMutablePointer<State> {
    @_noLocks get { allocator_storage().assumingMemoryBound(to: State.self) }
  }

  @inlinable
  static var size: Int { @_noLocks get { 64 << 20 } }

  @_noLocks
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align), size <= Self.size, align <= 4096 else { return nil }
    var start = state.pointee.start.load(ordering: .acquiring)
    if start == 0 {
      guard let region = allocator_map(Self.size) else { return nil }
      let (isFirst, other) = state.pointee.start.compareExchange(
        expected: 0, desired: Int(bitPattern: region), ordering: .acquiringAndReleasing)
      start = isFirst ? Int(bitPattern: region) : other
    }
    let alignment = align < 16 ? 16 : align
    let taken = size + 16 + alignment
    let end = state.pointee.used.wrappingAdd(taken, ordering: .relaxed).newValue
    guard end <= Self.size else {
      state.pointee.used.wrappingSubtract(taken, ordering: .relaxed)
      return nil
    }
    let address = (start + end - size) & -alignment
    let block = UnsafeMutableRawPointer(bitPattern: address)
    block?.storeBytes(of: size, toByteOffset: -8, as: Int.self)
    return block
  }

  @_noLocks
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    allocate(size: size, align: align)
  }

  @_noLocks
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) { deallocate(pointer) }

  @_noLocks
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    if !owns(pointer) { allocator_stop("deallocate", pointer, "a block of another allocator") }
  }

  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard let moved = allocate(size: size, align: align) else { return nil }
    allocator_copy(moved, pointer, oldSize < size ? oldSize : size)
    return moved
  }

  @_noLocks
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    reallocate(pointer, oldSize: usableSize(of: pointer), size: size, align: 16)
  }

  @_noLocks
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    oldSize
  }

  @_noLocks
  public static func usableSize(size: Int, align: Int) -> Int { size }

  @_noLocks
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    if !owns(pointer) { allocator_stop("usableSize", pointer, "a block of another allocator") }
    return pointer.load(fromByteOffset: -8, as: Int.self)
  }

  @_noLocks
  public static func owns(_ pointer: UnsafeMutableRawPointer) -> Bool {
    let offset = Int(bitPattern: pointer) - state.pointee.start.load(ordering: .relaxed)
    return offset >= 0 && offset < size
  }
}
