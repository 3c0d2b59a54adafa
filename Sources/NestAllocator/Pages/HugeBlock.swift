// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport

/// What is known of a huge block, or of a range that was one: apart from the block, so that it begins on a page.
///
/// Records lie in slabs of a page, and never go away. Under the lock of the huge blocks.
struct HugeBlock {
  struct Record {
    var start: UInt
    /// Bytes.
    var size: Int
    /// The next in whichever list the record is: of a cell of the address map, of released ranges, of unused records.
    var next: HugeBlock?
    /// Links the slabs, in the first record of each.
    var nextSlab: HugeBlock?
    /// Which mapping of the system's it is in: only a part of one can be moved.
    var mapping: UInt32
    /// Of a block in more than one mapping: its parts in each, from its start on, linked by `next`.
    var parts: HugeBlock?
    var isLive: Bool
    /// Of a released range: when it was released, as a count of such events.
    var age: UInt32
    /// Of a released range: whether most of its pages have been written, as far as a few of them tell.
    var isDense: Bool
    /// Of a released range: whether it has to be made one that can be touched again before it is used.
    var isProtected: Bool
    /// Of a block of a hardened flavour: the bytes that were asked for, and those of its guard.
    var asked: Int
    var guardBytes: Int
  }

  let record: UnsafeMutablePointer<Record>

  @_noLocks
  init(_ record: UnsafeMutablePointer<Record>) { self.record = record }

  @_noLocks
  init?(bitPattern: UInt) {
    guard let pointer = UnsafeMutablePointer<Record>(bitPattern: bitPattern) else { return nil }
    record = pointer
  }

  @_noLocks
  static func bitPattern(_ block: HugeBlock?) -> UInt {
    guard let block else { return 0 }
    return UInt(bitPattern: block.record)
  }

  /// Looks at a few pages, and notes whether they have been written. To read one that has not costs a fault, but no memory.
  @_noLocks
  func sample() {
    let samples = size >= 1 << 20 ? 4 : 2
    var written = 0
    for index in 1...samples {
      let page = pointer + (size / (samples + 1) * index & ~(Chunk.pageSize - 1))
      var bits: UInt64 = 0
      // Safety: released, it is the allocator's.
      for word in 0..<8 { bits |= page.load(fromByteOffset: word * 504, as: UInt64.self) }
      if bits != 0 { written += 1 }
    }
    record.pointee.isDense = written * 2 > samples
  }

  var start: UInt { @_noLocks get { record.pointee.start } }
  /// Bytes.
  var size: Int { @_noLocks get { record.pointee.size } }
  var end: UInt { @_noLocks get { record.pointee.start + UInt(record.pointee.size) } }
  // Safety: no range begins at 0.
  var pointer: UnsafeMutableRawPointer {
    @_noLocks get { UnsafeMutableRawPointer(bitPattern: record.pointee.start).unsafelyUnwrapped }
  }
}

/// A list of records, of which each is in one list at most. It changes by the store of one word, before which or after which
/// it can be walked.
struct HugeBlockList {
  private let first: UnsafeMutablePointer<HugeBlock?>

  @_noLocks
  init(_ first: UnsafeMutablePointer<HugeBlock?>) { self.first = first }

  /// Puts a block in, before the first that begins behind it.
  @_noLocks
  func insert(_ block: HugeBlock) {
    var previous: HugeBlock?
    var candidate = first.pointee
    while let other = candidate, other.start < block.start {
      (previous, candidate) = (other, other.record.pointee.next)
    }
    block.record.pointee.next = candidate
    if let previous { previous.record.pointee.next = block } else { first.pointee = block }
  }

  @_noLocks
  func push(_ block: HugeBlock) {
    block.record.pointee.next = first.pointee
    first.pointee = block
  }

  @_noLocks
  func pop() -> HugeBlock? {
    guard let block = first.pointee else { return nil }
    first.pointee = block.record.pointee.next
    return block
  }

  /// Takes a block out, which is in the list.
  @_noLocks
  func remove(_ block: HugeBlock) {
    if first.pointee?.record == block.record {
      first.pointee = block.record.pointee.next
      return
    }
    var candidate = first.pointee
    while let previous = candidate {
      candidate = previous.record.pointee.next
      if candidate?.record == block.record {
        previous.record.pointee.next = block.record.pointee.next
        return
      }
    }
  }
}
