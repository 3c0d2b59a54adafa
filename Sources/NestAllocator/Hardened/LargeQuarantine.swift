// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CNestSupport
import Synchronization

// Blocks of 64 KiB to 1 MiB that have been released and that nobody can touch: each waits until 2 MiB of others have been released.
//
// A ring of addresses, each of which is changed by one exchange: there is no lock that a child of fork would have to mend.

struct LargeQuarantine {
  struct State: ~Copyable {
    /// Blocks that have come in, and that have been given up, since the process began.
    let last: Atomic<Int>
    let first: Atomic<Int>
    let bytes: Atomic<Int>
  }

  private let base: UnsafeMutableRawPointer

  @_noLocks
  private init(_ base: UnsafeMutableRawPointer) { self.base = base }

  static var shared: LargeQuarantine { @_noLocks get { LargeQuarantine(nest_large_quarantine()) } }

  private var state: UnsafeMutablePointer<State> { @_noLocks get { base.assumingMemoryBound(to: State.self) } }

  /// Where blocks begin.
  private var places: UnsafeMutablePointer<Atomic<UInt>> {
    @_noLocks get { (base + 32).assumingMemoryBound(to: Atomic<UInt>.self) }
  }

  /// Bytes that may wait.
  private static var most: Int { @_noLocks get { 2 << 20 } }

  /// Takes in the pages of a released large block, whose span counts as none already, and releases those that have waited longest.
  @_noLocks
  func put(_ span: Span) {
    let run = span.run
    if nest_protect(run.start, run.byteCount) == 0 { return releasePages(span, run) }
    state.pointee.bytes.add(run.byteCount, ordering: .relaxed)
    let place = state.pointee.last.add(1, ordering: .relaxed).oldValue & (Int(NEST_LARGE_QUARANTINE) - 1)
    giveUp(places[place].exchange(UInt(bitPattern: run.start), ordering: .acquiringAndReleasing))
    var looks = Int(NEST_LARGE_QUARANTINE) - 1
    while looks > 0, state.pointee.bytes.load(ordering: .relaxed) > LargeQuarantine.most {
      let place = state.pointee.first.add(1, ordering: .relaxed).oldValue & (Int(NEST_LARGE_QUARANTINE) - 1)
      giveUp(places[place].exchange(0, ordering: .acquiringAndReleasing))
      looks -= 1
    }
  }

  @_noLocks
  private func giveUp(_ start: UInt) {
    guard start != 0 else { return }
    let span = Span(containing: start)
    let run = span.run
    state.pointee.bytes.subtract(run.byteCount, ordering: .relaxed)
    releasePages(span, run)
  }

  private func releasePages(_ span: Span, _ run: PageRun) {
    if nest_unprotect(run.start, run.byteCount) != 0 { return span.releasePages() }
    span.clear()
    UntouchablePages.shared.keep(run)
  }

  /// Gives all of them up.
  @_noLocks
  func releaseAll() {
    var place = 0
    while place < Int(NEST_LARGE_QUARANTINE) {
      giveUp(places[place].exchange(0, ordering: .acquiringAndReleasing))
      place += 1
    }
  }
}
