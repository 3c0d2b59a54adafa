// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// An allocator that says what it is called, so that ``GlobalAllocator/name`` can tell.
///
/// An allocator that does not conform is called "custom" there.
public protocol NamedAllocator: AllocatorABI {
  /// The allocator's name in logs and reports, in lower case ASCII: "system", "jemalloc".
  static var allocatorName: StaticString { get }
}

extension AllocatorABI {
  /// The name that the shim exports for an allocator that has none of its own.
  @inlinable
  public static var exportedName: StaticString { "custom" }
}

extension NamedAllocator {
  /// The name that the shim exports.
  @inlinable
  public static var exportedName: StaticString { allocatorName }
}
