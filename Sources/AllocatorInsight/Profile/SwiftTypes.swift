// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight

/// Tells the Swift type of an object by its address, where there is one, without trusting what lies there.
///
/// An object begins with the address of its type's metadata, and a word of reference counts. Both are read by the kernel, which
/// refuses instead of crashing, and followed only where they look as Swift 6's runtime writes them.
struct SwiftTypes {
  private var names: [UInt: String?] = [:]
  private let isUsable: Bool

  private final class Known {
    var value = 0
  }

  init() {
    let address = unsafeBitCast(Known.self as AnyClass, to: UInt.self)
    // The layout is no part of an ABI on Linux: where a class of ours is not found to be one, nothing is.
    isUsable = Self.className(address)?.contains("Known") ?? false
  }

  /// The qualified name of the type of the object at `address`; nil where there is no Swift object.
  mutating func name(ofObjectAt address: UInt) -> String? {
    var words: (metadata: UInt, counts: UInt, type: UInt) = (0, 0, 0)
    // A small block may end before the third word, and lie at the end of memory; then it is no error either.
    guard isUsable, insight_read_memory(address, &words, 24) != 0 || insight_read_memory(address, &words, 16) != 0,
      Self.isPlausible(counts: words.counts), Self.isPlausible(pointer: words.metadata)
    else { return nil }
    // What an error holds is not in its metadata, but in the object.
    if Self.kind(words.metadata) == .error {
      return Self.isMetadata(words.type) ? "error \(Self.typeName(words.type))" : nil
    }
    if let name = names[words.metadata] { return name }
    let name = Self.name(ofMetadata: words.metadata)
    names[words.metadata] = name
    return name
  }

  /// Heap objects that are not of a class; values of the runtime's kinds of metadata.
  private enum Kind: UInt {
    case closure = 0x400
    case box = 0x500
    case error = 0x501
    case task = 0x502
    case job = 0x503
  }

  private static func kind(_ metadata: UInt) -> Kind? { word(metadata).flatMap(Kind.init(rawValue:)) }

  private static func name(ofMetadata metadata: UInt) -> String? {
    switch kind(metadata) {
    case .closure: "closure context"
    case .box:
      if let boxed = word(metadata + 16), isMetadata(boxed) { "box of \(typeName(boxed))" } else { nil }
    case .task: "task"
    case .job: "job"
    case .error: nil
    case nil: className(metadata)
    }
  }

  private static func className(_ metadata: UInt) -> String? {
    guard isClass(metadata) else { return nil }
    return typeName(metadata)
  }

  /// Class metadata: its kind is 0, and its sixth word is the address of a descriptor, of kind 16, in an image.
  private static func isClass(_ metadata: UInt) -> Bool {
    guard word(metadata) == 0, let descriptor = word(metadata + 40), descriptor % 4 == 0,
      isPlausible(pointer: descriptor & ~7)
    else { return false }
    var flags: UInt32 = 0
    var image = insight_image()
    return insight_read_memory(descriptor, &flags, 4) != 0 && flags & 31 == 16
      && insight_find_image(descriptor, &image) != 0
  }

  /// Metadata of any type: a class, or a kind below those of objects.
  private static func isMetadata(_ address: UInt) -> Bool {
    guard isPlausible(pointer: address), let kind = word(address) else { return false }
    return kind >= 0x200 && kind < 0x400 || isClass(address)
  }

  private static func typeName(_ metadata: UInt) -> String {
    // Safety: `isMetadata` or `isClass` holds.
    _typeName(unsafeBitCast(metadata, to: Any.Type.self), qualified: true)
  }

  private static func word(_ address: UInt) -> UInt? {
    var word: UInt = 0
    return insight_read_memory(address, &word, 8) != 0 ? word : nil
  }

  private static func isPlausible(pointer: UInt) -> Bool { pointer % 8 == 0 && pointer >= 1 << 16 && pointer < 1 << 56 }

  /// As Swift's runtime writes them: a side table or an immortal object has the highest bit; else the lowest says that nothing
  /// but Swift has to release it, and there is an unowned reference at least, the object's own.
  private static func isPlausible(counts: UInt) -> Bool {
    counts >> 63 == 1 || (counts & 1 == 1 && counts >> 1 & 0x7fff_ffff >= 1)
  }
}
