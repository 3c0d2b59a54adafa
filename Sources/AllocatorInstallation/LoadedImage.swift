// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInstallation
import Glibc

/// An image that the dynamic linker has loaded (the executable, or a shared library): where it lies, and which
/// functions of the entry points its relocations name.
///
/// Read from memory, from what the dynamic linker itself works with: the program headers and the dynamic section
/// (System V ABI, chapter 5, and its AMD64 supplement). The file need not exist any more.
struct LoadedImage {
  /// The path by which it was loaded; of the executable, what `/proc/self/exe` leads to.
  let path: String
  /// What its link-time addresses are moved by, in bytes.
  let bias: UInt
  /// The addresses of its segments.
  let segments: [Range<UInt>]
  /// For each entry point that it refers to through the dynamic linker, the references.
  let references: [String: [SymbolReference]]

  /// The address of its first segment, which no other image has.
  var start: UInt { segments.first?.lowerBound ?? bias }

  func contains(_ address: UInt) -> Bool { segments.contains { $0.contains(address) } }

  /// All images, the executable first. Takes the dynamic linker's lock while it reads.
  static func all(naming symbols: Set<String>) -> [LoadedImage] {
    final class Collection {
      let symbols: Set<String>
      var images: [LoadedImage] = []
      init(_ symbols: Set<String>) { self.symbols = symbols }
    }
    let collection = Collection(symbols)
    allocator_for_each_image(
      { image, context in
        let collection = Unmanaged<Collection>.fromOpaque(context).takeUnretainedValue()
        collection.images.append(LoadedImage(image.pointee, naming: collection.symbols))
      }, Unmanaged.passUnretained(collection).toOpaque())
    return collection.images
  }

  /// The image as it would be without the slots in `range`.
  func withoutReferences(in range: Range<UInt>) -> LoadedImage {
    let rest = references.mapValues { $0.filter { !range.contains($0.slot) } }.filter { !$0.value.isEmpty }
    return LoadedImage(path: path, bias: bias, segments: segments, references: rest)
  }

  private init(path: String, bias: UInt, segments: [Range<UInt>], references: [String: [SymbolReference]]) {
    self.path = path
    self.bias = bias
    self.segments = segments
    self.references = references
  }

  private init(_ image: allocator_image, naming symbols: Set<String>) {
    let name = image.name.map { String(cString: $0) } ?? ""
    path = name.isEmpty ? Self.executablePath : name
    let bias = UInt(image.bias)
    self.bias = bias
    var segments: [Range<UInt>] = []
    var dynamic: UnsafePointer<Elf64_Dyn>?
    for index in 0..<Int(image.header_count) {
      let header = image.headers![index]
      let start = bias &+ UInt(header.p_vaddr)
      if header.p_type == PT_LOAD { segments.append(start..<start + UInt(header.p_memsz)) }
      if header.p_type == PT_DYNAMIC { dynamic = UnsafePointer(bitPattern: start) }
    }
    self.segments = segments
    references = dynamic.map { Self.references($0, bias: bias, naming: symbols) } ?? [:]
  }

  private static let executablePath: String = {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    return count > 0 ? String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : "the executable"
  }()

  // MARK: The dynamic section

  private static func references(_ dynamic: UnsafePointer<Elf64_Dyn>, bias: UInt, naming symbols: Set<String>)
    -> [String: [SymbolReference]]
  {
    var values: [Int: UInt] = [:]
    var entry = dynamic
    while entry.pointee.d_tag != 0 {
      values[Int(entry.pointee.d_tag)] = UInt(entry.pointee.d_un.d_val)
      entry += 1
    }
    // The dynamic linker has added the bias to what lies in a writable dynamic section, and not to the rest.
    func address(_ tag: Tag) -> UInt? { values[tag.rawValue].map { $0 < bias ? $0 + bias : $0 } }
    guard let symbolTable = address(.symbols), let strings = address(.strings) else { return [:] }

    var references: [String: [SymbolReference]] = [:]
    for (table, size) in [(Tag.relocations, Tag.relocationsSize), (.jumpRelocations, .jumpRelocationsSize)] {
      guard let start = address(table), let byteCount = values[size.rawValue],
        let relocations = UnsafePointer<Elf64_Rela>(bitPattern: start)
      else { continue }
      for index in 0..<Int(byteCount) / MemoryLayout<Elf64_Rela>.stride {
        let relocation = relocations[index]
        guard let kind = SymbolReference.Kind(rawValue: UInt32(truncatingIfNeeded: relocation.r_info)) else { continue }
        // Safety: the tables are those that the dynamic linker has just used, and stay mapped while its lock is held.
        let symbol = UnsafePointer<Elf64_Sym>(bitPattern: symbolTable)![Int(relocation.r_info >> 32)]
        let name = String(cString: UnsafePointer<CChar>(bitPattern: strings + UInt(symbol.st_name))!)
        guard symbols.contains(name), let slot = UnsafePointer<UInt>(bitPattern: bias &+ UInt(relocation.r_offset))
        else { continue }
        references[name, default: []].append(
          SymbolReference(
            kind: kind, slot: UInt(bitPattern: slot), value: slot.pointee &- UInt(bitPattern: Int(relocation.r_addend)),
            definition: symbol.st_shndx == 0 ? nil : bias &+ UInt(symbol.st_value)))
      }
    }
    return references
  }

  /// What stands in a dynamic section under which number: `DT_…` of elf.h.
  private enum Tag: Int {
    case strings = 5
    case symbols = 6
    case relocations = 7
    case relocationsSize = 8
    case jumpRelocationsSize = 2
    case jumpRelocations = 23
  }
}
