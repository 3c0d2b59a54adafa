// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
public import CAllocatorSupport

/// Makes an allocator that has only the five functions fit to be the process's malloc: it keeps size and alignment in front
/// of each block, and so can release and measure a block by its pointer alone.
///
///      block of Base, aligned to max(align, 16)
///      |
///      v                      |<------- 16 bytes ------->|
///     +----------------------+------------+-------------+-----------------------------+
///     | unused, align - 16   | size       | mark        | size bytes, or more         |
///     +----------------------+------------+-------------+-----------------------------+
///                                                        ^
///                                                        the pointer that is returned, offset by max(align, 16)
///
/// *size* is the number of bytes asked for, or after a resize in place the number that `Base` gave, as a word. *mark* is a word that is made of the pointer, so that a block that
/// was never allocated here, and one that was released before, are told from a live one: the process is then stopped with a
/// message that names the pointer.
///
/// A block costs `max(align, 16)` bytes more than one of `Base`, and 16 of them are written. Each function costs what that
/// of `Base` costs, and a handful of instructions. `errno` is left as it was, whatever `Base` does to it.
public enum HeaderedAllocator<Base: AllocatorABI>: MallocABI {
  /// Allocates a block of `Base` that has room for the header. See `AllocatorABI.allocate(size:align:)`.
  @inlinable
  public static func allocate(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard isValid(size: size, align: align) else { return nil }
    let offset = BlockHeader.offset(align: align)
    let (total, overflow) = size.addingReportingOverflow(offset)
    if overflow { return nil }
    let errorNumber = allocator_error_number()
    let base = Base.allocate(size: total, align: offset)
    allocator_set_error_number(errorNumber)
    guard let base else { return nil }
    let block = base + offset
    BlockHeader.write(size: size, offset: offset, of: block)
    return block
  }

  /// Allocates, and fills with zeros: the five functions have no way to ask whether memory is zero already. See
  /// `MallocABI.allocateZeroed(size:align:)`.
  @inlinable
  public static func allocateZeroed(size: Int, align: Int) -> UnsafeMutableRawPointer? {
    guard let block = allocate(size: size, align: align) else { return nil }
    allocator_zero(block, size)
    return block
  }

  /// Releases a block; size and alignment are those of its header. See `AllocatorABI.deallocate(_:oldSize:align:)`.
  @inlinable
  @inline(__always)
  public static func deallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, align: Int) {
    deallocate(pointer)
  }

  /// Releases a block. See `MallocABI.deallocate(_:)`.
  @inlinable
  public static func deallocate(_ pointer: UnsafeMutableRawPointer) {
    let offset = BlockHeader.offset(ofLive: pointer, in: "deallocate")
    let size = BlockHeader.size(of: pointer)
    BlockHeader.markReleased(pointer)
    let errorNumber = allocator_error_number()
    Base.deallocate(pointer - offset, oldSize: size + offset, align: offset)
    allocator_set_error_number(errorNumber)
  }

  /// Resizes a block, which keeps its own alignment. See `AllocatorABI.reallocate(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int)
    -> UnsafeMutableRawPointer?
  {
    guard isValid(size: size, align: align) else { return nil }
    return reallocate(pointer, size: size)
  }

  /// Resizes a block, which keeps its own alignment: 16 bytes at least. See `MallocABI.reallocate(_:size:)`.
  @inlinable
  public static func reallocate(_ pointer: UnsafeMutableRawPointer, size: Int) -> UnsafeMutableRawPointer? {
    let offset = BlockHeader.offset(ofLive: pointer, in: "reallocate")
    let oldSize = BlockHeader.size(of: pointer)
    let (total, overflow) = size.addingReportingOverflow(offset)
    if overflow || size < 0 { return nil }
    // All that is usable may be in use, and is to be kept; it is as good an old size as the one asked for.
    let oldTotal = Base.usableSize(size: oldSize + offset, align: offset)
    // The block may move and its old memory be used again at once, so it is marked before; and again if it stays.
    BlockHeader.markReleased(pointer)
    let errorNumber = allocator_error_number()
    let base = Base.reallocate(pointer - offset, oldSize: oldTotal, size: total, align: offset)
    allocator_set_error_number(errorNumber)
    guard let base else {
      BlockHeader.write(size: oldSize, offset: offset, of: pointer)
      return nil
    }
    let block = base + offset
    BlockHeader.write(size: size, offset: offset, of: block)
    return block
  }

  /// Resizes a block where it is, if `Base` can. See `AllocatorABI.reallocateInPlace(_:oldSize:size:align:)`.
  @inlinable
  public static func reallocateInPlace(_ pointer: UnsafeMutableRawPointer, oldSize: Int, size: Int, align: Int) -> Int {
    let offset = BlockHeader.offset(ofLive: pointer, in: "reallocateInPlace")
    let recordedSize = BlockHeader.size(of: pointer)
    let (total, overflow) = size.addingReportingOverflow(offset)
    guard isValid(size: size, align: align), !overflow else {
      return usableSize(size: recordedSize, align: offset)
    }
    let errorNumber = allocator_error_number()
    let baseSize = Base.reallocateInPlace(pointer - offset, oldSize: recordedSize + offset, size: total, align: offset)
    allocator_set_error_number(errorNumber)
    let grew = size > recordedSize && baseSize >= total
    let shrank = size < recordedSize && baseSize == Base.usableSize(size: total, align: offset)
    // What `Base` returns, which may be more than was asked for, is valid as the block's size from now on.
    if grew || shrank { BlockHeader.write(size: baseSize - offset, offset: offset, of: pointer) }
    return baseSize - offset
  }

  /// What a block of `Base` that has room for the header can be used for, less the header. See
  /// `AllocatorABI.usableSize(size:align:)`.
  @inlinable
  public static func usableSize(size: Int, align: Int) -> Int {
    guard isValid(size: size, align: align) else { return size }
    let offset = BlockHeader.offset(align: align)
    let (total, overflow) = size.addingReportingOverflow(offset)
    return overflow ? size : Base.usableSize(size: total, align: offset) - offset
  }

  /// What `Base` says of a block of that size and alignment. See `MallocABI.usableSize(of:)`.
  @inlinable
  public static func usableSize(of pointer: UnsafeMutableRawPointer) -> Int {
    let offset = BlockHeader.offset(ofLive: pointer, in: "usableSize")
    return Base.usableSize(size: BlockHeader.size(of: pointer) + offset, align: offset) - offset
  }
}

extension HeaderedAllocator: MemoryReleasing where Base: MemoryReleasing {
  /// Has `Base` release: the adapter keeps no memory of its own. See `MemoryReleasing.releaseFreeMemory()`.
  @inlinable
  public static func releaseFreeMemory() {
    let errorNumber = allocator_error_number()
    Base.releaseFreeMemory()
    allocator_set_error_number(errorNumber)
  }
}

extension HeaderedAllocator: StatisticsReporting where Base: StatisticsReporting {
  /// The numbers of `Base`, for which headers are parts of blocks. See `StatisticsReporting.statistics`.
  @inlinable
  public static var statistics: AllocatorStatistics { Base.statistics }

  /// Those of `Base`. See `StatisticsReporting.readSizeClasses(into:capacity:)`.
  @inlinable
  public static func readSizeClasses(into classes: UnsafeMutablePointer<allocator_size_class>, capacity: Int) -> Int {
    Base.readSizeClasses(into: classes, capacity: capacity)
  }
}
