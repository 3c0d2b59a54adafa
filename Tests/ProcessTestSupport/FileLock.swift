// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// Keeps other test processes (`swift test --parallel`) from what is being built.
public struct FileLock {
  private let descriptor: Int32

  /// Waits for the lock. The file is made and stays.
  public init(_ path: String) throws {
    descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
      throw FixturePackage.BuildFailure(description: "cannot lock \(path): \(String(cString: strerror(errno)))")
    }
  }

  public func unlock() { close(descriptor) }
}
