// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight

/// Says where an object was made that is the context of a closure, or the box of a captured variable, and what is in it.
///
/// These have no type with a name, but metadata that the compiler has made for that very place (`HeapLocalVariableMetadata`), as a constant
/// of the image:
///
///       0  0x400
///       8  bytes to the first capture
///      16  a description of the captures by their types: `CaptureDescriptor` in `Records.h`
///
/// Which function makes them, its code tells, which refers to the constant.
struct ClosureContexts {
  private var symbols = ProcessSymbols()

  /// "closure context made in SessionStore.insert, with Server.Session and Swift.Int", as far as that can be told; nil where that is no such
  /// metadata.
  mutating func name(_ metadata: UInt) -> String? {
    guard SwiftMetadata.isInImage(metadata) else { return nil }
    let captures = captures(metadata)
    // What has one capture may be a variable's box.
    var name = captures.count == 1 ? "closure context or box" : "closure context"
    let makers = symbols.makers(ofClosure: metadata).map { FunctionName.short($0) }
    if let first = makers.first {
      name += " made in \(first)"
      if makers.contains(where: { $0 != first }) { name += " and others" }
    }
    return captures.isEmpty ? name : "\(name), with \(captures.joined(separator: " and "))"
  }

  private func captures(_ metadata: UInt) -> [String] {
    typealias Counts = (types: UInt32, sources: UInt32, bindings: UInt32)
    guard let descriptor = OwnMemory.word(metadata + 16), descriptor % 4 == 0, SwiftMetadata.isInImage(descriptor),
      let counts = OwnMemory.load(descriptor, as: Counts.self), counts.types <= 16,
      // Types that depend on those of a generic function are not in the description.
      counts.sources == 0, counts.bindings == 0
    else { return [] }
    return (0..<UInt(counts.types)).map { index in
      guard let name = OwnMemory.relativePointer(descriptor + 12 + 4 * index), SwiftMetadata.isInImage(name) else {
        return "…"
      }
      return Self.typeName(mangled: name)
    }
  }

  /// The type with the mangled name at `address`, which ends with a zero, and may have references to descriptors in it: a byte below 32, and
  /// four or eight bytes.
  private static func typeName(mangled address: UInt) -> String {
    var length: UInt = 0
    while length < 512 {
      guard let byte = OwnMemory.load(address + length, as: UInt8.self) else { return "…" }
      if byte == 0 { break }
      length += byte < 0x18 ? 5 : byte < 0x20 ? 9 : 1
    }
    guard length > 0, length < 512, let pointer = UnsafePointer<UInt8>(bitPattern: address) else { return "…" }
    // "Xx" ends the name of a box in the intermediate language, which is no type.
    if length > 2, pointer[Int(length) - 1] == UInt8(ascii: "x"), pointer[Int(length) - 2] == UInt8(ascii: "X") {
      return "a variable"
    }
    // Safety: the name lies in an image, behind the compiler's own description.
    guard let type = _getTypeByMangledNameInContext(pointer, length, genericContext: nil, genericArguments: nil) else {
      return "…"
    }
    return _typeName(type, qualified: true)
  }
}
