// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// Why the output of a run is not what it should be, in a few words.
public struct WrongOutput: Error {
  public let reason: String

  public init(_ reason: String) {
    self.reason = reason
  }
}
