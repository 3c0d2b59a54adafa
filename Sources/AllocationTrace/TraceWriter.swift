// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorTrace
import Glibc

/// Turns the records of the tracing allocator into a trace in a file.
///
/// Its memory grows with the number of live blocks, not with the number of calls. Where the file cannot be written any more, what was
/// written up to a whole entry stays, and the rest is counted.
public struct TraceWriter: ~Copyable {
  private let descriptor: Int32
  private let command: [UInt8]
  private var blocks = BlockMap()
  private var slots = SlotTable()
  private var live = LiveMemory()
  /// The process's threads as the trace numbers them.
  private var threads: [UInt32: Int] = [:]
  private var thread = 0
  /// The slots of the blocks that are being reallocated, by thread; nil where the block is unknown.
  private var reallocated: [UInt32: [(slot: Int?, address: UInt64)]] = [:]
  private var lastNanoseconds: UInt64 = 0
  private var lastRecordThread: UInt32 = 0

  private var buffer: [UInt8] = []
  /// With the numbers of what is in the buffer, and of what is in the file.
  private var summary: TraceSummary
  private var written: TraceSummary
  private var writeError: Int32 = 0
  private static let bufferSize = 1 << 14

  /// Writes the head and the command.
  ///
  /// - Parameter descriptor: a regular file, empty, open for writing.
  /// - Throws: ``TraceError`` if it cannot be written to.
  public init(descriptor: Int32, command: [String], hasTimes: Bool) throws(TraceError) {
    self.descriptor = descriptor
    self.command = Array(command.joined(separator: "\0").utf8)
    summary = TraceSummary()
    summary.hasTimes = hasTimes
    written = summary
    buffer.reserveCapacity(Self.bufferSize + 64)
    begin()
    flush()
    guard writeError == 0 else { throw TraceError("cannot be written: \(errorText(Int(writeError)))") }
  }

  private mutating func begin() {
    summary.commandByteCount = UInt64(command.count)
    buffer.append(contentsOf: command)
    writeHead(summary)
  }

  /// Takes in the next record.
  public mutating func write(_ record: allocator_trace_record) {
    guard record.call != ALLOCATOR_TRACE_EXECUTED else { return beginAgain() }
    let event: TraceEvent? =
      switch record.call {
      case ALLOCATOR_TRACE_ALLOCATE, ALLOCATOR_TRACE_ALLOCATE_ZEROED: allocated(record)
      case ALLOCATOR_TRACE_DEALLOCATE, ALLOCATOR_TRACE_DEALLOCATE_SIZED: released(record)
      case ALLOCATOR_TRACE_REALLOCATE: reallocationBegins(record)
      case ALLOCATOR_TRACE_REALLOCATED: reallocationEnds(record)
      case ALLOCATOR_TRACE_REALLOCATED_IN_PLACE: resized(record)
      default: unmatched()
      }
    guard let event else { return }
    append(event, of: record)
    summary.count(event, live: live)
    if buffer.count >= Self.bufferSize { flush() }
  }

  /// Writes what is left, and the head.
  ///
  /// - Parameters:
  ///   - lostCalls: calls that never came.
  ///   - laterPrograms: programs that the process became and that could not be recorded.
  /// - Returns: what the head says.
  public mutating func finish(lostCalls: Int, laterPrograms: Int = 0) -> TraceSummary {
    flush()
    summary.lostCalls = lostCalls
    summary.laterPrograms = laterPrograms
    var final = summary
    if writeError != 0 {
      final = written
      final.lostCalls = lostCalls
      final.laterPrograms = laterPrograms
      final.unmatchedCalls = summary.unmatchedCalls
      final.unwrittenCalls = summary.calls - written.calls
      final.writeError = Int(writeError)
      final.earlierPrograms = summary.earlierPrograms
    }
    final.state = final.defect == nil ? .whole : .notWhole
    writeHead(final)
    return final
  }

  /// The process has become another program, whose calls are the ones that count.
  private mutating func beginAgain() {
    var fresh = TraceSummary()
    fresh.hasTimes = summary.hasTimes
    fresh.earlierPrograms = summary.earlierPrograms + 1
    summary = fresh
    written = fresh
    blocks = BlockMap()
    (slots, live) = (SlotTable(), LiveMemory())
    (threads, thread, reallocated, lastNanoseconds, lastRecordThread) = ([:], 0, [:], 0, 0)
    buffer.removeAll(keepingCapacity: true)
    ftruncate(descriptor, off_t(TraceSummary.byteCount))
    writeError = 0
    begin()
  }

  // MARK: What a record means

  private mutating func unmatched() -> TraceEvent? {
    summary.unmatchedCalls += 1
    return nil
  }

  private func event(_ kind: TraceEvent.Kind, _ record: allocator_trace_record, slot: Int, size: Int) -> TraceEvent {
    TraceEvent(
      kind: kind, thread: 0, slot: slot, size: size, alignment: Int(record.alignment), nanoseconds: record.nanoseconds)
  }

  /// A size, which is any number where the call failed.
  private func size(of record: allocator_trace_record) -> Int { Int(min(record.size, UInt64(Int.max - 1))) }

  private mutating func allocated(_ record: allocator_trace_record) -> TraceEvent? {
    let isZeroed = record.call == ALLOCATOR_TRACE_ALLOCATE_ZEROED
    let size = size(of: record)
    guard record.address != 0 else {
      return event(isZeroed ? .failedZeroedAllocation : .failedAllocation, record, slot: -1, size: size)
    }
    let slot = slots.allocate(size: size)
    take(record.address, slot: slot)
    live.blocks += 1
    live.bytes += size
    return event(isZeroed ? .allocateZeroed : .allocate, record, slot: slot, size: size)
  }

