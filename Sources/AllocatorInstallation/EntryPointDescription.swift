// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI

extension GlobalAllocator.Installation {
  /// What an entry point belongs to.
  public enum Group: String, Sendable, CaseIterable {
    /// C's memory management functions (C17, 7.22.3; POSIX; glibc's malloc.h).
    case malloc = "malloc family"
    /// The five functions of `AllocatorABI` under their C names.
    case fiveFunctions = "AllocatorABI"
    /// Objects, closure contexts and buffers of Swift.
    case swift = "Swift objects"
    /// C++'s `operator new` and `operator delete`.
    case cxx = "C++"
  }
}

/// The entry points that are looked at, in the order of the report.
struct EntryPointDescription {
  /// The symbol.
  let symbol: String
  /// What a reader knows it by.
  let name: String
  let group: GlobalAllocator.Installation.Group
  /// Where the function does not allocate by itself, but calls another one: the symbols of which it calls the first
  /// that its image refers to. Whoever answers that one answers this one.
  var forwardsTo: [String] = []

  private static let aligned = ["aligned_alloc", "posix_memalign", "memalign"]

  static let all: [EntryPointDescription] =
    ["malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "memalign", "valloc", "pvalloc"]
    .map { .init(symbol: $0, name: $0, group: .malloc) }
    + [.init(symbol: "reallocarray", name: "reallocarray", group: .malloc, forwardsTo: ["realloc"])]
    + ["malloc_usable_size", "free_sized", "free_aligned_sized", "cfree"]
    .map { .init(symbol: $0, name: $0, group: .malloc) }
    + ["__rust_allocate", "__rust_deallocate", "__rust_reallocate", "__rust_reallocate_inplace", "__rust_usable_size"]
    .map { .init(symbol: $0, name: $0, group: .fiveFunctions) }
    + [.init(symbol: "swift_slowAlloc", name: "swift_allocObject", group: .swift, forwardsTo: ["malloc"])]
    + [
      ("_Znwm", "operator new"), ("_Znam", "operator new[]"), ("_ZnwmRKSt9nothrow_t", "operator new (nothrow)"),
      ("_ZnamRKSt9nothrow_t", "operator new[] (nothrow)"),
    ].map { .init(symbol: $0, name: $1, group: .cxx, forwardsTo: ["malloc"]) }
    + [("_ZnwmSt11align_val_t", "operator new (aligned)"), ("_ZnamSt11align_val_t", "operator new[] (aligned)")]
    .map { .init(symbol: $0, name: $1, group: .cxx, forwardsTo: aligned) }
    + [
      ("_ZdlPv", "operator delete"), ("_ZdaPv", "operator delete[]"), ("_ZdlPvm", "operator delete (sized)"),
      ("_ZdaPvm", "operator delete[] (sized)"), ("_ZdlPvSt11align_val_t", "operator delete (aligned)"),
      ("_ZdaPvSt11align_val_t", "operator delete[] (aligned)"),
      ("_ZdlPvmSt11align_val_t", "operator delete (sized, aligned)"),
      ("_ZdaPvmSt11align_val_t", "operator delete[] (sized, aligned)"),
    ].map { .init(symbol: $0, name: $1, group: .cxx, forwardsTo: ["free"]) }
}
