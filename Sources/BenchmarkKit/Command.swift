// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// A program to measure: what a shell would call a simple command.
public struct Command: Sendable, Equatable {
  /// The path of the executable. It is not searched for in `PATH`.
  public var executable: String

  /// The arguments, without the program's own name.
  public var arguments: [String]

  /// Environment variables that replace or join those of this process; nil takes a variable away.
  public var environment: [String: String?]

  public init(_ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:]) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
  }
}
