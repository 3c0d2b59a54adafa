// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

// An index of chunks by the longest run of pages that each has free: which chunk can serve is found without a look at one that
// cannot, in a heap of any size.
//
//     filled   0 1 0 0 0 1 …        a bit for each bin with a chunk
//     bins     ─ ▼ ─ ─ ─ ▼ …        1, 2, … 32 pages, then eight bins to each doubling
//                □     □ ◀─▶ □      chunks, linked through their headers
//
// Two of them: of free pages, and of those that are dirty, too. Under the page heap's lock.

package struct FreeRunIndex {
  /// What a chunk has for each index that it is in.
  struct Links {
    var next: Chunk?
    var previous: Chunk?
    /// Pages of the chunk's longest run, by which it is listed; 0 where it is not.
    var longestRun: Int32
  }

  struct State {
    var filled: (UInt64, UInt64)
    // Here ``binCount`` first chunks follow.
  }

  /// Bytes of all of it.
  package static var byteCount: Int { @_noLocks get { 16 + binCount * 8 } }
  /// Bin 0 is not used.
  package static var binCount: Int { @_noLocks get { 73 } }

  private let state: UnsafeMutablePointer<State>
  private let isOfDirtyPages: Bool

  /// The index with which `storage`, zeroed at first, begins.
  @_noLocks
  package init(_ storage: UnsafeMutableRawPointer, ofDirtyPages: Bool) {
    state = storage.assumingMemoryBound(to: State.self)
    isOfDirtyPages = ofDirtyPages
  }

  private var firsts: UnsafeMutablePointer<Chunk?> {
    @_noLocks get { (UnsafeMutableRawPointer(state) + 16).assumingMemoryBound(to: Chunk?.self) }
  }

  @_noLocks
  private func links(_ chunk: Chunk) -> UnsafeMutablePointer<Links> {
    let header = UnsafeMutableRawPointer(chunk.header)
    return (isOfDirtyPages ? header + MemoryLayout<Links>.stride : header).assumingMemoryBound(to: Links.self)
  }

  @_noLocks
  private func bitmap(_ chunk: Chunk) -> PageBitmap { isOfDirtyPages ? chunk.dirty : chunk.free }

  /// The bin of chunks whose longest run has `count` pages: 1 to 1,024.
  @_noLocks
  package static func bin(_ count: Int) -> Int {
    if count <= 32 { return count }
    let power = 63 - count.leadingZeroBitCount
    return 32 + (power - 5) * 8 + (count >> (power - 3)) & 7
  }

  /// The least pages of the longest runs in `bin`.
  @_noLocks
  package static func leastCount(_ bin: Int) -> Int {
    if bin <= 32 { return bin }
    return (8 + (bin - 32) & 7) << ((bin - 32) >> 3 + 2)
  }

  /// A chunk with a run of at least `count` pages, of those with the shortest longest run; nil where there is none.
  @_noLocks
  package func find(_ count: Int) -> Chunk? {
    guard count <= Chunk.pageCount else { return nil }
    let bin = FreeRunIndex.bin(count)
    if let chunk = firsts[bin], Int(links(chunk).pointee.longestRun) >= count { return chunk }
    let next = firstFilled(FreeRunIndex.leastCount(bin) == count ? bin : bin + 1)
    if next < FreeRunIndex.binCount { return firsts[next] }
    // Of one bin's chunks only some may serve: the last resort, before more memory is asked for.
    var candidate = firsts[bin]
    for _ in 0..<16 {
      guard let chunk = candidate else { return nil }
      if Int(links(chunk).pointee.longestRun) >= count { return chunk }
      candidate = links(chunk).pointee.next
    }
    return nil
  }

  /// A chunk with the longest runs.
  package var longest: Chunk? {
    @_noLocks get {
      let (low, high) = state.pointee.filled
      if high != 0 { return firsts[127 - high.leadingZeroBitCount] }
      return low == 0 ? nil : firsts[63 - low.leadingZeroBitCount]
    }
  }

  /// A chunk that fits, of those with the longest runs; nil where there is none in their bin.
  @inline(__always) @_noLocks
  package func longest(where fits: (Chunk) -> Bool) -> Chunk? {
    var candidate = longest
    while let chunk = candidate {
      if fits(chunk) { return chunk }
      candidate = links(chunk).pointee.next
    }
    return nil
  }

  /// Pages of the chunk's longest run.
  @_noLocks
  package func longestRun(_ chunk: Chunk) -> Int { Int(links(chunk).pointee.longestRun) }

  /// Takes note of a run that has become longer, or whole, and of which `page` is a part.
  @_noLocks
  package func noteAdded(_ chunk: Chunk, page: Int) {
    let bits = bitmap(chunk)
    let length = bits.next(from: page, value: false) - bits.startOfRun(page)
    if length > Int(links(chunk).pointee.longestRun) { move(chunk, to: length) }
  }

  /// Takes note of `count` pages from `first` on that have been taken out of runs.
  @_noLocks
  package func noteRemoved(_ chunk: Chunk, _ first: Int, _ count: Int) {
    let bits = bitmap(chunk)
    let before = first > 0 && bits.contains(first - 1) ? first - bits.startOfRun(first - 1) : 0
    let end = first + count
    let after = end < Chunk.pageCount ? bits.next(from: end, value: false) - end : 0
    // Pages of a run that is shorter than the longest cannot have been all of that one.
    let longest = Int(links(chunk).pointee.longestRun)
    if before + count + after >= longest { move(chunk, to: bits.longestRun(atMost: longest)) }
  }

  /// Lists a chunk by what its bits say. It is in no list.
  @_noLocks
  package func insert(_ chunk: Chunk) {
    links(chunk).pointee.longestRun = 0
    move(chunk, to: bitmap(chunk).longestRun)
  }

  /// Takes a chunk out.
  @_noLocks
  package func remove(_ chunk: Chunk) { move(chunk, to: 0) }

  /// Makes it an index of nothing.
  @_noLocks
  package func clear() {
    state.pointee.filled = (0, 0)
    for bin in 0..<FreeRunIndex.binCount { firsts[bin] = nil }
  }

  private func move(_ chunk: Chunk, to longestRun: Int) {
    let links = links(chunk)
    let old = Int(links.pointee.longestRun)
    links.pointee.longestRun = Int32(truncatingIfNeeded: longestRun)
    let (from, to) = (FreeRunIndex.bin(old), FreeRunIndex.bin(longestRun))
    if from == to { return }
    if old > 0 {
      let (next, previous) = (links.pointee.next, links.pointee.previous)
      if let previous { self.links(previous).pointee.next = next } else { firsts[from] = next }
      if let next { self.links(next).pointee.previous = previous }
      if firsts[from] == nil { setFilled(from, false) }
    }
    if longestRun > 0 {
      links.pointee.previous = nil
      links.pointee.next = firsts[to]
      if let first = firsts[to] { self.links(first).pointee.previous = chunk }
      firsts[to] = chunk
      setFilled(to, true)
    }
  }

  private func setFilled(_ bin: Int, _ isFilled: Bool) {
    let mask = UInt64(1) << UInt64(bin & 63)
    if bin < 64 {
      state.pointee.filled.0 = isFilled ? state.pointee.filled.0 | mask : state.pointee.filled.0 & ~mask
    } else {
      state.pointee.filled.1 = isFilled ? state.pointee.filled.1 | mask : state.pointee.filled.1 & ~mask
    }
  }

  /// The first bin with a chunk, from `bin` on; ``binCount`` or more where there is none.
  private func firstFilled(_ bin: Int) -> Int {
    let (low, high) = state.pointee.filled
    if bin < 64 {
      let rest = low >> UInt64(bin)
      if rest != 0 { return bin + rest.trailingZeroBitCount }
      return 64 + high.trailingZeroBitCount
    }
    return bin + (high >> UInt64(bin - 64)).trailingZeroBitCount
  }

  /// Stops the process unless each chunk of the list is in the bin that its bits say. Returns how many there are.
  package func checkInvariants() -> Int {
    var count = 0
    for bin in 0..<FreeRunIndex.binCount {
      let isFilled = firstFilled(bin) == bin
      precondition(isFilled == (firsts[bin] != nil))
      var previous: Chunk?
      var candidate = firsts[bin]
      while let chunk = candidate {
        precondition(links(chunk).pointee.previous?.base == previous?.base)
        precondition(Int(links(chunk).pointee.longestRun) == bitmap(chunk).longestRun)
        precondition(FreeRunIndex.bin(bitmap(chunk).longestRun) == bin)
        count += 1
        previous = chunk
        candidate = links(chunk).pointee.next
      }
    }
    return count
  }
}
