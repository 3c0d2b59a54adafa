// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight

/// Looks at what may be the metadata of a type, as Swift's runtime lays it out, and says whether it is.
///
/// Nothing is trusted: all is read by ``OwnMemory``, and the runtime itself is asked for a name only when everything that it
/// will read for that has been looked at. The layout is that of `Metadata.h` and `MetadataValues.h` of Swift 5 to 6, which is no
/// ABI on Linux: see ``SwiftTypes/refusal``.
struct SwiftMetadata {
  /// Kinds of metadata, which are its first word (`MetadataKind.def`). A class's is 0.
  enum Kind: UInt {
    case aClass = 0
    case aStruct = 0x200
    case anEnum = 0x201
    case optional = 0x202
    case foreignClass = 0x203
    case foreignReference = 0x204
    case opaque = 0x300
    case tuple = 0x301
    case function = 0x302
    case existential = 0x303
    case metatype = 0x304
    case existentialMetatype = 0x306
    // Of objects that are of no class.
    case closure = 0x400
    case box = 0x500
    case error = 0x501
    case task = 0x502
    case job = 0x503
  }

  /// How deep generic arguments may be nested.
  private static let mostLevels = 12
  private static let mostParents = 32

  /// What has been found out of addresses.
  private var known: [UInt: Bool] = [:]
  private var knownDescriptors: [UInt: Bool] = [:]

  static func kind(_ metadata: UInt) -> Kind? { OwnMemory.word(metadata).flatMap(Kind.init(rawValue:)) }

  static func isPlausible(pointer: UInt) -> Bool { pointer % 8 == 0 && pointer >= 1 << 16 && pointer < 1 << 56 }

  /// Where images are.
  static func isInImage(_ address: UInt) -> Bool {
    var image = insight_image()
    return insight_find_image(address, &image) != 0
  }

  // MARK: Names

  /// The qualified name of a type; nil where that is no metadata.
  mutating func name(_ metadata: UInt) -> String? {
    if isType(metadata) { return Self.nameByRuntime(metadata) }
    // A class for sure, of arguments that are not known here.
    if let descriptor = classDescriptor(metadata) { return Self.nameByDescriptors(descriptor).map { $0 + "<…>" } }
    return nil
  }

  private static func nameByRuntime(_ metadata: UInt) -> String {
    // Safety: `isType` has followed what the runtime will follow.
    let name = _typeName(unsafeBitCast(metadata, to: Any.Type.self), qualified: true)
    guard name.contains("(unknown context at ") else { return name }
    // A private type's context is told as an address: "Server.(unknown context at $5581).Session".
    var (rest, plain) = (name[...], "")
    while let start = rest.firstRange(of: "(unknown context at ") {
      plain += rest[..<start.lowerBound]
      rest = rest[start.upperBound...]
      guard let end = rest.firstRange(of: ").") else { break }
      rest = rest[end.upperBound...]
    }
    return plain + rest
  }

  /// "Server.Cache" from the descriptors alone, without generic arguments.
  private static func nameByDescriptors(_ descriptor: UInt) -> String? {
    var (names, next): ([String], UInt?) = ([], descriptor)
    for _ in 0..<mostParents {
      guard let context = next, let flags = OwnMemory.load(context, as: UInt32.self) else { break }
      // A module and what is nominal has a name; an extension or a private context has none.
      if [0, 3, 16, 17, 18].contains(flags & 31) {
        guard let name = OwnMemory.relativePointer(context + 8).flatMap({ OwnMemory.text($0) }) else { return nil }
        names.append(name)
      }
      next = parent(of: context)
    }
    return names.isEmpty ? nil : names.reversed().joined(separator: ".")
  }

  // MARK: Classes

  /// Whether this is a class with everything that its name takes.
  mutating func isClass(_ metadata: UInt) -> Bool { Self.kind(metadata) == .aClass && isType(metadata) }

