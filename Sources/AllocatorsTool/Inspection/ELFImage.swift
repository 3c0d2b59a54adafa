// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// What the headers and symbol tables of an ELF file say (elf(5); System V gABI, chapters 4 and 5).
///
/// Files of 64 bits and little-endian are read in full; of others only the identification. Every offset is checked, so that
/// a damaged file throws ``Malformed`` and never reads outside of the file.
struct ELFImage: Sendable {
  /// The file is no ELF file, or is damaged.
  struct Malformed: Error, Equatable {
    var reason: String
  }

  enum FileType: Sendable { case executable, sharedObject, other }

  /// How much of a file to read.
  enum Depth: Int, Comparable, Sendable {
    case headers, dynamicSymbols, allSymbols

    static func < (left: Depth, right: Depth) -> Bool { left.rawValue < right.rawValue }
  }

  /// A symbol that the file defines.
  struct Symbol: Sendable, Equatable {
    var name: String
    var isWeak: Bool
    var isLocal: Bool
  }

  /// 32 or 64.
  let bits: Int
  /// `e_machine`, such as 62 for x86-64.
  let machine: UInt16
  let type: FileType

  /// The program interpreter; nil for a static program, and for most libraries.
  let interpreter: String?

  /// Whether there is a dynamic section: false for a static program, unless it is position-independent.
  let isDynamic: Bool

  /// The libraries that it asks for by name, in their order.
  let needed: [String]

  /// What it calls itself as a library.
  let sharedName: String?

  /// Defined symbols that other files can see.
  let dynamicSymbols: [Symbol]

  /// Defined symbols of the full table; empty after `strip`. Both are empty if they were not asked for.
  let fullSymbols: [Symbol]

  /// Reads the file at `path`.
  init(contentsOf path: String, depth: Depth = .headers) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    try self.init(data, depth: depth)
  }

  init(_ data: Data, depth: Depth) throws(Malformed) {
    let result = data.withUnsafeBytes { bytes in
      Result { () throws(Malformed) in try ELFImage(ELFReader(bytes: bytes), depth) }
    }
    self = try result.get()
  }

  private init(_ file: ELFReader, _ depth: Depth) throws(Malformed) {
    guard try file.bytes(at: 0, count: 4).elementsEqual([0x7F, 0x45, 0x4C, 0x46]) else {
      throw Malformed(reason: "no ELF file")
    }
    bits = try file.byte(at: 4) == 2 ? 64 : 32
    let isLittleEndian = try file.byte(at: 5) == 1
    machine = isLittleEndian ? try file.read(UInt16.self, at: 18) : try file.read(UInt16.self, at: 18).byteSwapped
    let rawType = isLittleEndian ? try file.read(UInt16.self, at: 16) : try file.read(UInt16.self, at: 16).byteSwapped
    type = rawType == 2 ? .executable : rawType == 3 ? .sharedObject : .other
    guard bits == 64, isLittleEndian else {
      (interpreter, isDynamic, needed, sharedName) = (nil, false, [], nil)
      (dynamicSymbols, fullSymbols) = ([], [])
      return
    }

    let segments = try file.segments()
    interpreter = try segments.first { $0.type == 3 }.map { segment throws(Malformed) in
      try file.string(at: segment.offset, limit: segment.size)
    }
    let dynamic = segments.first { $0.type == 2 }
    isDynamic = dynamic != nil
    var needed: [String] = []
    var sharedName: String?
    if let dynamic {
      let entries = try file.dynamicEntries(in: dynamic)
      if let table = entries.first(where: { $0.tag == 5 })?.value, let strings = file.offset(of: table, in: segments) {
        for entry in entries where entry.tag == 1 { needed.append(try file.string(at: strings + Int(entry.value))) }
        for entry in entries where entry.tag == 14 { sharedName = try file.string(at: strings + Int(entry.value)) }
      }
    }
    self.needed = needed
    self.sharedName = sharedName
    let sections = try file.sections()
    dynamicSymbols = depth >= .dynamicSymbols ? try file.definedSymbols(ofType: 11, in: sections) : []
    fullSymbols = depth >= .allSymbols ? try file.definedSymbols(ofType: 2, in: sections) : []
  }

  /// Whether a program of this process's kind can be mixed with it.
  var isForThisMachine: Bool {
    #if arch(x86_64)
      bits == 64 && machine == 62
    #elseif arch(arm64)
      bits == 64 && machine == 183
    #else
      false
    #endif
  }

  /// Whether it is a program that the dynamic loader has no part in, so that `LD_PRELOAD` means nothing to it.
  var isStaticProgram: Bool {
    interpreter == nil && (type == .executable || (type == .sharedObject && needed.isEmpty && sharedName == nil))
  }

  /// Whether other files can bind to its definition of `name`.
  func exports(_ name: String) -> Bool {
    dynamicSymbols.contains { $0.name == name }
  }

  /// Whether it defines `name` at all.
  func defines(_ name: String) -> Bool {
    exports(name) || fullSymbols.contains { $0.name == name }
  }
}
