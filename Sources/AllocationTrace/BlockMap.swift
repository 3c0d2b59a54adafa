// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// From addresses of live blocks to their slots: a hash table with linear probing, several times as fast as a dictionary.
struct BlockMap: ~Copyable {
  private struct Entry {
    /// 0 where there is none.
    var address: UInt64
    var slot: Int
  }

  private var entries: UnsafeMutableBufferPointer<Entry>
  private var count = 0

  init() { entries = Self.allocate(1024) }

  deinit { entries.deallocate() }

  private static func allocate(_ count: Int) -> UnsafeMutableBufferPointer<Entry> {
    let entries = UnsafeMutableBufferPointer<Entry>.allocate(capacity: count)
    entries.initialize(repeating: Entry(address: 0, slot: 0))
    return entries
  }

  private func home(_ address: UInt64) -> Int {
    let shift = UInt64(entries.count.leadingZeroBitCount + 1)
    return Int((address &* 0x9E37_79B9_7F4A_7C15) >> shift)
  }

  /// Remembers a block; returns the slot of the one that had the address before, if there is one.
  mutating func insert(_ address: UInt64, slot: Int) -> Int? {
    if count >= entries.count / 2 { grow() }
    var index = home(address)
    while entries[index].address != 0 {
      if entries[index].address == address {
        defer { entries[index].slot = slot }
        return entries[index].slot
      }
      index = (index + 1) & (entries.count - 1)
    }
    entries[index] = Entry(address: address, slot: slot)
    count += 1
    return nil
  }

  func slot(of address: UInt64) -> Int? {
    var index = home(address)
    while entries[index].address != 0 {
      if entries[index].address == address { return entries[index].slot }
      index = (index + 1) & (entries.count - 1)
    }
    return nil
  }

  /// Forgets a block and returns its slot; nil if there is none.
  mutating func remove(_ address: UInt64) -> Int? {
    var index = home(address)
    while entries[index].address != address {
      if entries[index].address == 0 { return nil }
      index = (index + 1) & (entries.count - 1)
    }
    let slot = entries[index].slot
    // What was pushed beyond the gap moves into it.
    var next = index
    while true {
      next = (next + 1) & (entries.count - 1)
      guard entries[next].address != 0 else { break }
      let distance = (next - home(entries[next].address)) & (entries.count - 1)
      if distance >= (next - index) & (entries.count - 1) {
        entries[index] = entries[next]
        index = next
      }
    }
    entries[index].address = 0
    count -= 1
    return slot
  }

  private mutating func grow() {
    let old = entries
    entries = Self.allocate(2 * old.count)
    for entry in old where entry.address != 0 {
      var index = home(entry.address)
      while entries[index].address != 0 { index = (index + 1) & (entries.count - 1) }
      entries[index] = entry
    }
    old.deallocate()
  }
}
