// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorInsight

/// Checks how often a closure allocates: in its task and in its child tasks, whatever other tests do meanwhile.
///
/// ```swift
/// @Test func lookupDoesNotAllocate() {
///   let cache = Cache(…)
///   expectAllocations(atMost: 0) { cache["key"] }
/// }
/// ```
///
/// It works in Swift Testing and in XCTest, and in an ordinary `swift test`. When there are more, the test fails at the line of the call,
/// and the message has each place from which memory was allocated, with its share. To find out how many there are, expect none.
///
/// Each call of `malloc` and its kin that returns a block counts as one, by whichever library; a `realloc` does, too. Not counted
/// are detached tasks and threads of the closure's own making, and what is not the closure's own: metadata of types and
/// initial values of globals, which come once in a process, and the pieces by which a task's stack grows.
///
/// An optimized build allocates less: `swift test -c release` is what a limit for production should be taken from. Where calls
/// cannot be seen, the test fails, and says why, as `HeapProfiler.start` does; under a sanitizer nothing is checked.
///
/// While at least one closure is measured, each call of the malloc family in the process takes some nanoseconds longer: 10 to 15
/// in what is measured, less elsewhere. The first call of a series takes some milliseconds.
///
/// - Parameters:
///   - limit: how many allocations there may be.
///   - bytes: how many bytes may be asked for, in all.
///   - fileID: where the test fails; the place of the call, like the next three.
///   - filePath: see `fileID`.
///   - line: see `fileID`.
///   - column: see `fileID`.
///   - body: what is measured.
/// - Returns: what `body` returns.
@discardableResult
public func expectAllocations<Value, Failure: Error>(
  atMost limit: Int = .max, bytes: Int = .max,
  fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column,
  _ body: () throws(Failure) -> Value
) throws(Failure) -> Value {
  let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
  let scope: AllocationScope
  do {
    scope = try AllocationScope(limit: limit, byteLimit: bytes)
  } catch {
    place.fail(error)
    return try body()
  }
  defer { check(scope, limit, bytes, at: place) }
  return try scope.run(body)
}

/// The same for what is asynchronous, on the actor of the caller, and across suspensions.
///
/// - Parameters:
///   - limit: how many allocations there may be.
///   - bytes: how many bytes may be asked for, in all.
///   - isolation: the actor on which `body` runs: the caller's.
///   - fileID: where the test fails; the place of the call, like the next three.
///   - filePath: see `fileID`.
///   - line: see `fileID`.
///   - column: see `fileID`.
///   - body: what is measured.
/// - Returns: what `body` returns.
@discardableResult
public func expectAllocations<Value, Failure: Error>(
  atMost limit: Int = .max, bytes: Int = .max, isolation: isolated (any Actor)? = #isolation,
  fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column,
  _ body: () async throws(Failure) -> Value
) async throws(Failure) -> Value {
  let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
  let scope: AllocationScope
  do {
    scope = try AllocationScope(limit: limit, byteLimit: bytes)
  } catch {
    place.fail(error)
    return try await body()
  }
  defer { check(scope, limit, bytes, at: place) }
  return try await scope.run(body)
}

private func check(_ scope: AllocationScope, _ limit: Int, _ bytes: Int, at place: SourcePlace) {
  var totals = scope.totals
  guard totals.count > limit || totals.bytes > bytes else { return }
  var sites = scope.sites()
  let others = sites.filter(\.isOfTheProcess)
  sites.removeAll(where: \.isOfTheProcess)
  totals = (sites.reduce(0) { $0 + $1.count }, sites.reduce(0) { $0 + $1.bytes })
  guard totals.count > limit || totals.bytes > bytes else { return }
  func plural(_ number: Int, _ noun: String) -> String {
    "\(AllocationSite.number(number)) \(noun)\(number == 1 ? "" : "s")"
  }
  var limits: [String] = []
  if totals.count > limit { limits.append("at most \(AllocationSite.number(limit))") }
  if totals.bytes > bytes { limits.append("at most \(plural(bytes, "byte"))") }
  var lines = [
    "\(plural(totals.count, "allocation")) of \(plural(totals.bytes, "byte")), and \(limits.joined(separator: " and ")) expected:"
  ]
  lines += AllocationSite.lines(of: sites, withTypes: false)
  if !others.isEmpty {
    lines.append(
      "not counted: \(AllocationSite.number(others.reduce(0) { $0 + $1.count })) for metadata, globals and the stacks of tasks"
    )
  }
  place.fail(lines.joined(separator: "\n"))
}
