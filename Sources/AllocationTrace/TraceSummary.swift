// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What the head of a trace says of it: 24 words of 8 bytes, little endian.
///
///      0  magic, ≥ 0x89 in its first byte, so that it is no text
///      1  version (the low 32 bits) and flags (bit 32: with times)
///      2  state: 0 unfinished, 1 whole, 2 not whole
///      3  bytes after the head: the command, then the calls
///      4  checksum of these (FNV-1a, 64 bits)
///      5  bytes of the command, its words separated by NUL
///      6… the numbers, in the order of their declarations below
///     23  checksum of the words 0 to 22
///
/// The head is written when the recording begins and once more when it ends. Thereby a trace can say that it is not whole even where
/// the disk has no room for one byte more.
public struct TraceSummary: Equatable, Sendable {
  public enum State: UInt64, Sendable { case unfinished = 0, whole = 1, notWhole = 2 }

  static let byteCount = 24 * 8
  static let magic: UInt64 = 0x0A1A_0A0D_434C_4189  // 89 "ALC" CR LF ^Z LF
  /// The one version there is.
  public static let version: UInt64 = 1

  public var hasTimes = false
  public var state = State.unfinished
  var bodyByteCount: UInt64 = 0
  var bodyChecksum = Checksum.empty
  var commandByteCount: UInt64 = 0

  /// Calls that succeeded.
  public var allocations = 0
  public var zeroedAllocations = 0
  public var deallocations = 0
  public var sizedDeallocations = 0
  public var reallocations = 0
  public var resizesInPlace = 0
  /// Allocations and reallocations that had no result.
  public var failures = 0
  /// Calls that found no room in the buffer between the program and the recorder.
  public var lostCalls = 0
  /// Releases and resizes of blocks whose allocation is not in the trace, and allocations at addresses whose release is not.
  public var unmatchedCalls = 0
  /// Calls that came after the file could not be written any more, and the errno of that.
  public var unwrittenCalls = 0
  public var writeError = 0
  public var threads = 0
  public var peakLiveBlocks = 0
  public var peakLiveBytes = 0
  /// Programs that the process became later and that could not be recorded.
  public var laterPrograms = 0
  /// Programs that the process was before the one that the calls are of (execve(2)).
  public var earlierPrograms = 0

  public init() {}

  /// Calls in the trace.
  public var calls: Int {
    allocations + zeroedAllocations + deallocations + sizedDeallocations + reallocations + resizesInPlace + failures
  }

  /// Why it is not whole, in words; nil where it is.
  public var defect: String? {
    var causes: [String] = []
    if lostCalls > 0 { causes.append("\(lostCalls) calls were lost") }
    if unmatchedCalls > 0 { causes.append("\(unmatchedCalls) calls do not fit the others") }
    if writeError != 0 {
      causes.append("the file could not be written (\(errorText(writeError))), which left out \(unwrittenCalls) calls")
    }
    if laterPrograms > 0 { causes.append("the process became another program, which could not be recorded") }
    return causes.isEmpty ? nil : causes.joined(separator: ", ")
  }

  private static let numbers: [WritableKeyPath<TraceSummary, Int> & Sendable] = [
    \.allocations, \.zeroedAllocations, \.deallocations, \.sizedDeallocations, \.reallocations, \.resizesInPlace,
    \.failures, \.lostCalls, \.unmatchedCalls, \.unwrittenCalls, \.writeError, \.threads, \.peakLiveBlocks,
    \.peakLiveBytes, \.earlierPrograms, \.laterPrograms,
  ]

  var encoded: [UInt8] {
    var words = [
      Self.magic, Self.version | (hasTimes ? 1 << 32 : 0), state.rawValue, bodyByteCount, bodyChecksum,
      commandByteCount,
    ]
    words += Self.numbers.map { UInt64(self[keyPath: $0]) }
    words += Array(repeating: 0, count: 23 - words.count)
    var bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    let checksum = bytes.withUnsafeBytes { Checksum.of($0) }
    bytes += (0..<8).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }
    return bytes
  }

  /// - Parameter bytes: the file, or its beginning.
  init(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
    func word(_ index: Int) -> UInt64 {
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
    }
    if bytes.isEmpty { throw TraceError("is empty") }
    guard bytes.count >= 8, word(0) == Self.magic else { throw TraceError("is no trace") }
    guard bytes.count >= 16 else { throw TraceError("is cut off within its head") }
    let version = word(1) & 0xFFFF_FFFF
    guard version == Self.version else {
      throw TraceError("is a trace of version \(version); this program reads version \(Self.version)")
    }
    guard bytes.count >= Self.byteCount else { throw TraceError("is cut off within its head") }
    let checksum = Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<(Self.byteCount - 8)]))
    guard word(23) == checksum, word(1) >> 33 == 0, let state = State(rawValue: word(2)) else {
      throw TraceError("has a damaged head")
    }
    hasTimes = word(1) >> 32 == 1
    self.state = state
    bodyByteCount = word(3)
    bodyChecksum = word(4)
    commandByteCount = word(5)
    for (index, number) in Self.numbers.enumerated() {
      guard let value = Int(exactly: word(6 + index)), value < 1 << 56 else { throw TraceError("has a damaged head") }
      self[keyPath: number] = value
    }
  }
}
