// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// The words of the command that stands at the end of a command line, usually after `--`.
struct CommandWords: Equatable {
  let all: [String]

  /// - Parameter captured: what is left of the command line after its options.
  /// - Throws: ``ToolFailure`` if there are none, or an option that does not exist.
  init(_ captured: [String]) throws(ToolFailure) {
    all = captured.first == "--" ? Array(captured.dropFirst()) : captured
    if let option = captured.first, option.hasPrefix("-"), option != "--" {
      throw ToolFailure("unknown option '\(option)'", .usage)
    }
    guard !all.isEmpty else { throw ToolFailure("a command is missing: … -- COMMAND [ARGUMENT…]", .usage) }
  }

  var program: String { all[0] }
}
