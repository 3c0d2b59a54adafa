// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// How much memory was resident at one moment of a run.
public struct ResidentPoint: Sendable, Codable, Equatable {
  /// Seconds since the start of the run.
  public var seconds: Double

  /// Bytes, in all processes together.
  public var bytes: Int

  public init(seconds: Double, bytes: Int) {
    self.seconds = seconds
    self.bytes = bytes
  }
}
