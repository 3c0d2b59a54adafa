// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Which checks the allocator makes.

/// A choice between speed and detection, fixed when the allocator is compiled.
///
/// What has a default is off. An allocator with any of these is a hardened one: it goes other ways, which the others do not pay for.
public protocol SafetyChecks {
  /// Whether taking a block checks that it has not been written while it was free, and releasing one that it is not free.
  static var checksFreeBlocks: Bool { get }

  /// Whether a release that says the size of a block is believed, so that nothing has to be looked up.
  static var trustsSizes: Bool { get }

  /// Whether the bytes behind each block are filled, and looked at when it is released, resized or measured. A block then has room for
  /// what was asked, and not for a byte more. Costs 8 bytes for each block, before it is rounded up.
  static var checksBytesBehind: Bool { get }

  /// Whether a release that says the size of a block ends the process if it is another one. Exact with ``checksBytesBehind``, and else a matter of
  /// the size class.
  static var checksSizes: Bool { get }

  /// Whether blocks of up to 12 KiB are cleared when they are released, and what was cleared looked at when they are given out again.
  static var clearsReleasedBlocks: Bool { get }

  /// Bytes at the start of such a block that are cleared, a multiple of 16; what is behind them stays as it is. `Int.max` for all of them.
  static var clearedBytes: Int { get }

  /// Whether each thread keeps up to 128 KiB of blocks, which it has released, from being used again, in random order.
  static var delaysReuse: Bool { get }

  /// Whether the blocks of a page are given out in random order.
  static var shufflesBlocks: Bool { get }

  /// Whether a block of more than 64 KiB ends at a page that cannot be touched, and cannot be touched itself for a while when it has been
  /// released; and a page between spans of smaller ones now and then.
  static var guardsPages: Bool { get }

  /// Whether addresses at which there have been blocks of a class are never those of another class, or of a large block. Costs memory where a
  /// program has many blocks of one class first, and of another one then: pages of the first go back to the system, and none are used again.
  static var separatesClasses: Bool { get }

  /// Whether a thread looks at some blocks now and then: whether what was cleared of free ones, and the bytes behind live ones, are as they
  /// were left. Of use only with ``clearsReleasedBlocks`` or ``checksBytesBehind``.
  static var checksInBackground: Bool { get }
}

extension SafetyChecks {
  @inlinable @inline(__always) public static var checksBytesBehind: Bool { false }
  @inlinable @inline(__always) public static var checksSizes: Bool { false }
  @inlinable @inline(__always) public static var clearsReleasedBlocks: Bool { false }
  @inlinable @inline(__always) public static var clearedBytes: Int { Int.max }
  @inlinable @inline(__always) public static var delaysReuse: Bool { false }
  @inlinable @inline(__always) public static var shufflesBlocks: Bool { false }
  @inlinable @inline(__always) public static var guardsPages: Bool { false }
  @inlinable @inline(__always) public static var separatesClasses: Bool { false }
  @inlinable @inline(__always) public static var checksInBackground: Bool { false }

  @inlinable @inline(__always)
  static var hardening: Hardening {
    Hardening(
      checksBytesBehind: checksBytesBehind, checksSizes: checksSizes,
      clearedBytes: clearsReleasedBlocks ? max(clearedBytes, 0) : 0,
      shufflesBlocks: shufflesBlocks, guardsPages: guardsPages, delaysReuse: delaysReuse,
      separatesClasses: separatesClasses, checksInBackground: checksInBackground)
  }
}

/// The checks of ``NestAllocator``.
public enum StandardChecks: SafetyChecks {
  @inlinable @inline(__always) public static var checksFreeBlocks: Bool { true }
  @inlinable @inline(__always) public static var trustsSizes: Bool { true }
}

/// The checks of ``NestHardened``.
public enum HardenedChecks: SafetyChecks {
  @inlinable @inline(__always) public static var checksFreeBlocks: Bool { true }
  @inlinable @inline(__always) public static var trustsSizes: Bool { false }
  @inlinable @inline(__always) public static var checksBytesBehind: Bool { true }
  @inlinable @inline(__always) public static var checksSizes: Bool { true }
  @inlinable @inline(__always) public static var clearsReleasedBlocks: Bool { true }
  @inlinable @inline(__always) public static var clearedBytes: Int { 128 }
  @inlinable @inline(__always) public static var delaysReuse: Bool { true }
  @inlinable @inline(__always) public static var shufflesBlocks: Bool { true }
  @inlinable @inline(__always) public static var guardsPages: Bool { true }
  @inlinable @inline(__always) public static var separatesClasses: Bool { true }
  @inlinable @inline(__always) public static var checksInBackground: Bool { true }
}

/// Nest with all of its checks, for programs that strangers talk to. See <doc:Hardening>.
public typealias NestHardened = Nest<HardenedChecks>
