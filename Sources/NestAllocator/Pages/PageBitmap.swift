// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A bit for each page of a chunk.
package struct PageBitmap {
  private let words: UnsafeMutablePointer<UInt64>

  private static var wordCount: Int { @_noLocks get { Chunk.pageCount / 64 } }

  /// The bitmap of ``Chunk/pageCount`` bits with which `words` begins.
  @_noLocks
  package init(_ words: UnsafeMutablePointer<UInt64>) { self.words = words }

  @_noLocks
  package func set(from first: Int, count: Int) {
    PageBitmap.forEachWord(from: first, count: count) { word, mask in words[word] |= mask }
  }

  @_noLocks
  package func clear(from first: Int, count: Int) {
    PageBitmap.forEachWord(from: first, count: count) { word, mask in words[word] &= ~mask }
  }

  /// The set bits of a run.
  @_noLocks
  package func count(from first: Int, count: Int) -> Int {
    var found = 0
    PageBitmap.forEachWord(from: first, count: count) { word, mask in found += (words[word] & mask).nonzeroBitCount }
    return found
  }

  @_noLocks
  package func formIntersection(_ other: PageBitmap) {
    for word in 0..<PageBitmap.wordCount { words[word] &= other.words[word] }
  }

  @_noLocks
  package func contains(_ bit: Int) -> Bool { words[bit >> 6] >> UInt64(bit & 63) & 1 != 0 }

  /// Whether all bits of the run are set; not so of one that ends behind the last bit.
  @_noLocks
  package func contains(from first: Int, count: Int) -> Bool {
    first + count <= Chunk.pageCount && next(from: first, value: false) >= first + count
  }

  /// The first bit of `value` at or after `start`, or the number of bits.
  @_noLocks
  package func next(from start: Int, value: Bool) -> Int {
    var index = start
    while index < Chunk.pageCount {
      let word = (value ? words[index >> 6] : ~words[index >> 6]) >> UInt64(index & 63)
      if word != 0 { return index + word.trailingZeroBitCount }
      index = (index | 63) + 1
    }
    return Chunk.pageCount
  }

  /// The start of the run of set bits of which `bit` is one.
  @_noLocks
  package func startOfRun(_ bit: Int) -> Int {
    var index = bit
    while index >= 0 {
      let word = ~words[index >> 6] << UInt64(63 - index & 63)
      if word != 0 { return index - word.leadingZeroBitCount + 1 }
      index = (index & ~63) - 1
    }
    return 0
  }

  /// The bits of the longest run of set bits.
  package var longestRun: Int { @_noLocks get { longestRun(atMost: Chunk.pageCount) } }

  /// The same where none is longer than `most` bits. Ends with the first one of so many: where all are short, at once.
  @_noLocks
  package func longestRun(atMost most: Int) -> Int {
    var longest = 0
    var start = next(from: 0, value: true)
    while start < Chunk.pageCount, longest < most {
      let end = next(from: start, value: false)
      if end - start > longest { longest = end - start }
      start = next(from: end, value: true)
    }
    return longest
  }

  /// The shortest run that has `count` bits from a multiple of `align` on, and the multiple; nil where there is none.
  @_noLocks
  package func findRun(count: Int, align: Int) -> Int? {
    var best: Int?
    var bestLength = Int.max
    var start = next(from: 0, value: true)
    while start + count <= Chunk.pageCount {
      let end = next(from: start, value: false)
      let first = (start + align - 1) & -align
      if end - first >= count && end - start < bestLength {
        best = first
        bestLength = end - start
        if bestLength == count { break }
      }
      start = next(from: end, value: true)
    }
    return best
  }

  @inline(__always) @_noLocks
  private static func forEachWord(from first: Int, count: Int, _ body: (Int, UInt64) -> Void) {
    var bit = first
    let end = first + count
    while bit < end {
      let last = min(end, (bit | 63) + 1)
      let mask = (~UInt64(0) >> UInt64(64 - (last - bit))) << UInt64(bit & 63)
      body(bit >> 6, mask)
      bit = last
    }
  }
}
