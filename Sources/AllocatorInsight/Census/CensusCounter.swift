// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight

/// Counts blocks by their types.
///
/// A block is told by its first word, in a table of those that have been seen: most blocks cost no more than the look there.
final class CensusCounter {
  /// A first word, and what begins with it.
  private struct Entry {
    var word: UInt = 0
    var objects = 0
    var bytes = 0
    /// Bytes that an object has at least; `Int.max` where the word is none of an object, -1 where it is that of errors.
    var instanceSize = 0
  }

  fileprivate struct Tally {
    var objects = 0
    var bytes = 0
  }

  /// What the buffer for blocks has room for.
  private static let blocksAtOnce = 512
  /// Words of blocks that are no objects, but may be, of which more are not remembered.
  private static let mostForeignWords = 1 << 16

  private var types = SwiftTypes()
  private var table: UnsafeMutableBufferPointer<Entry>
  private var used = 0
  private var foreignWords = 0
  private var errors: [UInt: Tally] = [:]
  /// Of blocks of up to 64 KiB, by their size in units of 16 bytes; and of larger ones.
  private var small: [Tally]
  private var large: [Int: Tally] = [:]

  init() {
    table = Self.makeTable(1 << 10)
    small = [Tally](repeating: Tally(), count: (64 << 10) / 16 + 1)
  }

  deinit { table.deallocate() }

  var refusal: String? { types.refusal }

  private static func makeTable(_ count: Int) -> UnsafeMutableBufferPointer<Entry> {
    let table = UnsafeMutableBufferPointer<Entry>.allocate(capacity: count)
    table.initialize(repeating: Entry())
    return table
  }

  // MARK: All blocks

  /// Counts all live blocks. Nil where the allocator cannot tell which these are.
  func countAllBlocks() -> Census? {
    var walk = allocator_walk()
    let blocks = UnsafeMutablePointer<allocator_block>.allocate(capacity: Self.blocksAtOnce)
    defer { blocks.deallocate() }
    while true {
      let count = insight_walk_blocks(&walk, blocks, Self.blocksAtOnce)
      if count < 0 { return nil }
      if count == 0 { break }
      for index in 0..<count { add(blocks + index) }
    }
    return census
  }

  private func add(_ block: UnsafeMutablePointer<allocator_block>) {
    let size = block.pointee.size
    if block.pointee.word_count == 0 {
      // Where the allocator does not look, the memory may have gone.
      _ = withUnsafeMutableBytes(of: &block.pointee.words) {
        insight_read_memory(block.pointee.address, $0.baseAddress!, 24)
      }
    }
    let words = block.pointee.words
    guard SwiftTypes.mayBeObject(words.0, words.1) else { return addOther(size) }
    var index = place(of: words.0, in: table)
    if table[index].word == 0 {
      guard let new = makeEntry(words.0) else { return addOther(size) }
      index = new
    }
    let least = table[index].instanceSize
    if least < 0 {
      // An error's third word says which; where that is no type, it is no error.
      guard errors[words.2] != nil || types.name(ofErrorOfType: words.2) != nil else { return addOther(size) }
      errors[words.2, default: Tally()].add(size)
    } else if least <= size {
      table[index].objects += 1
      table[index].bytes += size
    } else {
      addOther(size)
    }
  }

  private func place(of word: UInt, in table: UnsafeMutableBufferPointer<Entry>) -> Int {
    let mask = table.count - 1
    // Metadata lies at multiples of 8; the upper bits of the product are good (Knuth's multiplicative hashing).
    var index = Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) >> 32) & mask
    while table[index].word != word && table[index].word != 0 { index = (index + 1) & mask }
    return index
  }

  /// Finds out what begins with a word. Nil where it is none of an object, and need not be remembered.
  private func makeEntry(_ word: UInt) -> Int? {
    var entry = Entry(word: word)
    switch types.look(word) {
    case .type(_, let size): entry.instanceSize = size
    case .error: entry.instanceSize = -1
    case .nothing:
      entry.instanceSize = .max
      foreignWords += 1
      if foreignWords > Self.mostForeignWords { return nil }
    }
    if used * 2 >= table.count { grow() }
    let index = place(of: word, in: table)
    table[index] = entry
    used += 1
    return index
  }

  private func grow() {
    let larger = Self.makeTable(table.count * 4)
    for entry in table where entry.word != 0 { larger[place(of: entry.word, in: larger)] = entry }
    table.deallocate()
    table = larger
  }

  private func addOther(_ size: Int) {
    if size <= 64 << 10 {
      small[size / 16].add(size)
    } else {
      large[Self.group(ofSize: size), default: Tally()].add(size)
    }
  }

  /// The most bytes of a block that is counted with those of `size`: multiples of 16 up to 256, eight steps to each doubling up to
  /// 64 KiB, as size classes are, and powers of two above.
  static func group(ofSize size: Int) -> Int {
    let last = max(size, 1) - 1
    let power = Int.bitWidth - last.leadingZeroBitCount
    let step = power <= 8 ? 4 : power <= 16 ? power - 4 : power
    return ((last >> step) + 1) << step
  }

  private var census: Census {
    var census = Census()
    func add(_ tally: Tally, toType name: String) { census.types[name, default: Census.Group()].live += tally.amount }
    func add(_ tally: Tally, toSize size: Int) {
      census.sizes[Self.group(ofSize: size), default: Census.Group()].live += tally.amount
    }
    for entry in table where entry.objects > 0 {
      guard case .type(let name, _) = types.look(entry.word) else { continue }
      add(Tally(objects: entry.objects, bytes: entry.bytes), toType: name)
    }
    for (type, tally) in errors { if let name = types.name(ofErrorOfType: type) { add(tally, toType: name) } }
    for (index, tally) in small.enumerated() where tally.objects > 0 { add(tally, toSize: index * 16) }
    for (size, tally) in large { add(tally, toSize: size) }
    return census
  }

  // MARK: Samples

  /// Counts the live samples of a profile that is under way, each for as many blocks as it stands for.
  func countSamples(_ state: insight_profile_state) -> Census {
    var census = Census()
    census.isExact = false
    census.interval = Int(state.interval)
    var reader = LiveSamples(state: state)
    while let samples = reader.next(naming: { types.name(ofObjectAt: $0) }) {
      for sample in samples {
        let amount = HeapProfile.Amount(ofSampleOf: Int(sample.block.size), interval: Int(state.interval))
        census.samples += 1
        if let type = sample.type {
          census.types[type, default: Census.Group()].live += amount
        } else {
          census.sizes[Self.group(ofSize: Int(sample.block.size)), default: Census.Group()].live += amount
        }
      }
    }
    if state.lost_samples > 0 {
      census.notes.append("\(state.lost_samples) live samples are lost: there was no room for them")
    }
    return census
  }
}

extension CensusCounter.Tally {
  fileprivate mutating func add(_ size: Int) {
    objects += 1
    bytes += size
  }

  fileprivate var amount: HeapProfile.Amount {
    var amount = HeapProfile.Amount()
    amount.objects = HeapProfile.Estimate(Double(objects))
    amount.bytes = HeapProfile.Estimate(Double(bytes))
    return amount
  }
}
