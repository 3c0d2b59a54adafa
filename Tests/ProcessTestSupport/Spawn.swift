// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation

/// Starts programs, and waits for them. Not by Foundation's `Process`, which notices the end of a program up to 50 ms late: most programs
/// here take less than that. And what one thread opens for a program, the programs that others start do not inherit.
enum Spawn {
  /// What a program has for one of its first three descriptors.
  enum Stream {
    case file(String, Int32)
    case descriptor(Int32)
  }

  /// Starts a command. Its descriptors are `streams`, in their order. Returns nil where there is no such program.
  static func process(_ command: [String], environment: [String: String], streams: [Stream]) throws -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, stream) in zip(Int32(0)..., streams) {
      switch stream {
      case .file(let path, let flags): posix_spawn_file_actions_addopen(&actions, descriptor, path, flags, 0o600)
      case .descriptor(let other): posix_spawn_file_actions_adddup2(&actions, other, descriptor)
      }
    }

    // No signal is blocked, whatever this thread has blocked.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    let words = (command.map { strdup($0) }) + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for pointer in words + variables { free(pointer) } }
    var process: pid_t = 0
    let error = lock.withLock { posix_spawnp(&process, command[0], &actions, &attributes, words, variables) }
    if error == ENOENT { return nil }
    guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .EIO) }
    return process
  }

  /// The end from which is read, and the one to which is written. Nobody inherits them but who is given them.
  static func pipe() throws -> (FileHandle, FileHandle) {
    var descriptors: [Int32] = [0, 0]
    // There is no pipe2 in Glibc's module.
    let isMade = lock.withLock {
      guard Foundation.pipe(&descriptors) == 0 else { return false }
      for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
      return true
    }
    guard isMade else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    return (
      FileHandle(fileDescriptor: descriptors[0], closeOnDealloc: true),
      FileHandle(fileDescriptor: descriptors[1], closeOnDealloc: true)
    )
  }

  /// While this is held, no program is started that would inherit what is being opened.
  static let lock = NSLock()

  /// Waits for the end of a process. Returns its exit status, or the negative number of the signal that ended it.
  static func wait(_ process: pid_t) throws -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .ECHILD) }
    }
    // As wait(2) has it: the signal in 7 bits, or the exit status in the 8 above.
    let signal = status & 0x7f
    return signal != 0 ? -signal : status >> 8 & 0xff
  }
}
