// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import SystemAllocator

@usableFromInline
final class Record {
  @usableFromInline var size: Int
  @usableFromInline init(size: Int) { self.size = size }
}

/// Its functions carry no annotation: what they may do, the shim alone decides.
public enum MistakenAllocator: AllocatorABI {
  /// A global with an initializer that is not a constant: the runtime takes a lock to run it once.
  @usableFromInline static let limit = Int(CommandLine.argc) << 20

  @usableFromInline nonisolated(unsafe) static var last: Record?

  @inlinable
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    #if ALLOCATES
      last = Record(size: size)
    #elseif LOCKS
      if size > limit { return nil }
    #endif
    return SystemAllocator.allocate(size: size, align: align)
  }

  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    SystemAllocator.deallocate(pointer, oldSize: oldSize, align: align)
  }

  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    SystemAllocator.reallocate(pointer, oldSize: oldSize, size: size, align: align)
  }

  @inlinable
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    SystemAllocator.reallocateInPlace(pointer, oldSize: oldSize, size: size, align: align)
  }

  @inlinable
  public static func usableSize(size: Int, align: Int) -> Int {
    SystemAllocator.usableSize(size: size, align: align)
  }
}
