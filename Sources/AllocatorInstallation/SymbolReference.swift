// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A slot of an image that holds the address of a function: what a call through it reaches.
struct SymbolReference {
  /// The relocation types by which the address of a function gets into a slot (AMD64 supplement, "Relocation Types").
  enum Kind: UInt32 {
    /// `R_X86_64_64`: a pointer in data, such as in a virtual function table.
    case data = 1
    /// `R_X86_64_GLOB_DAT`: an entry of the global offset table, filled in when the image is loaded.
    case globalOffset = 6
    /// `R_X86_64_JUMP_SLOT`: an entry that belongs to the procedure linkage table, filled in at the first call, or at
    /// load.
    case jumpSlot = 7
  }

  let kind: Kind
  /// The address of the slot.
  let slot: UInt
  /// The address in it.
  let value: UInt
  /// Where the image itself defines the symbol; nil where it does not.
  let definition: UInt?
}
