// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Why a file is no trace that can be used: one line.
public struct TraceError: Error, CustomStringConvertible, Equatable, Sendable {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
