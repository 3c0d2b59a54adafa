// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Takes the entries of a trace apart, and finds what no program can have done.
struct TraceParser {
  private let bytes: [UInt8]
  private var position: Int
  private let hasTimes: Bool

  private(set) var live = LiveMemory()
  private var slots = SlotTable()
  private var thread = 0
  private var threadCount = 1

  init(bytes: [UInt8], position: Int, hasTimes: Bool) {
    self.bytes = bytes
    self.position = position
    self.hasTimes = hasTimes
  }

  /// The next call; nil at the end.
  mutating func next() throws(TraceError) -> TraceEvent? {
    while position < bytes.count {
      let byte = bytes[position]
      guard let tag = TraceTag(rawValue: byte & ~TraceTag.hasAlignment) else {
        throw damaged("no entry begins with it")
      }
      position += 1
      if tag == .thread {
        guard byte == tag.rawValue else { throw damaged("a thread has no alignment") }
        thread = try number(below: threadCount + 1, "threads have the next number")
        threadCount = max(threadCount, thread + 1)
        continue
      }
      let alignment = byte & TraceTag.hasAlignment == 0 ? 4 : try number(below: 63, "an alignment")
      var event = TraceEvent(
        kind: .allocate, thread: thread, slot: -1, size: 0, alignment: alignment, nanoseconds: 0)
      try read(tag, into: &event)
      if hasTimes { event.nanoseconds = UInt64(try number(below: .max, "a time")) }
      return event
    }
    return nil
  }

  private mutating func read(_ tag: TraceTag, into event: inout TraceEvent) throws(TraceError) {
    switch tag {
    case .allocate, .allocateZeroed:
      event.kind = tag == .allocate ? .allocate : .allocateZeroed
      event.size = try size()
      event.slot = slots.allocate(size: event.size)
      live.blocks += 1
      try grow(by: event.size)
    case .deallocate, .deallocateSized:
      event.kind = tag == .deallocate ? .deallocate : .deallocateSized
      event.slot = try slot()
      event.size = slots.sizes[event.slot]
      slots.release(event.slot)
      live.blocks -= 1
      live.bytes -= event.size
    case .reallocate, .resizeInPlace:
      event.kind = tag == .reallocate ? .reallocate : .resizeInPlace
      event.slot = try slot()
      event.size = try size()
      live.bytes -= slots.sizes[event.slot]
      slots.resize(event.slot, size: event.size)
      try grow(by: event.size)
    case .failedAllocation, .failedZeroedAllocation:
      event.kind = tag == .failedAllocation ? .failedAllocation : .failedZeroedAllocation
      event.size = try size(upTo: .max)
    case .failedReallocation:
      event.kind = .failedReallocation
      event.slot = try slot()
      event.size = try size(upTo: .max)
    case .thread: break
    }
  }

  private mutating func grow(by size: Int) throws(TraceError) {
    live.bytes += size
    // More than any address space has, and far from an overflow.
    guard live.bytes < 1 << 56 else { throw damaged("more is live than there can be") }
  }

  private mutating func slot() throws(TraceError) -> Int {
    let zigzag = UInt64(try number(below: .max, "a slot"))
    let distance = Int(bitPattern: UInt(zigzag >> 1)) ^ -Int(zigzag & 1)
    let (slot, overflow) = slots.last.addingReportingOverflow(distance)
    guard !overflow, slots.isLive(slot) else { throw damaged("the block is not live") }
    slots.last = slot
    return slot
  }

  private mutating func size(upTo most: Int = 1 << 47) throws(TraceError) -> Int {
    try number(below: most, "a size")
  }

  private mutating func number(below limit: Int, _ what: StaticString) throws(TraceError) -> Int {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard position < bytes.count else { throw damaged("it ends in the middle of a number") }
      let byte = bytes[position]
      guard shift < 63 || byte <= 1 else { break }
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 {
        guard value < UInt64(limit) else { throw damaged(what) }
        return Int(value)
      }
    }
    throw damaged("a number has too many bytes")
  }

  private func damaged(_ what: StaticString) -> TraceError {
    TraceError("is damaged at byte \(position): \(what)")
  }
}

/// Which slots hold a block of which size. Writer and reader have the same one.
struct SlotTable {
  /// By slot; -1 where there is none.
  private(set) var sizes: [Int] = []
  private var free: [Int] = []
  /// The slot that was used last.
  var last = 0

  func isLive(_ slot: Int) -> Bool { slot >= 0 && slot < sizes.count && sizes[slot] >= 0 }

  mutating func allocate(size: Int) -> Int {
    if let slot = free.popLast() {
      sizes[slot] = size
      last = slot
    } else {
      sizes.append(size)
      last = sizes.count - 1
    }
    return last
  }

  mutating func release(_ slot: Int) {
    sizes[slot] = -1
    free.append(slot)
  }

  mutating func resize(_ slot: Int, size: Int) { sizes[slot] = size }
}
