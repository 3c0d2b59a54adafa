// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Telling an allocator's own blocks from others.
///
/// An optional ability, for allocators that find out from an address whether it is theirs. One that is made of two asks for it
/// where it has nothing but a pointer to tell which of them a block came from.
public protocol OwnershipTesting: AllocatorABI {
  /// Returns whether this allocator has allocated a block.
  ///
  /// Takes no lock that an allocation could hold for long, and changes nothing. May be called by any thread at any time.
  ///
  /// - Parameter pointer: a live block of this allocator or of another one; of any other pointer the result says nothing.
  static func owns(_ pointer: UnsafeMutableRawPointer) -> Bool
}
