// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// A call of the system that failed.
public struct SystemError: Error, CustomStringConvertible {
  /// What was being done.
  public let action: String

  /// The `errno`, or 0 if `action` says it all.
  public let code: Int32

  init(doing action: String, code: Int32 = errno) {
    self.action = action
    self.code = code
  }

  public var description: String {
    code == 0 ? action : "\(action): \(String(cString: strerror(code)))"
  }
}
