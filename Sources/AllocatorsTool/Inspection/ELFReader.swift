// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// Checked reads from the bytes of an ELF file of 64 bits, little-endian.
struct ELFReader {
  struct Segment {
    var type: UInt32
    var offset: Int
    var address: UInt64
    var size: Int
  }

  struct Section {
    var type: UInt32
    var offset: Int
    var size: Int
    var link: Int
  }

  struct DynamicEntry {
    var tag: UInt64
    var value: UInt64
  }

  let bytes: UnsafeRawBufferPointer

  func bytes(at offset: Int, count: Int) throws(ELFImage.Malformed) -> UnsafeRawBufferPointer {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      throw ELFImage.Malformed(reason: "ends early")
    }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
  }

  func byte(at offset: Int) throws(ELFImage.Malformed) -> UInt8 {
    try bytes(at: offset, count: 1)[0]
  }

  func read<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int) throws(ELFImage.Malformed)
    -> Value
  {
    Value(littleEndian: try bytes(at: offset, count: MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
  }

  /// Reads an offset or a size of 64 bits, which must fit into an `Int`.
  private func readSize(at offset: Int) throws(ELFImage.Malformed) -> Int {
    guard let size = Int(exactly: try read(UInt64.self, at: offset)) else {
      throw ELFImage.Malformed(reason: "a size is absurd")
    }
    return size
  }

  /// Reads a string that ends with a zero byte, or after `limit` bytes.
  func string(at offset: Int, limit: Int = .max) throws(ELFImage.Malformed) -> String {
    guard offset >= 0, offset < bytes.count else { throw ELFImage.Malformed(reason: "a string lies outside") }
    let rest = try bytes(at: offset, count: min(max(limit, 0), bytes.count - offset))
    // By the C library: a program has hundreds of thousands of names.
    guard let start = rest.baseAddress, let end = memchr(start, 0, rest.count) else {
      throw ELFImage.Malformed(reason: "a string has no end")
    }
    return String(decoding: UnsafeRawBufferPointer(start: start, count: UnsafeRawPointer(end) - start), as: UTF8.self)
  }

  /// The program headers.
  func segments() throws(ELFImage.Malformed) -> [Segment] {
    let start = try readSize(at: 32)
    let size = Int(try read(UInt16.self, at: 54))
    var segments: [Segment] = []
    for index in 0..<Int(try read(UInt16.self, at: 56)) {
      let header = try offset(start, index, size)
      segments.append(
        Segment(
          type: try read(UInt32.self, at: header), offset: try readSize(at: header + 8),
          address: try read(UInt64.self, at: header + 16), size: try readSize(at: header + 32)))
    }
    return segments
  }

  /// The section headers; none in a file that was stripped of them.
  func sections() throws(ELFImage.Malformed) -> [Section] {
    let start = try readSize(at: 40)
    guard start != 0 else { return [] }
    let size = Int(try read(UInt16.self, at: 58))
    var sections: [Section] = []
    for index in 0..<Int(try read(UInt16.self, at: 60)) {
      let header = try offset(start, index, size)
      sections.append(
        Section(
          type: try read(UInt32.self, at: header + 4), offset: try readSize(at: header + 24),
          size: try readSize(at: header + 32), link: Int(try read(UInt32.self, at: header + 40))))
    }
    return sections
  }

  func dynamicEntries(in segment: Segment) throws(ELFImage.Malformed) -> [DynamicEntry] {
    var entries: [DynamicEntry] = []
    for index in 0..<(segment.size / 16) {
      let start = try offset(segment.offset, index, 16)
      let entry = DynamicEntry(tag: try read(UInt64.self, at: start), value: try read(UInt64.self, at: start + 8))
      if entry.tag == 0 { break }
      guard Int(exactly: entry.value) != nil || entry.tag > 14 else {
        throw ELFImage.Malformed(reason: "an address is absurd")
      }
      entries.append(entry)
    }
    return entries
  }

  /// Where in the file the byte is that is loaded at `address`; nil if no loaded segment holds it.
  func offset(of address: UInt64, in segments: [Segment]) -> Int? {
    segments.lazy.compactMap { segment -> Int? in
      guard segment.type == 1, address >= segment.address, address - segment.address < UInt64(segment.size) else {
        return nil
      }
      let (sum, overflow) = segment.offset.addingReportingOverflow(Int(address - segment.address))
      return overflow ? nil : sum
    }.first
  }

  /// The symbols with a definition and a name in the tables of section type `type`.
  func definedSymbols(ofType type: UInt32, in sections: [Section]) throws(ELFImage.Malformed) -> [ELFImage.Symbol] {
    var symbols: [ELFImage.Symbol] = []
    for section in sections where section.type == type {
      guard sections.indices.contains(section.link) else {
        throw ELFImage.Malformed(reason: "a symbol table has no names")
      }
      let names = sections[section.link].offset
      // The first entry is empty by definition.
      for index in 1..<max(1, section.size / 24) {
        let entry = try bytes(at: try offset(section.offset, index, 24), count: 24)
        let nameOffset = Int(UInt32(littleEndian: entry.loadUnaligned(as: UInt32.self)))
        let info = entry[4]
        let kind = info & 15
        // Functions, data and indirect functions; no sections and file names.
        let isDefined = entry.loadUnaligned(fromByteOffset: 6, as: UInt16.self) != 0
        guard isDefined, nameOffset != 0, kind != 3, kind != 4 else { continue }
        let (start, overflow) = names.addingReportingOverflow(nameOffset)
        guard !overflow else { throw ELFImage.Malformed(reason: "a name lies outside") }
        symbols.append(ELFImage.Symbol(name: try string(at: start), isWeak: info >> 4 == 2, isLocal: info >> 4 == 0))
      }
    }
    return symbols
  }

  /// `start + index * size`, if that is an offset at all.
  private func offset(_ start: Int, _ index: Int, _ size: Int) throws(ELFImage.Malformed) -> Int {
    let (product, overflow) = index.multipliedReportingOverflow(by: size)
    let (sum, sumOverflow) = start.addingReportingOverflow(product)
    guard !overflow, !sumOverflow, sum <= bytes.count else { throw ELFImage.Malformed(reason: "ends early") }
    return sum
  }
}
