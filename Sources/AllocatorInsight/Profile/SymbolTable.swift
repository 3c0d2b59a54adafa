// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight

/// The functions of an ELF file. Empty for any other file.
final class SymbolTable {
  private var symbols = insight_symbols()

  init(ofFile path: String) { insight_read_symbols(path, &symbols) }

  deinit { insight_forget_symbols(&symbols) }

  /// The symbol of the function that has the instruction at `address`, which is one of the file.
  func name(at address: UInt) -> String? { insight_find_symbol(&symbols, address).map { String(cString: $0) } }
}
