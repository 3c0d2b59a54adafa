// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Synchronization

/// The censuses that others have asked for, to compare later ones with.
enum CensusHistory {
  private struct State {
    var last: Census?
    var marked: [(number: Int, census: Census)] = []
    var count = 0
  }

  /// Who marks one and does not come back is forgotten when so many others have.
  private static let mostMarked = 4

  private static let state = Mutex(State())

  /// How many have been marked so far.
  static var markedCount: Int { state.withLock { $0.count } }

  /// A census, compared with the one before.
  static func next() throws(Census.Failure) -> Census {
    let census = try Census.current()
    let before = state.withLock { state in
      defer { state.last = census }
      return state.last
    }
    guard let before, census.isComparable(with: before) else { return census }
    return census.since(before)
  }

  /// Takes a census to compare with. Returns its number, and whether it is exact; "0 none" where there can be none without a profile.
  static func mark() throws(Census.Failure) -> String {
    if !Census.canBeExact && !HeapProfiler.isRunning { return "0 none" }
    let census = try Census.current()
    let number = state.withLock { state in
      state.count += 1
      state.marked.append((state.count, census))
      if state.marked.count > mostMarked { state.marked.removeFirst() }
      return state.count
    }
    return "\(number) \(census.isExact ? "exact" : "estimate")"
  }

  /// A census, compared with the one that was marked with this number.
  static func since(_ number: Int) throws(Census.Failure) -> Census {
    let marked = state.withLock { state in state.marked.first { $0.number == number }?.census }
    guard let marked else {
      throw Census.Failure(
        description: "the census to compare with is forgotten: \(mostMarked) others have been taken meanwhile")
    }
    let census = try Census.current()
    guard census.isComparable(with: marked) else {
      throw Census.Failure(description: "the heap profile whose samples are counted is another one by now")
    }
    return census.since(marked)
  }
}
