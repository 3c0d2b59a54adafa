// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight
import Glibc

/// Checks that nothing which a closure allocates is alive when it has ended.
///
/// ```swift
/// @Test func sessionsGoAway() {
///   expectNoLeaks {
///     let session = Session()
///     session.onClose = { session.log("closed") }  // the cycle is found here
///   }
/// }
/// ```
///
/// When something is, the test fails at the line of the call, and the message has the type of each object, and the place from which
/// it was allocated. Only what the closure's task and its child tasks allocate is looked at, so that other tests may run beside it.
///
/// What belongs to somebody else by then is alive, too: a cache, an array that was grown, a connection that is kept open. Call what fills
/// a cache once before. What comes once in a process, such as metadata of types and initial values of globals, is no leak. Where the
/// closure throws, nothing is checked.
///
/// While the closure runs, each of its allocations takes some 100 ns longer.
///
/// - Parameters:
///   - patience: how long to wait, in seconds, for others to release what they still hold: tasks that are about to end, say. Nothing
///     is waited for where nothing is alive.
///   - fileID: where the test fails; the place of the call, like the next three.
///   - filePath: see `fileID`.
///   - line: see `fileID`.
///   - column: see `fileID`.
///   - body: what is measured.
public func expectNoLeaks<Failure: Error>(
  within patience: Double = 1,
  fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column,
  _ body: () throws(Failure) -> Void
) throws(Failure) {
  let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
  let scope: AllocationScope
  do {
    scope = try AllocationScope(keepsBlocks: true)
  } catch {
    place.fail(error)
    return try body()
  }
  try scope.run(body)
  let wait = Wait(patience)
  var leaks = Leaks(scope)
  while leaks.areThere && !wait.isOver {
    usleep(Wait.step)
    leaks = Leaks(scope)
  }
  leaks.report(at: place)
}

/// The same for what is asynchronous.
///
/// - Parameters:
///   - patience: how long to wait, in seconds, for others to release what they still hold.
///   - isolation: the actor on which `body` runs: the caller's.
///   - fileID: where the test fails; the place of the call, like the next three.
///   - filePath: see `fileID`.
///   - line: see `fileID`.
///   - column: see `fileID`.
///   - body: what is measured.
public func expectNoLeaks<Failure: Error>(
  within patience: Double = 1, isolation: isolated (any Actor)? = #isolation,
  fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column,
  _ body: () async throws(Failure) -> Void
) async throws(Failure) {
  let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
  let scope: AllocationScope
  do {
    scope = try AllocationScope(keepsBlocks: true)
  } catch {
    place.fail(error)
    return try await body()
  }
  try await scope.run(body)
  let wait = Wait(patience)
  var leaks = Leaks(scope)
  while leaks.areThere && !wait.isOver {
    try? await Task.sleep(for: .microseconds(Wait.step))
    leaks = Leaks(scope)
  }
  leaks.report(at: place)
}

private struct Wait {
  /// Microseconds.
  static let step: UInt32 = 5_000
  private let end: ContinuousClock.Instant

  init(_ seconds: Double) { end = .now + .seconds(seconds) }

  var isOver: Bool { .now >= end }
}

private struct Leaks {
  private let sites: [AllocationSite]
  private let lost: Int

  init(_ scope: AllocationScope) {
    let (sites, lost) = scope.blocks()
    self.sites = sites.filter { !$0.isOfTheProcess }
    self.lost = lost
  }

  var areThere: Bool { !sites.isEmpty }

  func report(at place: SourcePlace) {
    var lines: [String] = []
    if areThere {
      let count = sites.reduce(0) { $0 + $1.count }
      let bytes = sites.reduce(0) { $0 + $1.bytes }
      lines.append(
        "\(AllocationSite.number(count)) \(count == 1 ? "block" : "blocks") of \(AllocationSite.number(bytes)) bytes "
          + "that \(count == 1 ? "was" : "were") allocated here \(count == 1 ? "is" : "are") still alive:")
      lines += AllocationSite.lines(of: sites, withTypes: true)
    }
    if lost > 0 {
      lines.append("\(AllocationSite.number(lost)) blocks could not be followed: so many were alive at once")
    }
    if !lines.isEmpty { place.fail(lines.joined(separator: "\n")) }
  }
}
