// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import KitSupport

extension GlobalAllocator.Installation: CustomStringConvertible {
  /// A table: a line for each entry point and each image that answers it, with those that call it there.
  public var description: String {
    let verdict = isComplete ? "answers every allocation of this process" : "does not answer every allocation"
    let home = allocatorImage ?? "nowhere: a sanitizer has taken malloc"
    var table = TextTable(["entry point", "answered by", "linked allocator", "called by"].map { ($0, .left) })
    for entryPoint in entryPoints {
      if entryPoint.bindings.isEmpty {
        table.addRow([entryPoint.name, "-", "-", "no image"])
      }
      // In the order of first appearance, the executable's answer first.
      var answers: [[String]] = []
      for binding in entryPoint.bindings {
        let answer = Self.answerText(binding)
        if !answers.contains(answer) { answers.append(answer) }
      }
      for answer in answers {
        let bindings = entryPoint.bindings.filter { Self.answerText($0) == answer }
        table.addRow([entryPoint.name] + answer + [Self.callersText(bindings)])
      }
    }
    return (["allocator \(allocatorName) (\(home)) \(verdict)"] + table.lines).joined(separator: "\n")
  }

  /// All callers where the answer is wrong, the first few where it is right.
  private static func callersText(_ bindings: [Binding]) -> String {
    let names = bindings.map { fileName($0.caller) }
    let shown = bindings.allSatisfy(\.isLinkedAllocator) && names.count > 4 ? 3 : names.count
    let rest = names.count - shown
    return names[..<shown].joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  private static func answerText(_ binding: Binding) -> [String] {
    let answer = fileName(binding.answer)
    let way = binding.function == binding.answer ? answer : "\(answer) through \(fileName(binding.function))"
    return [way, binding.isLinkedAllocator ? "yes" : "NO"]
  }

  private static func fileName(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }
}
