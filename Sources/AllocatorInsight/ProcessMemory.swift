// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// What the kernel says of a process's memory (proc(5), `/proc/PID/status`). Values that it does not say are nil.
public struct ProcessMemory: Equatable, Sendable {
  /// The process's number.
  public var processID: Int
  /// Its name, of up to 15 bytes.
  public var name = ""
  /// The user that it runs as.
  public var userID: Int?
  /// Its number in its own namespace, which is another one in a container.
  public var ownProcessID: Int?
  /// Bytes in memory.
  public var residentBytes: Int?
  /// Bytes of those that belong to no file: heaps, stacks, what was mapped without a file.
  public var anonymousBytes: Int?
  /// Bytes of those that are a file's: programs, libraries, mapped files.
  public var fileBytes: Int?
  /// Bytes of those that are shared memory.
  public var sharedBytes: Int?
  /// The most bytes that have been in memory at once.
  public var peakResidentBytes: Int?
  /// Bytes that have been swapped out.
  public var swapBytes: Int?
  /// Bytes of address space.
  public var virtualBytes: Int?
  public var threadCount: Int?

  /// What belongs to the process itself and to no file: in memory or swapped out.
  public var ownBytes: Int? {
    anonymousBytes.map { $0 + (sharedBytes ?? 0) + (swapBytes ?? 0) }
  }

  /// This process. Costs some 50 µs, nearly all of them the kernel's.
  public static var current: ProcessMemory {
    ProcessMemory(path: "/proc/self/status", processID: Int(getpid())) ?? ProcessMemory(processID: Int(getpid()))
  }

  /// Any process; nil where there is none of that number.
  public init?(ofProcess processID: Int) {
    self.init(path: "/proc/\(processID)/status", processID: processID)
  }

  init?(path: String, processID: Int) {
    guard let file = SystemFile(path) else { return nil }
    self.init(file, processID: processID)
  }

  init(processID: Int) { self.processID = processID }

  init(_ file: SystemFile, processID: Int) {
    self.processID = processID
    file.forEachNumber { name, value in
      // "VmRSS:	    1728 kB": by the first letters, which tell most lines from those of interest.
      switch name.first {
      case UInt8(ascii: "V"):
        let bytes = value.map { $0 << 10 }
        if name.elementsEqual("VmRSS") {
          residentBytes = bytes
        } else if name.elementsEqual("VmHWM") {
          peakResidentBytes = bytes
        } else if name.elementsEqual("VmSize") {
          virtualBytes = bytes
        } else if name.elementsEqual("VmSwap") {
          swapBytes = bytes
        }
      case UInt8(ascii: "R"):
        let bytes = value.map { $0 << 10 }
        if name.elementsEqual("RssAnon") {
          anonymousBytes = bytes
        } else if name.elementsEqual("RssFile") {
          fileBytes = bytes
        } else if name.elementsEqual("RssShmem") {
          sharedBytes = bytes
        }
      case UInt8(ascii: "T"): if name.elementsEqual("Threads") { threadCount = value }
      case UInt8(ascii: "U"): if name.elementsEqual("Uid") { userID = value }
      default: break
      }
    }
    self.name = file.word(after: "Name:") ?? ""
    ownProcessID = file.lastNumber(after: "NSpid:")
  }
}

extension SystemFile {
  /// The rest of the line that begins with `key`, without the spaces around it.
  func word(after key: String) -> String? {
    for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: key.utf8) {
      let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
      return String(decoding: line.dropFirst(key.utf8.count).drop(while: isSpace), as: UTF8.self)
    }
    return nil
  }

  /// The last number of the line that begins with `key`.
  func lastNumber(after key: String) -> Int? {
    word(after: key)?.split { $0 == " " || $0 == "\t" }.last.flatMap { Int($0) }
  }
}
