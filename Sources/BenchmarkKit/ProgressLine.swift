// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// Tells on standard error how far a long run is: on a terminal one line that changes, else one line for each message.
public struct ProgressLine: Sendable {
  private let isTerminal = isatty(STDERR_FILENO) == 1

  public init() {}

  /// Shows `message` in place of the one before.
  public func show(_ message: String) {
    write(isTerminal ? "\r\u{1B}[2K\(message)" : "\(message)\n")
  }

  /// Takes the message away from a terminal.
  public func clear() {
    if isTerminal { write("\r\u{1B}[2K") }
  }

  private func write(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
