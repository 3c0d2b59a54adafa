// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What the kernel says of all mappings of a process together (proc(5), `/proc/PID/smaps_rollup`): what a number of resident
/// bytes does not tell. Values that it does not say are nil.
public struct MappingsMemory: Equatable, Sendable {
  /// Bytes in memory, those that processes share divided among them.
  public var proportionalBytes: Int?
  /// Bytes that this process alone has, and has written.
  public var privateDirtyBytes: Int?
  /// Bytes that have been given back by `MADV_FREE`: in memory until the kernel wants them, and counted as resident until then.
  public var lazilyFreedBytes: Int?
  /// Bytes of huge pages among what belongs to no file: whole, however little of one is used.
  public var hugePageBytes: Int?

  /// - Parameter process: a number, or "self".
  /// - Returns: nil where it may not be read: of another user's process.
  init?(ofProcess process: String) {
    guard let file = SystemFile("/proc/\(process)/smaps_rollup") else { return nil }
    func bytes(_ name: StaticString) -> Int? { file.number(named: name).map { $0 << 10 } }
    proportionalBytes = bytes("Pss")
    privateDirtyBytes = bytes("Private_Dirty")
    lazilyFreedBytes = bytes("LazyFree")
    hugePageBytes = bytes("AnonHugePages")
    // A thread of the kernel has no mappings, and an empty file.
    if proportionalBytes == nil { return nil }
  }
}
