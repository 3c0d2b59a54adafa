// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight

/// The functions of an ELF file. Empty for any other file.
final class SymbolTable {
  private var symbols = insight_symbols()

  init(ofFile path: String) { insight_read_symbols(path, &symbols) }

  deinit { insight_forget_symbols(&symbols) }

  var isEmpty: Bool { symbols.count == 0 }

  /// Whether it has the names alone that other files need.
  var isStripped: Bool { symbols.is_stripped != 0 }

  /// The lowest address of a segment in the file.
  var low: UInt { UInt(symbols.low) }

  /// In hexadecimal; empty where it has none.
  var buildID: String { Self.text(symbols.build_id, symbols.build_id_size) }

  /// A build id as `file` and `readelf -n` write it.
  static func text<Bytes>(_ bytes: Bytes, _ size: UInt32) -> String {
    withUnsafeBytes(of: bytes) { bytes in
      bytes.prefix(Int(size)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }

  /// The symbol of the function that has the instruction at `address`, which is one of the file.
  func name(at address: UInt) -> String? { insight_find_symbol(&symbols, address).map { String(cString: $0) } }

  /// The symbols of the functions that make contexts of closures with this metadata, which is at an address of the file, or boxes.
  func makers(ofClosure metadata: UInt) -> [String] {
    var count = 0
    guard let references = insight_closure_references(&symbols, metadata, &count) else { return [] }
    return (0..<count).compactMap { name(at: references[$0].from) }
  }
}
