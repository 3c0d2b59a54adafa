// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Glibc

/// A recorded sequence of calls, read from a file that anybody may have made.
public struct AllocationTrace: Sendable {
  public let summary: TraceSummary
  /// What was recorded.
  public let command: [String]
  private let bytes: [UInt8]

  /// Reads a file and checks all of it.
  ///
  /// - Throws: ``TraceError`` with what is wrong, as it can stand behind the file's name.
  public init(path: String) throws(TraceError) {
    try self.init(bytes: Self.contents(path))
  }

  /// Checks the bytes of a file. Costs memory in proportion to their number, whatever they say.
  public init(bytes: [UInt8]) throws(TraceError) {
    summary = try Self.checkedSummary(bytes)
    self.bytes = bytes
    command = bytes[TraceSummary.byteCount..<(TraceSummary.byteCount + Int(summary.commandByteCount))]
      .split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    var counted = TraceSummary()
    try forEach { event, live in counted.count(event, live: live) }
    try counted.check(against: summary)
  }

  /// Hands out the calls in their order.
  ///
  /// - Parameter body: told each call, and what is live after it.
  public func forEach(_ body: (TraceEvent, LiveMemory) -> Void) throws(TraceError) {
    let start = TraceSummary.byteCount + Int(summary.commandByteCount)
    var parser = TraceParser(bytes: bytes, position: start, hasTimes: summary.hasTimes)
    while let event = try parser.next() { body(event, parser.live) }
  }

  private static func checkedSummary(_ bytes: [UInt8]) throws(TraceError) -> TraceSummary {
    let summary: TraceSummary
    do {
      summary = try bytes.withUnsafeBytes { try TraceSummary($0) }
    } catch let error as TraceError {
      throw error
    } catch {
      throw TraceError("is no trace")
    }
    guard summary.state != .unfinished else {
      throw TraceError("is unfinished: its recording goes on, or was killed")
    }
    let body = UInt64(bytes.count - TraceSummary.byteCount)
    guard body >= summary.bodyByteCount else {
      throw TraceError("is cut off: \(body) bytes of \(summary.bodyByteCount) are there")
    }
    guard body == summary.bodyByteCount else {
      throw TraceError("has \(body - summary.bodyByteCount) bytes behind its end")
    }
    guard summary.commandByteCount <= body else { throw TraceError("has a damaged head") }
    let checksum = bytes.withUnsafeBytes {
      Checksum.of(UnsafeRawBufferPointer(rebasing: $0[TraceSummary.byteCount...]))
    }
    guard checksum == summary.bodyChecksum else { throw TraceError("is damaged: its checksum is another one") }
    guard (summary.state == .whole) == (summary.defect == nil) else { throw TraceError("has a damaged head") }
    return summary
  }

  private static func contents(_ path: String) throws(TraceError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw TraceError("cannot be read: \(errorText(Int(errno)))") }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw TraceError("cannot be read: \(errorText(Int(errno)))") }
    if status.st_mode & S_IFMT == S_IFDIR { throw TraceError("is a directory") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw TraceError("is no regular file") }
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
      while count < buffer.count {
        let got = read(file, buffer.baseAddress! + count, buffer.count - count)
        if got < 0 && errno == EINTR { continue }
        if got < 0 { failure = errno }
        guard got > 0 else { break }
        count += got
      }
    }
    if failure != 0 { throw TraceError("cannot be read: \(errorText(Int(failure)))") }
    return bytes
  }
}

extension TraceSummary {
  /// Adds a call to the numbers.
  mutating func count(_ event: TraceEvent, live: LiveMemory) {
    switch event.kind {
    case .allocate: allocations += 1
    case .allocateZeroed: zeroedAllocations += 1
    case .deallocate: deallocations += 1
    case .deallocateSized: sizedDeallocations += 1
    case .reallocate: reallocations += 1
    case .resizeInPlace: resizesInPlace += 1
    case .failedAllocation, .failedZeroedAllocation, .failedReallocation: failures += 1
    }
    threads = max(threads, event.thread + 1)
    peakLiveBlocks = max(peakLiveBlocks, live.blocks)
    peakLiveBytes = max(peakLiveBytes, live.bytes)
  }

  fileprivate func check(against told: TraceSummary) throws(TraceError) {
    let numbers: [KeyPath<TraceSummary, Int>] = [
      \.allocations, \.zeroedAllocations, \.deallocations, \.sizedDeallocations, \.reallocations, \.resizesInPlace,
      \.failures, \.threads, \.peakLiveBlocks, \.peakLiveBytes,
    ]
    for number in numbers where self[keyPath: number] != told[keyPath: number] {
      throw TraceError("is damaged: its head tells of other calls than there are")
    }
  }
}

/// What is allocated and not released.
public struct LiveMemory: Equatable, Sendable {
  public var blocks = 0
  public var bytes = 0
}
