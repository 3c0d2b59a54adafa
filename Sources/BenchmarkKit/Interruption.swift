// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// A signal that asks this process to end: a run that is under way then ends with an error, and leaves nothing behind.
public enum Interruption {
  /// The signal that came; 0 if none did.
  ///
  /// Safety: an aligned 32-bit integer, written by the handler alone and read by everybody; no more than one value matters.
  private nonisolated(unsafe) static var signal: Int32 = 0

  /// The signal that came; nil if none did.
  public static var received: Int32? { signal == 0 ? nil : signal }

  /// From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending this process at once.
  public static func watch() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { Interruption.signal = $0 }
      sigaction(number, &action, nil)
    }
  }

  /// Ends this process by the signal that came, as if it had never been noted.
  public static func endProcess(by number: Int32) -> Never {
    Glibc.signal(number, SIG_DFL)
    raise(number)
    _exit(128 + number)
  }
}