  /// A block has this address from now on. One that still seems to have it was released by a call that is not there: it stays
  /// allocated in the trace.
  private mutating func take(_ address: UInt64, slot: Int) {
    if blocks.insert(address, slot: slot) != nil { summary.unmatchedCalls += 1 }
  }

  private mutating func released(_ record: allocator_trace_record) -> TraceEvent? {
    guard let slot = blocks.remove(record.address) else { return unmatched() }
    let size = slots.sizes[slot]
    slots.release(slot)
    live.blocks -= 1
    live.bytes -= size
    let isSized = record.call == ALLOCATOR_TRACE_DEALLOCATE_SIZED
    return event(isSized ? .deallocateSized : .deallocate, record, slot: slot, size: size)
  }

  private mutating func reallocationBegins(_ record: allocator_trace_record) -> TraceEvent? {
    reallocated[record.thread, default: []].append((blocks.remove(record.address), record.address))
    return nil
  }

  private mutating func reallocationEnds(_ record: allocator_trace_record) -> TraceEvent? {
    guard let (known, oldAddress) = reallocated[record.thread]?.popLast(), let slot = known else {
      if record.address != 0 {
        // A block that is unknown so far.
        summary.unmatchedCalls += 1
        var allocation = record
        allocation.call = ALLOCATOR_TRACE_ALLOCATE
        return allocated(allocation)
      }
      return unmatched()
    }
    let size = size(of: record)
    guard record.address != 0 else {
      take(oldAddress, slot: slot)
      return event(.failedReallocation, record, slot: slot, size: size)
    }
    take(record.address, slot: slot)
    resize(slot, size: size)
    return event(.reallocate, record, slot: slot, size: size)
  }

  private mutating func resized(_ record: allocator_trace_record) -> TraceEvent? {
    guard let slot = blocks.slot(of: record.address) else { return unmatched() }
    let size = size(of: record)
    resize(slot, size: size)
    return event(.resizeInPlace, record, slot: slot, size: size)
  }

  private mutating func resize(_ slot: Int, size: Int) {
    live.bytes += size - slots.sizes[slot]
    slots.resize(slot, size: size)
  }

  // MARK: Entries

  private mutating func append(_ event: TraceEvent, of record: allocator_trace_record) {
    if record.thread != lastRecordThread {
      lastRecordThread = record.thread
      let number = threads[record.thread] ?? threads.count
      threads[record.thread] = number
      if number != thread {
        buffer.append(TraceTag.thread.rawValue)
        append(UInt64(number))
      }
      thread = number
      summary.threads = max(summary.threads, number + 1)
    }
    let tag: TraceTag
    switch event.kind {
    case .allocate: tag = .allocate
    case .allocateZeroed: tag = .allocateZeroed
    case .deallocate: tag = .deallocate
    case .deallocateSized: tag = .deallocateSized
    case .reallocate: tag = .reallocate
    case .resizeInPlace: tag = .resizeInPlace
    case .failedAllocation: tag = .failedAllocation
    case .failedZeroedAllocation: tag = .failedZeroedAllocation
    case .failedReallocation: tag = .failedReallocation
    }
    let isAligned = tag != .deallocate && tag != .deallocateSized && tag != .resizeInPlace && event.alignment != 4
    buffer.append(tag.rawValue | (isAligned ? TraceTag.hasAlignment : 0))
    if isAligned { append(UInt64(event.alignment)) }
    switch tag {
    case .deallocate, .deallocateSized, .reallocate, .resizeInPlace, .failedReallocation: append(slot: event.slot)
    default: break
    }
    if tag != .deallocate && tag != .deallocateSized { append(UInt64(event.size)) }
    if summary.hasTimes {
      append(lastNanoseconds == 0 || event.nanoseconds < lastNanoseconds ? 0 : event.nanoseconds - lastNanoseconds)
      lastNanoseconds = max(lastNanoseconds, event.nanoseconds)
    }
  }

  private mutating func append(slot: Int) {
    let distance = slot - slots.last
    append(UInt64(bitPattern: Int64(distance << 1 ^ distance >> 63)))
    slots.last = slot
  }

  private mutating func append(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    buffer.append(UInt8(rest))
  }

  // MARK: The file

  private mutating func flush() {
    defer { buffer.removeAll(keepingCapacity: true) }
    guard writeError == 0 else { return }
    let start = off_t(TraceSummary.byteCount) + off_t(summary.bodyByteCount)
    let error = Self.write(buffer, to: descriptor, at: start)
    guard error == 0 else {
      writeError = error
      ftruncate(descriptor, start)
      return
    }
    summary.bodyByteCount += UInt64(buffer.count)
    summary.bodyChecksum = buffer.withUnsafeBytes { Checksum.of($0, after: summary.bodyChecksum) }
    written = summary
  }

  private mutating func writeHead(_ summary: TraceSummary) {
    let error = Self.write(summary.encoded, to: descriptor, at: 0)
    if error != 0 && writeError == 0 { writeError = error }
  }

  /// Returns 0, or the errno.
  private static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: off_t) -> Int32 {
    bytes.withUnsafeBytes { bytes in
      var count = 0
      while count < bytes.count {
        let done = pwrite(descriptor, bytes.baseAddress! + count, bytes.count - count, offset + off_t(count))
        if done < 0 && errno == EINTR { continue }
        guard done > 0 else { return done < 0 ? errno : EIO }
        count += done
      }
      return 0
    }
  }
}
