// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// The executable of this process.
enum ThisExecutable {
  static let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""

  static let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
}