  /// Bytes of an instance of what is known to be a class.
  static func instanceSize(_ metadata: UInt) -> Int { Int(OwnMemory.load(metadata + 24, as: UInt32.self) ?? 0) }

  /// The descriptor of a class, the fields of whose metadata are sound.
  private mutating func classDescriptor(_ metadata: UInt) -> UInt? {
    typealias Words = (kind: UInt, parent: UInt, flags: UInt, size: UInt, whole: UInt, descriptor: UInt)
    guard Self.isPlausible(pointer: metadata), let words = OwnMemory.load(metadata, as: Words.self), words.kind == 0
    else { return nil }
    let (flags, addressPoint) = (words.flags & 0xffff_ffff, words.flags >> 32)
    let (instanceSize, alignmentMask) = (words.size & 0xffff_ffff, words.size >> 32 & 0xffff)
    let (wholeSize, wholeAddressPoint) = (words.whole & 0xffff_ffff, words.whole >> 32)
    // It counts references as Swift does, has room for its header, and begins no earlier than it ends.
    guard flags & 2 != 0, addressPoint <= instanceSize, instanceSize >= 16, alignmentMask & (alignmentMask + 1) == 0,
      words.size >> 48 == 0, wholeAddressPoint >= 16, wholeAddressPoint < wholeSize, wholeSize < 1 << 24,
      words.parent == 0 || Self.isPlausible(pointer: words.parent), isDescriptor(words.descriptor, ofKind: 16)
    else { return nil }
    return words.descriptor
  }

  // MARK: Types

  /// Whether this is metadata of a type, and all that the runtime reads for its name is.
  mutating func isType(_ metadata: UInt) -> Bool { isType(metadata, level: 0) }

  private mutating func isType(_ metadata: UInt, level: Int) -> Bool {
    guard Self.isPlausible(pointer: metadata), level < Self.mostLevels else { return false }
    if let answer = known[metadata] { return answer }
    let answer = lookAtType(metadata, level: level)
    // What was too deep here may not be elsewhere.
    if answer || level == 0 { known[metadata] = answer }
    return answer
  }

  private mutating func lookAtType(_ metadata: UInt, level: Int) -> Bool {
    guard let kind = Self.kind(metadata) else { return false }
    func word(_ index: Int) -> UInt { OwnMemory.word(metadata + UInt(index) * 8) ?? 0 }
    switch kind {
    case .aClass:
      guard let descriptor = classDescriptor(metadata) else { return false }
      return hasSoundArguments(metadata, descriptor, level: level)
    case .aStruct, .anEnum, .optional:
      guard isDescriptor(word(1), ofKind: kind == .aStruct ? 17 : 18) else { return false }
      return hasSoundArguments(metadata, word(1), level: level)
    case .foreignClass, .foreignReference: return isDescriptor(word(1), ofKind: 16)
    case .opaque: return Self.isInImage(metadata)
    case .tuple:
      let count = word(1)
      guard count <= 64 else { return false }
      return (0..<Int(count)).allSatisfy { isType(word(3 + 2 * $0), level: level + 1) }
    case .function:
      let flags = word(1)
      // A result, and up to 65,535 parameters; what stands behind them is not looked at.
      guard flags >> 32 == 0, flags & 0xffff <= 64, flags >> 28 == 0 else { return false }
      return (0...Int(flags & 0xffff)).allSatisfy { isType(word(2 + $0), level: level + 1) }
    case .existential:
      let (flags, count) = (word(1) & 0xffff_ffff, word(1) >> 32)
      guard count <= 64 else { return false }
      // The highest bit but one says that a superclass stands first.
      let superclass = flags >> 30 & 1 != 0 ? 1 : 0
      if superclass == 1 && !isType(word(2), level: level + 1) { return false }
      return (0..<Int(count)).allSatisfy { isDescriptor(word(2 + superclass + $0), ofKind: 3) }
    case .metatype, .existentialMetatype: return isType(word(1), level: level + 1)
    case .closure, .box, .error, .task, .job: return false
    }
  }

