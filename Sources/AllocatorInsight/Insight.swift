// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight
import Glibc

/// Lets the command `allocators` ask this process about its memory, and keeps a history that the answers speak of.
public enum Insight {
  /// What became of ``start(folder:releasing:)``.
  public enum Status: Equatable, Sendable, CustomStringConvertible {
    /// The process answers at this socket.
    case listening(path: String)
    /// It does not, for this reason; all else works.
    case notListening(reason: String)

    public var description: String {
      switch self {
      case .listening(let path): "memory: 'allocators stats \(getpid())' is answered at \(path)"
      case .notListening(let reason): "memory: nobody can ask from outside: \(reason)"
      }
    }
  }

  /// Opens a unix socket at which this user, and root, can ask for a report and for a trim, and begins to sample.
  ///
  /// One thread, which wakes every second for the first three minutes, and every five seconds then, for some 0.1 ms. The socket
  /// has mode 0600 and lies in `/tmp/swift-allocators-UID`, of mode 0700. Nothing goes wrong for the program where that does not
  /// work; the result says why. A second call adds its policies, and answers what the first one did.
  ///
  /// - Parameters:
  ///   - folder: where the socket is to be instead; it has to be this user's alone.
  ///   - policies: when free memory is to be given back.
  @discardableResult
  public static func start(folder: String? = nil, releasing policies: [ReleasePolicy] = []) -> Status {
    InsightAgent.shared.state.withLock { shared in
      if let reason = InsightAgent.shared.run(&shared) { return .notListening(reason: reason) }
      shared.policies += policies
      defer { InsightAgent.wake(shared) }
      if let path = shared.socketPath { return .listening(path: path) }
      do throws(InsightSocket.Failure) {
        let socket = try InsightSocket(folder: folder)
        shared.newListener = socket.descriptor
        shared.socketPath = socket.path
        _ = insight_set_listener(socket.descriptor, socket.path)
        return .listening(path: socket.path)
      } catch {
        return .notListening(reason: error.reason)
      }
    }
  }

  /// Closes the socket, ends the thread, and forgets policies and limits. Waits for a trim that is under way.
  public static func stop() {
    let thread: pthread_t? = InsightAgent.shared.state.withLock { shared in
      guard shared.isRunning, shared.process == getpid() else { return nil }
      shared.mustStop = true
      InsightAgent.wake(shared)
      return shared.thread
    }
    guard let thread else { return }
    pthread_join(thread, nil)
    InsightAgent.shared.state.withLock { shared in
      close(shared.wakeDescriptor)
      if let path = shared.socketPath {
        close(insight_set_listener(-1, nil))
        unlink(path)
      }
      shared = InsightAgent.Shared()
    }
  }
}
