// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

/// The functions of `MallocABI` of an allocator that has them, for code that is generic over `AllocatorABI` only.
struct MallocOperations {
  let deallocate: (UnsafeMutableRawPointer) -> Void
  let usableSize: (UnsafeMutableRawPointer) -> Int
  let allocateZeroed: (_ size: Int, _ align: Int) -> UnsafeMutableRawPointer?
  let reallocate: (UnsafeMutableRawPointer, _ size: Int) -> UnsafeMutableRawPointer?

  /// Nil where the type does not conform to `MallocABI`.
  init?(_ type: any AllocatorABI.Type) {
    guard let type = type as? any MallocABI.Type else { return nil }
    self.init(of: type)
  }

  private init<Allocator: MallocABI>(of type: Allocator.Type) {
    deallocate = { Allocator.deallocate($0) }
    usableSize = { Allocator.usableSize(of: $0) }
    allocateZeroed = { Allocator.allocateZeroed(size: $0, align: $1) }
    reallocate = { Allocator.reallocate($0, size: $1) }
  }
}
