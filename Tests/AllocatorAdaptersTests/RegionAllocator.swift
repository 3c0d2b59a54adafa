// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorSupport
import Foundation

/// Blocks of powers of two in a region of 1 MiB, which is soon full: a part for allocators that are made of several.
enum RegionAllocator: MallocABI, OwnershipTesting {
  static let size = 1 << 20
  /// A byte for each slot of 16 bytes, with the binary logarithm of the block that begins there.
  private struct State {
    let region = allocator_map(size)!
    var used = 0
    var free: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: 32)
    var logarithms: [UInt8] = Array(repeating: 0, count: size / 16)

    init() {
      for index in free.indices { free[index].reserveCapacity(1 << 16) }
    }
  }

  nonisolated(unsafe) private static var state = State()
  private static let lock = NSLock()

  /// Makes the whole region free: what was released in one size is not joined to blocks of another.
  static func empty() {
    lock.lock()
    defer { lock.unlock() }
    state.used = 0
    for index in state.free.indices { state.free[index].removeAll(keepingCapacity: true) }
  }

  static func logarithm(size: Int, align: Int) -> Int {
    let bytes = max(size, align, 16)
    return Int.bitWidth - (bytes - 1).leadingZeroBitCount
  }

  static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align), size <= Self.size / 8, align <= 4096 else { return nil }
    let logarithm = logarithm(size: size, align: align)
    lock.lock()
    defer { lock.unlock() }
    if let block = state.free[logarithm].popLast() { return block }
    let start = (state.used + (1 << logarithm) - 1) & -(1 << logarithm)
    guard start + 1 << logarithm <= Self.size else { return nil }
    state.used = start + 1 << logarithm
    state.logarithms[start / 16] = UInt8(logarithm)
    return state.region + start
  }

  static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard let block = allocate(size: size, align: align) else { return nil }
    allocator_zero(block, size)
    return block
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    precondition(owns(pointer), "a block of another allocator")
    lock.lock()
    defer { lock.unlock() }
    state.free[Int(state.logarithms[(pointer - state.region) / 16])].append(pointer)
  }

  static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    precondition(
      usableSize(size: oldSize, align: align) <= usableSize(of: pointer), "\(oldSize) bytes, says the caller")
    deallocate(pointer)
  }

  static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard let moved = allocate(size: size, align: align) else { return nil }
    allocator_copy(moved, pointer, min(oldSize, size))
    deallocate(pointer)
    return moved
  }

  static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    usableSize(size: oldSize, align: align)
  }

  static func usableSize(size: Int, align: Int) -> Int {
    guard isValid(size: size, align: align), size <= Self.size else { return size }
    return max(1 << logarithm(size: size, align: align), size)
  }

  static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    precondition(owns(pointer), "a block of another allocator")
    lock.lock()
    defer { lock.unlock() }
    return 1 << Int(state.logarithms[(pointer - state.region) / 16])
  }

  static func owns(_ pointer: UnsafeMutableRawPointer) -> Bool {
    pointer >= state.region && pointer < state.region + size
  }
}
