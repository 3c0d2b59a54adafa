// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

/// The checks of a hardened flavour, as a constant that its functions get: they are compiled once for all flavours.
@usableFromInline
struct Hardening {
  /// A bit for each check, and in the upper half how many bytes of a released block are cleared.
  @usableFromInline let bits: UInt

  @inlinable @inline(__always) @_noLocks
  init(
    checksBytesBehind: Bool, checksSizes: Bool, clearedBytes: Int, shufflesBlocks: Bool, guardsPages: Bool,
    delaysReuse: Bool, separatesClasses: Bool, checksInBackground: Bool
  ) {
    bits =
      (checksBytesBehind ? 8 : 0) | (checksSizes ? 4 : 0) | (shufflesBlocks ? 16 : 0) | (guardsPages ? 32 : 0)
      | (delaysReuse ? 64 : 0) | (checksInBackground ? 128 : 0) | (separatesClasses ? 256 : 0)
      | UInt(bitPattern: clearedBytes < Hardening.mostCleared ? clearedBytes & -16 : Hardening.mostCleared) &<< 32
  }

  /// Whether there is none of these checks.
  @inlinable @inline(__always)
  var isNone: Bool { @_noLocks get { bits == 0 } }

  /// Bytes that are kept behind each block at least: ``BlockTail/leastBytes`` where they are checked. It is their bit, too.
  @inlinable @inline(__always)
  var tailBytes: Int { @_noLocks get { Int(bitPattern: bits & 8) } }

  @inlinable @inline(__always)
  var checksBytesBehind: Bool { @_noLocks get { bits & 8 != 0 } }
  @inlinable @inline(__always)
  var checksSizes: Bool { @_noLocks get { bits & 4 != 0 } }
  @inlinable @inline(__always)
  var clearsReleasedBlocks: Bool { @_noLocks get { bits &>> 32 != 0 } }

  /// Bytes at the start of a block of a class that are cleared when it is released.
  @inlinable @inline(__always) @_noLocks
  func clearedBytes(of blockSize: Int) -> Int {
    if blockSize > Hardening.mostCleared { return 0 }
    let most = Int(bitPattern: bits &>> 32)
    return blockSize < most ? blockSize : most
  }

  /// Whether they are as many as ``nest_class_facts`` says.
  @inlinable @inline(__always)
  var clearsFewBytes: Bool { @_noLocks get { bits &>> 32 == UInt(NEST_USUALLY_CLEARED) } }

  /// Clears them, but for the first 16.
  @inlinable @inline(__always) @_noLocks
  func clear(_ block: UnsafeMutableRawPointer, _ facts: nest_class_facts) {
    if clearsFewBytes {
      if facts.cleared > 0 { nest_clear_few(block + 16, Int(facts.cleared) &* 16) }
      return
    }
    let byteCount = clearedBytes(of: Int(facts.size))
    if byteCount > 16 { nest_clear(block + 16, byteCount &- 16) }
  }

  /// Whether these are zeros still.
  @inlinable @inline(__always) @_noLocks
  func isClear(_ block: UnsafeMutableRawPointer, _ facts: nest_class_facts) -> Bool {
    if clearsFewBytes { return facts.cleared == 0 || nest_are_few_clear(block + 16, Int(facts.cleared) &* 16) != 0 }
    let byteCount = clearedBytes(of: Int(facts.size))
    return byteCount <= 16 || nest_is_clear(block + 16, byteCount &- 16) != 0
  }

  /// The same of a free block, of whichever flavour is the allocator of the process: bytes that are zeros, behind its link. 0 where none need be.
  @_noLocks
  static func zeroBytes(of blockSize: Int) -> Int {
    if blockSize > mostCleared || nest_hardening() & UInt32(NEST_CLEARS) == 0 { return 0 }
    return min(blockSize, Int(nest_hardening() &>> UInt32(NEST_CLEARED_SHIFT)))
  }

  /// Stops the process where the table of classes says something else.
  static func checkTable() {
    for index in 1...SizeClass.last {
      let (facts, size) = (nest_facts(index), SizeClass.blockSize(index))
      let cleared = size > mostCleared ? 0 : min(size, Int(NEST_USUALLY_CLEARED)) / 16 - 1
      precondition(Int(facts.size) == size && Int(facts.cleared) == cleared)
      precondition(index > Quarantine.lastClass || facts.shift > 0)
    }
  }

  @inlinable @inline(__always)
  var guardsPages: Bool { @_noLocks get { bits & 32 != 0 } }
  @inlinable @inline(__always)
  var delaysReuse: Bool { @_noLocks get { bits & 64 != 0 } }
  @inlinable @inline(__always)
  var checksInBackground: Bool { @_noLocks get { bits & 128 != 0 } }

  /// Bytes of the largest block that is cleared: that of the largest class which the table has.
  @inlinable @inline(__always) static var mostCleared: Int { @_noLocks get { 12 << 10 } }

  /// Lets the process do what the structures that all flavours share are to do for this one.
  @_noLocks
  func begin() {
    var process: UInt32 = 0
    if bits & 16 != 0 { process |= UInt32(NEST_SHUFFLES) }
    if clearsReleasedBlocks {
      process |= UInt32(NEST_CLEARS) | UInt32(truncatingIfNeeded: bits &>> 32) &<< UInt32(NEST_CLEARED_SHIFT)
    }
    if guardsPages { process |= UInt32(NEST_GUARDS) }
    if bits & 256 != 0 { process |= UInt32(NEST_SEPARATES) }
    if checksInBackground { process |= UInt32(NEST_WALKS) | (checksBytesBehind ? UInt32(NEST_FILLS) : 0) }
    nest_begin_hardening(process)
  }
}
