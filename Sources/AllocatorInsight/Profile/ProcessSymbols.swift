// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight
import Glibc

/// The names of the functions at addresses of this process, by the symbol tables of its images' files.
struct ProcessSymbols {
  private var loaded: [(image: HeapProfile.Image, symbols: SymbolTable)] = []
  private var known: [UInt: HeapProfile.Frame] = [:]
  private var demangled: [String: String] = [:]

  /// The program first: pprof calls the profile after it.
  var images: [HeapProfile.Image] {
    loaded.map(\.image).sorted { first, second in first.isProgram && !second.isProgram }
  }

  /// The program, if its functions have no names, and libraries of its own like that; the system's never have more.
  var withoutSymbols: [HeapProfile.Image] {
    loaded.filter { image, symbols in
      symbols.isStripped && (image.isProgram || !image.path.hasPrefix("/usr/") && !image.path.hasPrefix("/lib"))
    }
    .map(\.image)
  }

  /// - Parameter isWaiting: whether `address` is where a function starts that goes on with an async one, rather than where a
  ///   call returns to.
  mutating func frame(_ address: UInt, isWaiting: Bool) -> HeapProfile.Frame {
    // A call may be the last instruction of its function: it returns to the next one.
    let inside = isWaiting ? address : address &- 1
    if let frame = known[inside] { return frame }
    let index = imageIndex(inside)
    var frame = HeapProfile.Frame(address: address, function: "", image: "", isWaiting: isWaiting)
    if let index {
      let (image, symbols) = loaded[index]
      frame.image = image.path
      if let symbol = symbols.name(at: inside &- image.base) {
        frame.function = demangle(symbol)
      } else {
        frame.function = "\(frame.imageName)+0x\(String(inside &- image.base, radix: 16))"
      }
    } else {
      frame.function = "0x" + String(address, radix: 16)
    }
    known[inside] = frame
    return frame
  }

  /// The names of the functions that make contexts of closures with this metadata, or boxes: each once.
  mutating func makers(ofClosure metadata: UInt) -> [String] {
    guard let index = imageIndex(metadata) else { return [] }
    let (image, symbols) = loaded[index]
    var names: [String] = []
    for symbol in symbols.makers(ofClosure: metadata &- image.base) {
      let name = demangle(symbol)
      if !names.contains(name) { names.append(name) }
    }
    return names
  }

  private mutating func imageIndex(_ address: UInt) -> Int? {
    if let index = loaded.firstIndex(where: { $0.image.low <= address && address < $0.image.high }) { return index }
    var found = insight_image()
    guard insight_find_image(address, &found) != 0 else { return nil }
    let path = withUnsafeBytes(of: found.path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let buildID = SymbolTable.text(found.build_id, found.build_id_size)
    let image = HeapProfile.Image(
      path: Self.target(of: path), low: found.low, high: found.high, base: found.base, buildID: buildID,
      isProgram: path == "/proc/self/exe")
    loaded.append((image, SymbolTable(ofFile: path)))
    return loaded.count - 1
  }

  private static func target(of path: String) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let length = readlink(path, &buffer, buffer.count)
    guard path == "/proc/self/exe", length > 0 else { return path }
    return String(decoding: buffer.prefix(length), as: UTF8.self)
  }

  private mutating func demangle(_ symbol: String) -> String {
    if let name = demangled[symbol] { return name }
    let name = Self.plainName(symbol)
    demangled[symbol] = name
    return name
  }

  /// What a symbol stands for, as the source has it.
  static func plainName(_ symbol: String) -> String {
    var name = symbol
    if let bytes = insight_demangle(symbol) {
      name = String(cString: bytes)
      free(bytes)
    }
    // The parts of an async function: "(2) await resume partial function for …".
    let words = name.split(separator: " ", maxSplits: 6)
    if name.hasPrefix("("), words.count == 7, words[2...5].elementsEqual(["resume", "partial", "function", "for"]) {
      name = String(words[6])
    }
    return FunctionName.withoutSpecialization(Self.withoutDiscriminators(name))
  }

  /// A private declaration is written with a number of its file: "(insert in _8E0A…)" is just "insert" here.
  static func withoutDiscriminators(_ name: String) -> String {
    guard name.contains(" in _") else { return name }
    var bytes: [UInt8] = []
    let source = Array(name.utf8)
    var open: [Int] = []
    var index = 0
    while index < source.count {
      let rest = source[index...]
      if source[index] == UInt8(ascii: "(") { open.append(bytes.count) }
      if let start = open.last, rest.starts(with: " in _".utf8) {
        let digits = rest.dropFirst(5).prefix { $0 >= 48 && $0 <= 57 || $0 >= 65 && $0 <= 70 }
        if digits.count == 32, source.count > index + 37, source[index + 37] == UInt8(ascii: ")") {
          bytes.remove(at: start)
          open.removeLast()
          index += 38
          continue
        }
      }
      if source[index] == UInt8(ascii: ")") { _ = open.popLast() }
      bytes.append(source[index])
      index += 1
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
