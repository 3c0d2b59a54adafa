// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import ArgumentParser

/// A list in one argument: `a,b,c`.
struct CommaSeparated: ExpressibleByArgument {
  let elements: [String]

  init(argument: String) {
    elements = argument.split(separator: ",").map(String.init)
  }

  init(_ elements: [String]) {
    self.elements = elements
  }

  var defaultValueDescription: String { elements.joined(separator: ",") }

  /// Returns those of `all` that are named here, in their order there.
  ///
  /// - Throws: `ValidationError` for a name that is not among them.
  func selection<Element>(of all: [Element], named name: (Element) -> String, option: String) throws -> [Element] {
    for element in elements where !all.contains(where: { name($0) == element }) {
      throw ValidationError("\(option): there is no '\(element)'. There are \(all.map(name).joined(separator: ", ")).")
    }
    guard !elements.isEmpty else { throw ValidationError("\(option) takes at least one name.") }
    return all.filter { elements.contains(name($0)) }
  }
}
