// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

public import AllocatorABI

extension GlobalAllocator {
  /// Which loaded image answers each entry point of allocation, for each image that calls it, and whether that is the
  /// allocator that was linked.
  ///
  /// What counts is not what was asked for when the program was linked, but where a call goes now: the addresses that
  /// the dynamic linker has put into each image's slots. A slot that it has not yet filled in is looked up as it would.
  ///
  /// The description is a table for a service's log.
  public struct Installation: Sendable {
    /// What the linked allocator calls itself: `GlobalAllocator.name`.
    public let allocatorName: String
    /// The path of the image that has the linked allocator's `malloc`: for the system allocator that of libc, for
    /// jemalloc that of libjemalloc, for an allocator that exports the malloc family that of the artifact. Nil where
    /// there is none, because a sanitizer has its own.
    public let allocatorImage: String?
    /// The entry points that the process has, in groups.
    public let entryPoints: [EntryPoint]

    /// Whether every call of every image goes to the linked allocator.
    public var isComplete: Bool { entryPoints.allSatisfy { $0.bindings.allSatisfy(\.isLinkedAllocator) } }

    /// A function by which memory is got, measured or released.
    public struct EntryPoint: Sendable {
      /// Its symbol, as the linker knows it.
      public let symbol: String
      /// What a reader knows it by: of a C++ operator, its name.
      public let name: String
      /// What it belongs to.
      public let group: Group
      /// Who calls it, and who answers. Empty where no image calls it.
      public let bindings: [Binding]
    }

    /// What one image's calls of an entry point reach.
    public struct Binding: Sendable, Hashable {
      /// The path of the image that calls.
      public let caller: String
      /// The path of the image that has the function.
      public let function: String
      /// The path of the image that answers in the end: `operator new` is libstdc++'s, and calls `malloc`, which is
      /// another image's. The same as `function` where that does not call on.
      public let answer: String
      /// Whether that is the linked allocator.
      public let isLinkedAllocator: Bool
    }
  }

  /// The installation, as it is now. Loading or unloading a library may change it.
  ///
  /// Reads the tables of all loaded images: a few milliseconds, some allocations, and the dynamic linker's lock. For
  /// start-up and tests, not for hot paths or signal handlers.
  public static var installation: Installation { InstallationReader().read() }

  /// Makes sure that every allocation of the process goes to the linked allocator.
  ///
  /// Costs what ``installation`` costs.
  ///
  /// - Throws: ``NotInstalled`` with the first entry point that goes elsewhere, and where it goes.
  public static func requireInstalled() throws(NotInstalled) {
    let installation = installation
    for entryPoint in installation.entryPoints {
      let elsewhere = entryPoint.bindings.filter { !$0.isLinkedAllocator }
      // Best said of a caller that is neither of the two allocators.
      let telling = elsewhere.first { $0.caller != $0.answer && $0.caller != installation.allocatorImage }
      if let binding = telling ?? elsewhere.first {
        throw NotInstalled(entryPoint: entryPoint, binding: binding, installation: installation)
      }
    }
  }

  /// An entry point went elsewhere than to the linked allocator.
  public struct NotInstalled: Error, Sendable, CustomStringConvertible {
    /// The first such entry point in the order of the report.
    public let entryPoint: Installation.EntryPoint
    /// Who calls it, and who answers.
    public let binding: Installation.Binding
    /// The whole report.
    public let installation: Installation

    public var description: String {
      let linked = installation.allocatorImage.map {
        "the linked allocator, \(installation.allocatorName), is in \($0)"
      }
      return "\(entryPoint.name) is answered by \(binding.answer) for \(binding.caller); "
        + (linked
          ?? "a sanitizer has taken malloc, and the linked allocator, \(installation.allocatorName), stepped aside")
    }
  }
}
