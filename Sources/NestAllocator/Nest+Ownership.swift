// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

extension Nest: OwnershipTesting {
  /// Looks the address up in the map of chunks; above 1 MiB, also among the huge blocks, under their lock, which no system call is
  /// made under. See `OwnershipTesting.owns(_:)`.
  @inlinable
  public static func owns(_ pointer: UnsafeMutableRawPointer) -> Bool { NestOwnership.owns(pointer) }
}

/// Not generic: a debug build calls it from a module in which `Nest` is specialized.
@usableFromInline
enum NestOwnership {
  @usableFromInline
  @_noLocks
  static func owns(_ pointer: UnsafeMutableRawPointer) -> Bool {
    let address = UInt(bitPattern: pointer)
    return AddressMap.isInChunk(address) || HugeBlocks.shared.size(of: address) != nil
  }
}
