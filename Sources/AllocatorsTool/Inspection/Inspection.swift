// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Which allocator a program will get, or a process has, and how that is known.
struct Inspection: Sendable {
  /// A statement and its evidence, such as "malloc" and "jemalloc, because …".
  struct Finding: Sendable, Equatable {
    var title: String
    var text: String
  }

  /// What was looked at.
  var subject: String
  var findings: [Finding]

  /// The allocators that are in use, or could be: "glibc" only if calls lead to it.
  var allocators: [String]

  /// Looks at a program's or a process's files.
  init(_ subject: String, scope: LoaderScope, preloadObstacle: String? = nil) {
    self.subject = subject
    findings = []
    var inUse: [String] = []
    func use(_ name: String) {
      if !inUse.contains(name) { inUse.append(name) }
    }

    let program = scope.objects[0]
    if let provider = scope.mallocProvider {
      let name = Self.name(of: provider)
      use(name)
      let how =
        program.image.isStaticProgram
        ? "linked into the static program"
        : provider.path == program.path
          ? "the program itself exports malloc" : "\(provider.path) is the first in the loader's order to export malloc"
      findings.append(Finding(title: "malloc", text: "\(name): \(how)"))
    } else if program.image.isStaticProgram && program.image.fullSymbols.isEmpty {
      findings.append(Finding(title: "malloc", text: "unknown: the static program has no symbols left"))
    } else {
      findings.append(Finding(title: "malloc", text: "none: no file of it exports malloc"))
    }

    for object in scope.objects + scope.openedLater {
      guard let name = AllocatorCode.fiveFunctions(of: object.image) else { continue }
      use(name)
      findings.append(Finding(title: "five functions", text: "\(name): \(object.path) defines __rust_allocate"))
    }
    for object in scope.objects + scope.openedLater {
      for name in AllocatorCode.allocators(in: object.image) where name != "glibc" && !inUse.contains(name) {
        use(name)
        findings.append(Finding(title: "also there", text: "\(name): its code is in \(object.path)"))
      }
    }
    if let preloadObstacle { findings.append(Finding(title: "LD_PRELOAD", text: preloadObstacle)) }
    allocators = inUse
    findings.append(Finding(title: "in all", text: Self.verdict(inUse)))
  }

  /// What to print.
  var lines: [String] {
    let width = findings.map(\.title.count).max() ?? 0
    return [subject]
      + findings.map { "  \($0.title)\(String(repeating: " ", count: width - $0.title.count))  \($0.text)" }
  }

  static func name(of object: LoadedObject) -> String {
    AllocatorCode.allocators(in: object.image).first ?? AllocatorCode.fiveFunctions(of: object.image)
      ?? "an allocator that the symbols do not name"
  }

  private static func verdict(_ allocators: [String]) -> String {
    switch allocators.count {
    case 0: "no allocator that the symbols name"
    case 1: "one allocator, \(allocators[0])"
    case 2: "two allocators, \(allocators[0]) and \(allocators[1])"
    default: "\(allocators.count) allocators, \(allocators.joined(separator: ", "))"
    }
  }
}
