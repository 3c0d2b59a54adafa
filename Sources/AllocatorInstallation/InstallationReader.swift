// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import CAllocatorInstallation
import CAllocatorSupport
import Glibc

/// Finds out where calls of the entry points go.
struct InstallationReader {
  private let images: [LoadedImage]
  /// For each entry point the address that the artifact's own code calls, and whether the linker, not the dynamic
  /// linker, has put it there.
  private let ownAddresses: [String: (address: UInt, isStatic: Bool)]
  /// The image that this code is in, and with it the artifact.
  private let artifact: LoadedImage?

  init() {
    let table = UnsafeBufferPointer(start: allocator_entry_point_table(), count: allocator_entry_point_count)
    let names = table.map { String(cString: $0.name) }
    let tableRange = UInt(bitPattern: table.baseAddress!)..<UInt(bitPattern: table.baseAddress! + table.count)
    let images = LoadedImage.all(naming: Set(names))
    let artifact = images.first { $0.contains(tableRange.lowerBound) }

    // The table's own slots are no calls; but that there is one says that the symbol is not the artifact's own.
    let dynamicNames = Set(
      (artifact?.references ?? [:]).filter { $0.value.contains { tableRange.contains($0.slot) } }.keys)
    ownAddresses = Dictionary(
      uniqueKeysWithValues: zip(names, table).compactMap { name, entry in
        entry.address.map { (name, (UInt(bitPattern: $0), !dynamicNames.contains(name))) }
      })
    self.images = images.map { image in
      image.start == artifact?.start ? image.withoutReferences(in: tableRange) : image
    }
    self.artifact = artifact.map { $0.withoutReferences(in: tableRange) }
  }

  func read() -> GlobalAllocator.Installation {
    let home = allocatorHome
    let fiveFunctionsHome = ownAddresses["__rust_allocate"].flatMap { image(at: $0.address) } ?? artifact
    return GlobalAllocator.Installation(
      allocatorName: GlobalAllocator.name,
      allocatorImage: home?.path,
      entryPoints: EntryPointDescription.all.compactMap { description in
        let symbol = description.symbol
        // One that no image calls is shown too, if there is one: who calls it may be loaded later.
        guard ownAddresses[symbol] != nil || lookUp(symbol) != nil else { return nil }
        let home = description.group == .fiveFunctions ? fiveFunctionsHome : home
        return GlobalAllocator.Installation.EntryPoint(
          symbol: description.symbol, name: description.name, group: description.group,
          bindings: bindings(of: description, home: home))
      })
  }

  // MARK: The linked allocator

  /// The image that has the linked allocator's `malloc`.
  private var allocatorHome: LoadedImage? {
    if allocator_is_sanitized() != 0 { return nil }
    // The artifact exports the malloc family itself.
    if let exported = allocator_exported_malloc() { return image(at: UInt(bitPattern: exported)) }
    // The allocator is a library's, which has taken over malloc, or is libc's.
    return allocatorLibrary ?? artifact
  }

  /// The image of the library that the linked allocator's memory comes from, if it says so. Beside the artifact's own `malloc`,
  /// the library's `operator new` may go to it straight.
  private var allocatorLibrary: LoadedImage? {
    if allocator_is_sanitized() != 0 { return nil }
    let symbol = __swift_allocator_library_symbol()
    guard symbol.pointee != 0, let found = dlsym(nil, symbol) else { return nil }
    return image(at: UInt(bitPattern: found))
  }

  // MARK: Calls

  private func bindings(of description: EntryPointDescription, home: LoadedImage?)
    -> [GlobalAllocator.Installation.Binding]
  {
    let library = description.group == .fiveFunctions ? nil : allocatorLibrary
    func binding(_ caller: LoadedImage, _ address: UInt) -> GlobalAllocator.Installation.Binding? {
      guard let function = image(at: address) else { return nil }
      let answer = answer(of: description, in: function, home: home)
      return GlobalAllocator.Installation.Binding(
        caller: caller.path, function: function.path, answer: answer.path,
        isLinkedAllocator: [home, library].contains { $0?.start == answer.start })
    }

    // Swift objects: the runtime's own affair.
    if description.group == .swift {
      guard let own = ownAddresses[description.symbol], let runtime = image(at: own.address) else { return [] }
      return [binding(runtime, own.address)].compactMap { $0 }
    }
    var bindings: [GlobalAllocator.Installation.Binding] = []
    for image in images {
      let own = ownAddresses[description.symbol]
      if image.start == artifact?.start, let own, own.isStatic, image.references[description.symbol] == nil {
        bindings.append(contentsOf: [binding(image, own.address)].compactMap { $0 })
      }
      for reference in image.references[description.symbol] ?? [] {
        let address = destination(of: reference, symbol: description.symbol, from: image)
        guard address != 0, let binding = binding(image, address), !bindings.contains(binding) else { continue }
        bindings.append(binding)
      }
    }
    return bindings
  }

  /// The image that does the work in the end.
  private func answer(of description: EntryPointDescription, in function: LoadedImage, home: LoadedImage?)
    -> LoadedImage
  {
    if description.group != .swift && function.start == home?.start { return function }
    for symbol in description.forwardsTo {
      if let address = destination(of: symbol, from: function), let answer = image(at: address) { return answer }
    }
    return function
  }

  /// Where an image's calls of a symbol go; nil where it does not call it, as far as can be seen.
  private func destination(of symbol: String, from image: LoadedImage) -> UInt? {
    if let reference = image.references[symbol]?.first {
      return destination(of: reference, symbol: symbol, from: image)
    }
    guard image.start == artifact?.start, let own = ownAddresses[symbol], own.isStatic else { return nil }
    return own.address
  }

  private func destination(of reference: SymbolReference, symbol: String, from image: LoadedImage) -> UInt {
    // An address in the image itself that is not the image's definition is its procedure linkage table's: the dynamic
    // linker has yet to fill in the slot, and will find what it finds now.
    if image.contains(reference.value), reference.value != reference.definition {
      return lookUp(symbol) ?? reference.value
    }
    // The same in another image: the address that a function has in an executable that is not position-independent.
    if let other = self.image(at: reference.value), let own = other.references[symbol]?.first, own.definition == nil {
      return other.contains(own.value) ? lookUp(symbol) ?? own.value : own.value
    }
    return reference.value
  }

  private func lookUp(_ symbol: String) -> UInt? {
    // RTLD_DEFAULT is a null handle: the search order of the whole process.
    dlsym(nil, symbol).map { UInt(bitPattern: $0) }
  }

  private func image(at address: UInt) -> LoadedImage? { images.first { $0.contains(address) } }
}