  /// Whether the arguments of a generic type are types; a type that is not generic has none.
  private mutating func hasSoundArguments(_ metadata: UInt, _ descriptor: UInt, level: Int) -> Bool {
    guard let flags = OwnMemory.load(descriptor, as: UInt32.self) else { return false }
    if flags & 0x80 == 0 { return true }
    let isClass = flags & 31 == 16
    // The numbers of parameters stand behind what the kind of type has, and two pointers.
    let header = descriptor + (isClass ? 44 : 28) + 8
    guard let counts = OwnMemory.load(header, as: UInt64.self) else { return false }
    let parameters = Int(counts & 0xffff)
    guard parameters <= 64, let offset = isClass ? Self.argumentOffset(descriptor, flags) : 16 else { return false }
    var index = 0
    for parameter in 0..<parameters {
      guard let byte = OwnMemory.load(header + 8 + UInt(parameter), as: UInt8.self) else { return false }
      // A pack, or a value, is not looked at.
      guard byte & 63 == 0 else { return false }
      guard byte & 0x80 != 0 else { continue }
      let place = metadata &+ UInt(bitPattern: offset + 8 * index)
      guard let argument = OwnMemory.word(place), isType(argument, level: level + 1) else { return false }
      index += 1
    }
    return true
  }

  /// Bytes from the address of a class's metadata to its first argument.
  private static func argumentOffset(_ descriptor: UInt, _ flags: UInt32) -> Int? {
    if flags >> 29 & 1 != 0 {
      // The superclass is another module's, which decides: known when the class has been used.
      guard let bounds = OwnMemory.relativePointer(descriptor + 24), let offset = OwnMemory.load(bounds, as: Int.self),
        offset != 0, abs(offset) < 1 << 20
      else { return nil }
      return offset
    }
    typealias Sizes = (negative: UInt32, positive: UInt32, members: UInt32)
    guard let sizes = OwnMemory.load(descriptor + 24, as: Sizes.self), sizes.negative < 1 << 16,
      sizes.positive < 1 << 16,
      sizes.members <= sizes.positive
    else { return nil }
    return flags >> 28 & 1 != 0 ? -8 * Int(sizes.negative) : 8 * Int(sizes.positive - sizes.members)
  }

  // MARK: Descriptors

  /// Whether this is the descriptor of a class (16), struct (17), enum (18) or protocol (3), in an image, as are all that are around
  /// it.
  private mutating func isDescriptor(_ address: UInt, ofKind kind: UInt32) -> Bool {
    guard address % 4 == 0, address >= 1 << 16, let flags = OwnMemory.load(address, as: UInt32.self), flags & 31 == kind
    else {
      return false
    }
    if let answer = knownDescriptors[address] { return answer }
    let answer = Self.lookAtDescriptor(address)
    knownDescriptors[address] = answer
    return answer
  }

  private static func lookAtDescriptor(_ address: UInt) -> Bool {
    guard isInImage(address), let name = OwnMemory.relativePointer(address + 8), isInImage(name),
      let text = OwnMemory.text(name), !text.isEmpty
    else { return false }
    var (next, count) = (parent(of: address), 0)
    while let context = next {
      guard count < mostParents, isInImage(context), let flags = OwnMemory.load(context, as: UInt32.self) else {
        return false
      }
      if flags & 31 == 0 { return true }
      next = parent(of: context)
      count += 1
    }
    // Every context is in a module.
    return false
  }

  /// The descriptor that is around another one; nil where there is none, or it is not readable.
  private static func parent(of descriptor: UInt) -> UInt? {
    guard let target = OwnMemory.relativePointer(descriptor + 4) else { return nil }
    return target & 1 == 0 ? target : OwnMemory.word(target & ~1)
  }
}
