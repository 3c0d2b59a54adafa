// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Dispatch

/// Indexes the words of texts: where each word stands.
enum WordIndex {
  /// A word's places: numbers of lines over all texts.
  typealias Index = [String: [Int]]

  /// How many threads read; a constant, so that the memory taken is the same on every machine.
  static let threadCount = 4

  static func run(repetitions: Int) -> UInt64 {
    var checksum = Checksum()
    let lines = Input.texts().flatMap { $0.split(whereSeparator: \.isNewline).map(String.init) }
    for _ in 0..<repetitions {
      let index = build(lines)
      for word in index.keys.sorted() {
        checksum.add(word.utf8)
        checksum.add(index[word]!.reduce(0, &+))
      }
    }
    return checksum.value
  }

  /// Reads every `threadCount`th line on each thread, and joins what they found.
  static func build(_ lines: [String]) -> Index {
    let parts = Parts(count: threadCount)
    DispatchQueue.concurrentPerform(iterations: threadCount) { thread in
      var part: Index = [:]
      for number in stride(from: thread, to: lines.count, by: threadCount) {
        for word in lines[number].split(whereSeparator: { !$0.isLetter }) {
          part[word.lowercased(), default: []].append(number)
        }
      }
      parts.store(part, at: thread)
    }
    return parts.joined()
  }

  /// The threads' results: each writes one element.
  private final class Parts: Sendable {
    // Safety: element `i` is written by thread `i` alone, and read when all threads have ended.
    private nonisolated(unsafe) let storage: UnsafeMutableBufferPointer<Index>

    init(count: Int) {
      storage = .allocate(capacity: count)
      storage.initialize(repeating: [:])
    }

    deinit {
      storage.deinitialize()
      storage.deallocate()
    }

    func store(_ part: Index, at index: Int) {
      storage[index] = part
    }

    func joined() -> Index {
      var all: Index = [:]
      for part in storage { all.merge(part) { $0 + $1 } }
      return all
    }
  }
}
