// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

extension MemoryReport: CustomStringConvertible {
  /// The verdict, and the numbers below it.
  public var description: String { lines.joined(separator: "\n") }

  /// The verdict and nothing else: one line for a log.
  public var logLine: String {
    "memory \(verdict.sentence); resident \(ByteCount(process.residentBytes ?? 0))"
      + (allocator.map { " on \($0.name)" } ?? "")
  }

  var lines: [String] {
    var lines = [verdict.sentence, ""]
    func row(_ title: String, _ parts: [String?]) {
      let known = parts.compactMap { $0 }
      if !known.isEmpty {
        lines.append(title + String(repeating: " ", count: 11 - title.count) + known.joined(separator: ", "))
      }
    }
    func bytes(_ name: String, _ value: Int?) -> String? { value.map { "\(name) \(ByteCount($0))" } }

    row(
      "process",
      [
        "\(process.name) (\(process.processID))", bytes("resident", process.residentBytes),
        bytes("anonymous", process.anonymousBytes), bytes("files", process.fileBytes),
        process.sharedBytes.flatMap { $0 > 0 ? bytes("shared", $0) : nil },
        process.swapBytes.flatMap { $0 > 0 ? bytes("swapped out", $0) : nil },
        bytes("peak", process.peakResidentBytes), process.threadCount.map { "\($0) thread\($0 == 1 ? "" : "s")" },
      ])
    row(
      "mappings",
      [
        bytes("proportional", mappings?.proportionalBytes), bytes("written by it alone", mappings?.privateDirtyBytes),
        bytes("given back lazily", mappings?.lazilyFreedBytes), bytes("in huge pages", mappings?.hugePageBytes),
      ])
    if let allocator {
      let statistics = allocator.statistics
      row(
        "allocator",
        [
          allocator.name, bytes("live", statistics.liveBytes), bytes("active", statistics.activeBytes),
          bytes("resident", statistics.residentBytes), bytes("mapped", statistics.mappedBytes),
          statistics.retainedBytes.flatMap { $0 > 0 ? bytes("retained", $0) : nil },
          bytes("metadata", statistics.metadataBytes), bytes("free", statistics.freeBytes),
          bytes("a trim would give back", releasableBytes),
        ])
      row(
        "blocks",
        [
          statistics.liveBlocks.map { "\($0) live" }, statistics.allocations.map { "\($0) allocated" },
          statistics.deallocations.map { "\($0) released" },
        ])
    }
    if let cgroup {
      row(
        "cgroup v\(cgroup.version)",
        [
          cgroup.limitBytes.map { "limit \(ByteCount($0))" } ?? "no limit",
          bytes("current", cgroup.currentBytes), bytes("of that idle files", cgroup.idleFileBytes),
          cgroup.usedShare.map { "\(Int($0 * 100)) % used" }, cgroup.limitHits.map { "limit hit \($0) times" },
          cgroup.outOfMemoryKills.map { "\($0) killed" },
          cgroup.pressure.map { "waiting \(decimal($0.some10, 1)) % of 10 s\($0.isOfSystem ? " (system)" : "")" },
        ])
    }
    if let lastTrim { row("last trim", [lastTrim.sentence]) }
    return lines
  }
}

extension MemoryTrim: CustomStringConvertible {
  public var description: String { sentence }

  /// Bytes that the process has lost by it.
  public var releasedBytes: Int { max(residentBefore - residentAfter, 0) }

  /// What it has done, and why the rest stays.
  public var sentence: String {
    guard isPossible else { return "the allocator cannot give memory back" }
    var sentence =
      "\(ByteCount(releasedBytes)) given back in \(decimal(seconds * 1000, 1)) ms: resident "
      + "\(ByteCount(residentBefore)) before, \(ByteCount(residentAfter)) after"
    guard let liveBytes, let heapBytes else { return sentence }
    if heapBytes > liveBytes {
      sentence +=
        "; \(ByteCount(heapBytes - liveBytes)) stay with the allocator, free among live blocks in "
        + "\(heapBytes / 4096) pages"
    }
    return sentence
  }
}
