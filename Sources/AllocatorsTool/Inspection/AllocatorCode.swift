// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Tells by its symbols whose allocator code a file holds.
enum AllocatorCode {
  /// Symbols that only this allocator's code defines: any one of them is enough.
  private static let signatures: [(name: String, symbols: [String])] = [
    ("jemalloc", ["mallctl", "je_mallctl", "_rjem_mallctl", "je_malloc", "_rjem_malloc", "je_arena_boot"]),
    ("mimalloc", ["mi_malloc", "_mi_malloc_generic", "mi_heap_malloc"]),
    ("tcmalloc", ["tc_malloc", "TCMallocInternalMalloc", "MallocExtension_Internal_GetStats"]),
    ("snmalloc", ["sn_rust_alloc", "snmalloc_check_bounds", "__snmalloc_malloc"]),
    ("scudo", ["__scudo_print_stats", "__scudo_default_options"]),
    ("hardened_malloc", ["malloc_object_size_fast"]),
    ("AddressSanitizer", ["__asan_init"]),
    ("musl", ["__libc_malloc_impl"]),
    // Others define `__libc_malloc` too. The second is what a static program holds.
    ("glibc", ["gnu_get_libc_version", "_int_malloc"]),
  ]

  private static let allocatorOfSymbol = Dictionary(
    uniqueKeysWithValues: signatures.flatMap { signature in signature.symbols.map { ($0, signature.name) } })

  /// The allocators whose code `image` holds, each once.
  static func allocators(in image: ELFImage) -> [String] {
    var found: Set<String> = []
    var isHardened = false
    for symbols in [image.dynamicSymbols, image.fullSymbols] {
      for symbol in symbols {
        if let name = allocatorOfSymbol[symbol.name] {
          found.insert(name)
        } else if symbol.name.hasPrefix(nestPrefix) {
          found.insert("nest")
        } else if let module = choosingModule(ofSymbol: symbol.name), allocator(ofModule: module) == "nest-hardened" {
          isHardened = true
        }
      }
    }
    // Both flavours are made of the same module: which one it is, the module that has chosen says.
    return signatures.map(\.name).filter(found.contains)
      + (found.contains("nest") ? [isHardened ? "nest-hardened" : "nest"] : [])
  }

  /// How the names of all functions of the module NestAllocator begin.
  private static let nestPrefix = "$s13NestAllocator"

  /// Which allocator the five functions of a Swift artifact lead to, if `image` is such an artifact.
  ///
  /// A definition that is weak is the default, glibc's. A strong one is that of a `Global…` product, or of somebody's own
  /// module: its name is part of its functions' names, and gone after `strip`.
  static func fiveFunctions(of image: ELFImage) -> String? {
    guard
      let entry = image.fullSymbols.first(where: { $0.name == "__rust_allocate" })
        ?? image.dynamicSymbols.first(where: { $0.name == "__rust_allocate" })
    else { return nil }
    if entry.isWeak { return "glibc" }
    let modules = Set(image.fullSymbols.lazy.compactMap { choosingModule(ofSymbol: $0.name) })
    guard let module = modules.sorted().first else { return "an allocator that the symbols do not name" }
    return allocator(ofModule: module)
  }

  /// The allocator of a product, or of a library for LD_PRELOAD. The module of somebody's own allocator is named as it is.
  private static func allocator(ofModule module: Substring) -> String {
    guard let prefix = ["Global", "Preload"].first(where: module.hasPrefix) else { return String(module) }
    switch module.dropFirst(prefix.count) {
    case "System": return "glibc"
    case "Default": return "nest"
    case "NestHardened": return "nest-hardened"
    case let name: return name.lowercased()
    }
  }

  /// "GlobalJemalloc" for `$s14GlobalJemalloc16exportedAllocate…`.
  private static func choosingModule(ofSymbol name: String) -> Substring? {
    guard name.hasPrefix("$s"), name.contains("exportedAllocate") else { return nil }
    let digits = name.dropFirst(2).prefix { $0.isNumber }
    guard let count = Int(digits) else { return nil }
    return name.dropFirst(2 + digits.count).prefix(count)
  }
}
