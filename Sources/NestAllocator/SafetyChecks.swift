// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// Which checks the fast paths make.

/// A choice between speed and detection, fixed when the allocator is compiled.
public protocol SafetyChecks {
  /// Whether taking a block checks that it has not been written while it was free, and releasing one that it is not free.
  static var checksFreeBlocks: Bool { get }

  /// Whether a release that says the size of a block is believed, so that nothing has to be looked up.
  static var trustsSizes: Bool { get }
}

/// The checks of ``NestAllocator``.
public enum StandardChecks: SafetyChecks {
  @inlinable @inline(__always) public static var checksFreeBlocks: Bool { true }
  @inlinable @inline(__always) public static var trustsSizes: Bool { true }
}
